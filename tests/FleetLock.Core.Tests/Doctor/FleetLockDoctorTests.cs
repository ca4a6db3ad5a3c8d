using System;
using System.Collections.Generic;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using FleetLock.TestKit;
using Xunit;

namespace FleetLock.Core.Tests;

/// <summary>The doctor: what it sends, what it finds, and what it advises.</summary>
public sealed class FleetLockDoctorTests
{
    private static readonly RawAnswer Refusal = RawAnswer.Http(400, """{"kind":"missing_header","value":"the fleet-lock-protocol header is missing"}""");

    private readonly List<FleetLockCheck> _checks = [];

    /// <summary>What a FleetLock server answers to a request that lacks everything.</summary>
    public static readonly TheoryData<string, int, string> Refusals = new()
    {
        { "ours, poseidon, fleetlock-consul", 400, "missing_header" },
        { "heathcliff26", 400, "missing_fleetlock_header" },
        { "airlock", 400, "invalid_client_identity" },
    };

    /// <summary>What answers but is not, or not well, a FleetLock server.</summary>
    public static readonly TheoryData<int, string, string> Others = new()
    {
        { 200, "", "It accepts anything" },
        { 200, "<html>Please log in</html>", "It accepts anything" },
        { 302, "", "It redirects elsewhere" },
        { 308, "", "It redirects elsewhere" },
        { 400, "<html>Bad request</html>", "Check that the URL" },
        { 401, "", "It wants credentials" },
        { 401, """{"kind":"unauthorized_request","value":"this request requires valid HTTP basic auth credentials"}""", "It wants credentials" },
        { 403, "<html>Forbidden</html>", "It wants credentials" },
        { 407, "", "It wants credentials" },
        { 404, "404 page not found", "Check the URL's path" },
        { 202, """{"kind":"waiting_for_node_drain","value":"reserved"}""", "Check that the URL" },
        { 500, """{"kind":"failed_sem_init","value":"context deadline exceeded"}""", "the server is well" },
        { 503, """{"kind":"store_unavailable","value":"the store does not answer"}""", "the server is well" },
        { 502, "<html>Bad gateway</html>", "the server is well" },
    };

    [Fact]
    public async Task It_sends_one_request_that_can_change_no_slot()
    {
        await using var server = new RawServer(Refusal);

        await ExamineAsync(server.Url);

        var request = Assert.Single(server.Requests);
        Assert.Equal("POST /v1/steady-state HTTP/1.1", request.Line);
        Assert.Null(request.Header("fleet-lock-protocol"));
        Assert.Equal("{}", request.Body);
    }

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task A_server_that_refuses_as_it_must_passes_every_check(string server, int status, string kind)
    {
        await using var raw = new RawServer(RawAnswer.Http(status, WireFormat.WriteError(kind, "refused")));

        Assert.True(await ExamineAsync(raw.Url), server);
        Assert.Equal(["Configuration", "Identity", "Connection", "Protocol"], _checks.Select(check => check.Name));
        Assert.All(_checks, check => Assert.True(check.Passed));
        Assert.All(_checks, check => Assert.Equal("", check.Advice));
        Assert.Contains($"server {raw.Url} (parameter), group 'workers' (parameter)", _checks[0].Message, StringComparison.Ordinal);
        Assert.Contains("id 'node1' (parameter)", _checks[1].Message, StringComparison.Ordinal);
        Assert.Contains(kind, _checks[3].Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Others))]
    public async Task Whatever_answers_otherwise_fails_the_protocol_check_with_advice(int status, string body, string advice)
    {
        await using var server = new RawServer(RawAnswer.Http(status, body, "Location: /login"));

        Assert.False(await ExamineAsync(server.Url));
        Assert.Equal(["Configuration", "Identity", "Connection", "Protocol"], _checks.Select(check => check.Name));
        Assert.True(_checks[2].Passed);
        AssertFailed(_checks[3], status.ToString(System.Globalization.CultureInfo.InvariantCulture), advice);
        Assert.Single(server.Requests);
    }

    [Theory]
    [InlineData(null, "workers", "FLEETLOCK_URL")]
    [InlineData("nonsense", "workers", "FLEETLOCK_URL")]
    [InlineData("http://127.0.0.1:1/?query", "workers", "FLEETLOCK_URL")]
    [InlineData("http://127.0.0.1:1", "under_score", "FLEETLOCK_GROUP")]
    public async Task It_stops_at_a_bad_configuration(string? url, string group, string advice)
    {
        Assert.False(await ExamineAsync(url, group, connect: _ => throw new InvalidOperationException("It must not connect.")));

        AssertFailed(Assert.Single(_checks), "", advice);
    }

    [Fact]
    public async Task It_goes_on_without_an_identity()
    {
        await using var server = new RawServer(Refusal);

        Assert.False(await ExamineAsync(server.Url, id: " "));

        Assert.Equal([true, false, true, true], _checks.Select(check => check.Passed));
        AssertFailed(_checks[1], "The id", "FLEETLOCK_ID");
    }

    [Fact]
    public async Task A_machine_without_an_id_fails_the_identity_check()
    {
        await using var server = new RawServer(Refusal);
        using var client = Exchange.ClientOf(server.Url);

        var passed = await new FleetLockDoctor().ExamineAsync(
            () => FleetLockConfiguration.Resolve(server.Url, environment: _ => null, nodeId: () => throw new FleetLockInputException("id", "no machine id here")),
            _ => client,
            _checks.Add,
            TestContext.Current.CancellationToken);

        Assert.False(passed);
        AssertFailed(_checks[1], "no machine id here", "FLEETLOCK_ID");
    }

    [Fact]
    public async Task It_stops_where_nothing_answers()
    {
        using var unlistened = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        unlistened.Bind(new IPEndPoint(IPAddress.Loopback, 0));

        Assert.False(await ExamineAsync($"http://{unlistened.LocalEndPoint}"));

        Assert.Equal(["Configuration", "Identity", "Connection"], _checks.Select(check => check.Name));
        AssertFailed(_checks[2], "cannot connect", "Check the address");
    }

    [Fact]
    public async Task Silence_fails_the_connection_check()
    {
        await using var server = new RawServer(RawAnswer.Never);

        Assert.False(await ExamineAsync(server.Url, timeout: Exchange.ShortTimeout));

        AssertFailed(_checks[^1], "no answer", "Check the address");
        Assert.Equal("Connection", _checks[^1].Name);
    }

    [Fact]
    public async Task A_refusal_that_never_ends_does_not_pass()
    {
        await using var server = new RawServer(RawAnswer.Of("HTTP/1.1 400 Bad Request\r\nContent-Length: 100\r\n\r\n{").ThenSilence());

        Assert.False(await ExamineAsync(server.Url, timeout: Exchange.LongerTimeout));
    }

    [Fact]
    public async Task The_callers_cancellation_ends_it()
    {
        using var cancellation = new CancellationTokenSource();
        await using var server = new RawServer(RawAnswer.Never);

        var examination = ExamineAsync(server.Url, cancellationToken: cancellation.Token);
        await server.Asked;
        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => examination);
    }

    [Fact]
    public async Task No_finding_shows_the_password()
    {
        await using var server = new RawServer(RawAnswer.Http(401));

        await ExamineAsync($"http://user:s3cr3t@127.0.0.1:{server.Port}");

        Assert.All(_checks, check => Assert.DoesNotContain("s3cr3t", check.ToString(), StringComparison.Ordinal));
    }

    private async Task<bool> ExamineAsync(
        string? url,
        string group = "workers",
        string id = "node1",
        TimeSpan? timeout = null,
        Func<ServerAddress, FleetLockClient>? connect = null,
        CancellationToken? cancellationToken = null)
    {
        FleetLockClient? client = null;
        try
        {
            return await new FleetLockDoctor().ExamineAsync(
                () => FleetLockConfiguration.Resolve(url, group, id, _ => null),
                connect ?? (_ => client = Exchange.ClientOf(url!, timeout)),
                _checks.Add,
                cancellationToken ?? TestContext.Current.CancellationToken);
        }
        finally
        {
            client?.Dispose();
        }
    }

    private static void AssertFailed(FleetLockCheck check, string message, string advice)
    {
        Assert.False(check.Passed);
        Assert.Contains(message, check.Message, StringComparison.Ordinal);
        Assert.Contains(advice, check.Advice, StringComparison.Ordinal);
    }
}
