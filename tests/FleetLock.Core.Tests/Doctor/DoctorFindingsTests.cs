using System.Diagnostics;
using FleetLock.TestKit;
using Microsoft.Extensions.Time.Testing;

namespace FleetLock.Core.Tests;

/// <summary>What the doctor finds beside the protocol: traps of the URL, clocks, groups, the machine's own id, a proxy.</summary>
public sealed class DoctorFindingsTests
{
    private const string Groups =
        """{"groups":[{"group":"workers","slots":2,"free":1,"holders":[{"id":"a","since":"2026-03-01T12:00:00+00:00"}]},{"group":"idle","slots":1,"free":1,"holders":[]}]}""";

    private const string Refused = """{"kind":"missing_header","value":"the fleet-lock-protocol header is missing"}""";

    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    /// <summary>The server's Date, and what the finding names; nothing when the clock is right.</summary>
    public static readonly TheoryData<string, string?> Clocks = new()
    {
        { "Sun, 01 Mar 2026 12:00:00 GMT", null },
        { "Sun, 01 Mar 2026 12:00:59 GMT", null },
        { "Sun, 01 Mar 2026 11:59:01 GMT", null },
        { "Sun, 01 Mar 2026 12:05:00 GMT", "300 s" },
        { "Sun, 01 Mar 2026 11:00:00 GMT", "3600 s" },
        { "Thu, 01 Jan 1970 00:00:00 GMT", " s " },
    };

    public static readonly TheoryData<string> AnswersWithoutList = ["", "null", "[]", "<html>Please log in</html>", """{"groups":null}""", """{"groups":[{}]}"""];

    [Theory]
    [InlineData("/v1")]
    [InlineData("/v1/")]
    [InlineData("/v1/pre-reboot")]
    [InlineData("/v1/steady-state")]
    [InlineData("/v1/groups")]
    [InlineData("/base/v1/pre-reboot/")]
    public async Task A_url_that_is_an_endpoint_and_no_base_is_found_out(string path)
    {
        await using var server = new RawServer(RawAnswer.Http(200));

        var examined = await Examined.OfAsync(server.Url + path);

        Assert.False(examined.Passed);
        Examined.AssertFailed(Assert.Single(examined.Checks), "/v1");
        Assert.Empty(server.Requests);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/base")]
    [InlineData("/base/")]
    [InlineData("/v10")]
    [InlineData("/not-v1x")]
    public async Task A_path_before_the_protocols_own_is_kept(string path)
    {
        await using var server = new RawServer(RawAnswer.Http(400, Refused), RawAnswer.Http(404));

        Assert.True((await Examined.OfAsync(server.Url + path)).Passed);
        Assert.Equal($"POST {path.TrimEnd('/')}/v1/steady-state HTTP/1.1", server.Requests[0].Line);
    }

    [Theory]
    [MemberData(nameof(Clocks))]
    public async Task The_servers_clock_is_compared(string date, string? named)
    {
        await using var server = new RawServer(RawAnswer.Http(400, Refused, "Date: " + date), RawAnswer.Http(404));

        var examined = await Examined.OfAsync(server.Url, clock: new FakeTimeProvider(Now));

        Assert.Equal(named is null, examined.Passed);
        Assert.Equal(["Configuration", "Identity", "Connection", "Protocol", "Clock", "Extensions"], examined.Names);
        if (named is not null)
            Examined.AssertFailed(examined["Clock"], named);
    }

    [Theory]
    [InlineData("X-No: date")]
    [InlineData("Date: yesterday")]
    public async Task Without_a_date_there_is_nothing_to_compare(string header)
    {
        await using var server = new RawServer(RawAnswer.Http(400, Refused, header), RawAnswer.Http(404));

        var examined = await Examined.OfAsync(server.Url);

        Assert.True(examined.Passed);
        Assert.DoesNotContain("Clock", examined.Names);
    }

    [Fact]
    public async Task The_group_is_looked_for_in_the_servers_list()
    {
        await using var server = new RawServer(RawAnswer.Http(400, Refused), RawAnswer.Http(200, Groups));

        var examined = await Examined.OfAsync(server.Url);

        Assert.True(examined.Passed);
        Assert.Contains("'workers'", examined["Extensions"].Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_group_that_the_server_does_not_list_is_found_out()
    {
        await using var server = new RawServer(RawAnswer.Http(400, Refused), RawAnswer.Http(200, Groups));

        var examined = await Examined.OfAsync(new FleetLockSettings { Url = server.Url, Group = "Workers", Id = "node1" });

        Assert.False(examined.Passed);
        Examined.AssertFailed(examined["Extensions"], "'Workers'");
    }

    [Theory]
    [MemberData(nameof(AnswersWithoutList))]
    public async Task A_server_without_the_list_is_no_fault(string body)
    {
        await using var server = new RawServer(RawAnswer.Http(400, Refused), RawAnswer.Http(200, body));

        var examined = await Examined.OfAsync(server.Url);

        Assert.True(examined.Passed);
        Assert.Equal("", examined["Extensions"].Advice);
    }

    [Fact]
    public async Task A_store_that_waits_to_be_confirmed_is_found_out()
    {
        await using var server = new RawServer(
            RawAnswer.Http(400, Refused), RawAnswer.Http(200, Groups.Replace("\"slots\"", "\"storeRestored\":true,\"slots\"", StringComparison.Ordinal)));

        var examined = await Examined.OfAsync(server.Url);

        Assert.False(examined.Passed);
        Examined.AssertFailed(examined["Extensions"], "earlier state");
    }

    [Theory]
    [InlineData(401, ErrorKinds.Unauthorized, false)]
    [InlineData(403, ErrorKinds.Forbidden, true)]
    public async Task Credentials_that_the_server_does_not_accept_are_found_out(int status, string kind, bool isAccepted)
    {
        await using var server = new RawServer(RawAnswer.Http(400, Refused), RawAnswer.Http(status, $$"""{"kind":"{{kind}}","value":"no"}"""));

        var examined = await Examined.OfAsync(server.Url);

        Assert.Equal(isAccepted, examined.Passed);
        Assert.Equal(isAccepted, examined["Extensions"].Passed);
    }

    [Theory]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(503)]
    public async Task A_server_that_does_not_show_its_list_is_no_fault(int status)
    {
        await using var server = new RawServer(RawAnswer.Http(400, Refused), RawAnswer.Http(status));

        var examined = await Examined.OfAsync(server.Url);

        Assert.True(examined.Passed);
        Assert.Equal("", examined["Extensions"].Advice);
    }

    [Theory]
    [InlineData("dfd7882acda64c34aca76193c46f5d4e", true)]
    [InlineData("35ba2101ae3f4d45b96e9c51f461bbff", false)]
    [InlineData(null, false)]
    public async Task The_machine_id_itself_as_the_id_is_noted(string? id, bool isNoted)
    {
        await using var server = new RawServer(RawAnswer.Http(400, Refused), RawAnswer.Http(404));
        var machine = MachineId.Parse("dfd7882acda64c34aca76193c46f5d4e");

        var examined = await Examined.OfAsync(
            new FleetLockSettings { Url = server.Url, Id = id },
            surroundings: Examined.Nowhere with { MachineId = () => (machine, "/etc/machine-id") });

        Assert.True(examined.Passed);
        Assert.Equal(isNoted, examined["Identity"].Message.Contains("machine-id(5)", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Through_a_proxy_neither_name_nor_connection_are_this_machines_to_check()
    {
        await using var proxy = new RawServer(RawAnswer.Http(400, Refused), RawAnswer.Http(404));

        var examined = await Examined.OfAsync("http://no-such-host.invalid", options => options with { Proxy = new Uri($"http://user:s3cr3t@127.0.0.1:{proxy.Port}") });

        Assert.True(examined.Passed);
        Assert.Equal(["Configuration", "Identity", "Proxy", "Protocol", "Extensions"], examined.Names);
        Assert.Contains(proxy.Url, examined["Proxy"].Message, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cr3t", examined["Proxy"].Message, StringComparison.Ordinal);
        Assert.Equal("POST http://no-such-host.invalid/v1/steady-state HTTP/1.1", proxy.Requests[0].Line);
    }

#if NET
    [Fact]
    public async Task A_Unix_socket_has_no_name_no_port_and_no_proxy()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Unix only.");
        using var directory = new TemporaryDirectory();
        var socket = new System.Net.Sockets.UnixDomainSocketEndPoint(directory.File("s"));
        await using var server = new RawServer(RawAnswer.InTurn(RawAnswer.Http(400, Refused), RawAnswer.Http(404)), at: socket);

        var examined = await Examined.OfAsync(server.Url, options => options with { Proxy = new Uri("http://127.0.0.1:1") });

        Assert.True(examined.Passed);
        Assert.Equal(["Configuration", "Identity", "Protocol", "Extensions"], examined.Names);
    }
#endif

    [Fact]
    public async Task A_check_tells_how_long_it_took()
    {
        await using var server = new RawServer(RawAnswer.Http(400, Refused), RawAnswer.Http(404));

        var whole = Stopwatch.StartNew();
        var examined = await Examined.OfAsync(server.Url, clock: TimeProvider.System);

        Assert.All(examined.Checks, check => Assert.InRange(check.Duration, TimeSpan.Zero, whole.Elapsed));
        Assert.Matches(@"after [\d.]+ ms$", examined["Protocol"].Message);
        Assert.DoesNotContain(server.Requests, request => request.Line.Contains("pre-reboot", StringComparison.Ordinal));
    }
}
