using System.Globalization;
using System.Net;
using System.Net.Sockets;
using FleetLock.TestKit;
using Microsoft.Extensions.Time.Testing;

namespace FleetLock.Core.Tests;

/// <summary>The doctor: what it sends, what it finds, and what it advises.</summary>
public sealed class FleetLockDoctorTests
{
    private static readonly string[] Whole = ["Configuration", "Identity", "Connection", "Protocol", "Extensions"];

    private static readonly RawAnswer Refusal = RawAnswer.Http(400, """{"kind":"missing_header","value":"the fleet-lock-protocol header is missing"}""");

    /// <summary>What a FleetLock server answers to a request that lacks everything.</summary>
    public static readonly TheoryData<string, int, string> Refusals = new()
    {
        { "ours, poseidon, fleetlock-consul", 400, "missing_header" },
        { "heathcliff26", 400, "missing_fleetlock_header" },
        { "airlock", 400, "invalid_client_identity" },
    };

    /// <summary>What answers but is not, or not well, a FleetLock server.</summary>
    public static readonly TheoryData<int, string> Others = new()
    {
        { 200, "" },
        { 200, "<html>Please log in</html>" },
        { 302, "" },
        { 308, "" },
        { 400, "<html>Bad request</html>" },
        { 401, "" },
        { 401, """{"kind":"unauthorized_request","value":"this request requires valid HTTP basic auth credentials"}""" },
        { 403, "<html>Forbidden</html>" },
        { 407, "" },
        { 404, "404 page not found" },
        { 202, """{"kind":"waiting_for_node_drain","value":"reserved"}""" },
        { 500, """{"kind":"failed_sem_init","value":"context deadline exceeded"}""" },
        { 503, """{"kind":"store_unavailable","value":"the store does not answer"}""" },
        { 502, "<html>Bad gateway</html>" },
    };

    [Fact]
    public async Task It_sends_nothing_that_can_change_a_slot()
    {
        await using var server = new RawServer(Refusal, RawAnswer.Http(404));

        await Examined.OfAsync(server.Url);

        Assert.Equal(["POST /v1/steady-state HTTP/1.1", "GET /v1 HTTP/1.1", "GET /v1/groups HTTP/1.1"], server.Requests.Select(request => request.Line));
        Assert.All(server.Requests, request => Assert.Null(request.Header("fleet-lock-protocol")));
        Assert.Equal(["{}", "", ""], server.Requests.Select(request => request.Body));
    }

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task A_server_that_refuses_as_it_must_passes_every_check(string server, int status, string kind)
    {
        await using var raw = new RawServer(RawAnswer.Http(status, WireFormat.WriteError(kind, "refused")), RawAnswer.Http(404));

        var examined = await Examined.OfAsync(raw.Url);

        Assert.True(examined.Passed, server);
        Assert.Equal(Whole, examined.Names);
        Assert.All(examined.Checks, check => Assert.True(check.Passed));
        Assert.All(examined.Checks, check => Assert.Equal("", check.Advice));
        Assert.Contains($"Url = {raw.Url} (parameter); Group = workers (parameter)", examined["Configuration"].Message, StringComparison.Ordinal);
        Assert.Contains("id 'node1' (parameter)", examined["Identity"].Message, StringComparison.Ordinal);
        Assert.Contains($"127.0.0.1:{raw.Port}", examined["Connection"].Message, StringComparison.Ordinal);
        Assert.Contains(kind, examined["Protocol"].Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Others))]
    public async Task Whatever_answers_otherwise_fails_the_protocol_check_with_advice(int status, string body)
    {
        await using var server = new RawServer(RawAnswer.Http(status, body, "Location: /login"));

        var examined = await Examined.OfAsync(server.Url);

        Assert.False(examined.Passed);
        Assert.Equal(Whole[..4], examined.Names);
        Assert.True(examined["Connection"].Passed);
        Examined.AssertFailed(examined["Protocol"], status.ToString(CultureInfo.InvariantCulture));
        Assert.Single(server.Requests);
    }

    [Theory]
    [InlineData(null, "workers", "FLEETLOCK_URL")]
    [InlineData("nonsense", "workers", "FLEETLOCK_URL")]
    [InlineData("http://127.0.0.1:1/?query", "workers", "FLEETLOCK_URL")]
    [InlineData("http://127.0.0.1:1", "under_score", "FLEETLOCK_GROUP")]
    public async Task It_stops_at_a_bad_configuration(string? url, string group, string variable)
    {
        var examined = await Examined.OfAsync(
            new FleetLockSettings { Url = url, Group = group, Id = "node1" },
            _ => throw new InvalidOperationException("It must not connect."));

        Assert.False(examined.Passed);
        var check = Assert.Single(examined.Checks);
        Assert.False(check.Passed);
        Assert.Contains(variable, check.Advice, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(" ", "")]
    [InlineData(null, "no machine id here")]
    public async Task It_goes_on_without_an_identity(string? id, string reason)
    {
        await using var server = new RawServer(Refusal, RawAnswer.Http(404));

        var examined = await Examined.OfAsync(server.Url, id: id);

        Assert.False(examined.Passed);
        Assert.Equal(Whole, examined.Names);
        Assert.Equal([true, false, true, true, true], examined.Checks.Select(check => check.Passed));
        Examined.AssertFailed(examined["Identity"], reason);
    }

    [Fact]
    public async Task It_stops_where_nothing_listens()
    {
        using var unlistened = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        unlistened.Bind(new IPEndPoint(IPAddress.Loopback, 0));

        var examined = await Examined.OfAsync($"http://{unlistened.LocalEndPoint}");

        Assert.Equal(Whole[..3], examined.Names);
        Examined.AssertFailed(examined["Connection"], unlistened.LocalEndPoint!.ToString()!);
    }

    [Fact]
    public async Task It_stops_at_a_name_that_nobody_has()
    {
        var examined = await Examined.OfAsync("http://no-such-host.invalid");

        Assert.Equal(["Configuration", "Identity", "Name"], examined.Names);
        Examined.AssertFailed(examined["Name"], "no-such-host.invalid");
    }

    [Fact]
    public async Task A_host_name_is_looked_up_first()
    {
        await using var server = new RawServer(Refusal, RawAnswer.Http(404));

        var examined = await Examined.OfAsync($"http://localhost:{server.Port}");

        Assert.Equal(["Configuration", "Identity", "Name", "Connection", "Protocol", "Extensions"], examined.Names);
        Assert.Contains("127.0.0.1", examined["Name"].Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Silence_fails_the_protocol_check()
    {
        var clock = new FakeTimeProvider();
        await using var server = new RawServer(RawAnswer.Never);

        var examination = Examined.OfAsync(server.Url, options => options with { Timeout = Exchange.FakeTimeout, Clock = clock });
        await server.Asked;
        clock.Advance(Exchange.FakeTimeout);
        var examined = await examination;

        Assert.Equal(Whole[..4], examined.Names);
        Examined.AssertFailed(examined["Protocol"], " 30 s");
    }

    [Fact]
    public async Task A_refusal_that_never_ends_does_not_pass()
    {
        await using var server = new RawServer(RawAnswer.Of("HTTP/1.1 400 Bad Request\r\nContent-Length: 100\r\n\r\n{").ThenSilence());

        var examined = await TestTimeout.LongEnoughAsync(
            seconds => Examined.OfAsync(server.Url, options => options with { Timeout = TimeSpan.FromSeconds(seconds) }),
            examined => examined.Checks[^1].Message.Contains("400", StringComparison.Ordinal));

        Assert.False(examined.Passed);
    }

    [Fact]
    public async Task The_callers_cancellation_ends_it()
    {
        using var cancellation = new CancellationTokenSource();
        await using var server = new RawServer(RawAnswer.Never);

        var examination = Examined.OfAsync(new FleetLockSettings { Url = server.Url, Id = "node1" }, cancellationToken: cancellation.Token);
        await server.Asked;
        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => examination);
    }
}
