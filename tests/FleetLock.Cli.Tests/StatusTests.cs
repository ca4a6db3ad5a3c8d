using System.Text.Json;
using FleetLock.TestKit;

namespace FleetLock.Cli.Tests;

/// <summary><c>status</c> shows what the server tells, and says so when it cannot tell.</summary>
public sealed class StatusTests : IDisposable
{
    private const string Html = "<html><body>It works!</body></html>";

    private readonly Ctl _ctl = new();

    public void Dispose() => _ctl.Dispose();

    [Fact]
    public async Task The_table_has_a_line_for_each_holder_and_for_each_idle_group()
    {
        await using var server = await StartServerAsync();
        await FillAsync(server);

        var status = await _ctl.RunAsync("status", "-u", server.Url());

        Assert.Equal((0, ""), (status.ExitCode, status.Errors));
        Assert.Collection(
            status.OutputLines,
            line => Assert.Matches(@"^GROUP +SLOTS +FREE +WAITING +HOLDER +SINCE \(UTC\) +FROM$", line),
            line => Assert.Matches("^idle +1 +1 +0 +-$", line),
            line => Assert.Matches(@"^workers +3 +1 +0 +node1 +20\d\d-\d\d-\d\d \d\d:\d\d:\d\d +127\.0\.0\.1$", line),
            line => Assert.Matches(@"^ +node2 +20\d\d-\d\d-\d\d \d\d:\d\d:\d\d +127\.0\.0\.1$", line));

        // The columns stand below their names.
        Assert.All(status.OutputLines[2..], line => Assert.Equal(status.OutputLines[0].IndexOf("HOLDER", StringComparison.Ordinal), line.IndexOf("node", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("status", "-o", "json")]
    [InlineData("status", "--output=json")]
    public async Task Json_is_the_same_for_programs(params string[] line)
    {
        await using var server = await StartServerAsync();
        await FillAsync(server);

        var status = await _ctl.RunAsync([.. line, "-u", server.Url()]);

        Assert.Equal((0, ""), (status.ExitCode, status.Errors));
        using var json = JsonDocument.Parse(status.Output);
        var groups = json.RootElement.GetProperty("groups").EnumerateArray().ToList();
        Assert.Equal([("idle", 1, 1), ("workers", 3, 1)], groups.Select(group =>
            (group.GetProperty("group").GetString(), group.GetProperty("slots").GetInt32(), group.GetProperty("free").GetInt32())));
        var holders = groups[1].GetProperty("holders").EnumerateArray().ToList();
        Assert.Equal(["node1", "node2"], holders.Select(holder => holder.GetProperty("id").GetString()));
        Assert.All(holders, holder => Assert.InRange(holder.GetProperty("since").GetDateTimeOffset(), DateTimeOffset.UtcNow.AddMinutes(-10), DateTimeOffset.UtcNow));
    }

    [Theory]
    [InlineData("status", "-g", "idle")]
    [InlineData("-g", "idle", "status")]
    public async Task A_group_can_be_named(params string[] line)
    {
        await using var server = await StartServerAsync();

        var status = await _ctl.RunAsync(["-u", server.Url(), .. line]);

        Assert.Equal(0, status.ExitCode);
        Assert.Equal(2, status.OutputLines.Length);
        Assert.Matches("^idle +1 +1 +0 +-$", status.OutputLines[1]);
    }

    [Fact]
    public async Task A_store_that_waits_to_be_confirmed_is_reported_beside_its_groups()
    {
        await using var server = new RawServer(RawAnswer.Http(
            200, """{"groups":[{"group":"workers","slots":1,"free":1,"holders":[],"storeRestored":true}]}"""));

        var status = await _ctl.RunAsync("status", "-u", server.Url);

        Assert.Equal((0, 2), (status.ExitCode, status.OutputLines.Length));
        Assert.Contains("confirm-restore", Assert.Single(status.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_group_that_the_server_does_not_have_is_named()
    {
        await using var server = await StartServerAsync();

        var refused = await _ctl.RunAsync("status", "-u", server.Url(), "-g", "unheard-of");

        Assert.Equal((77, ""), (refused.ExitCode, refused.Output));
        Assert.Contains("'unheard-of'", Assert.Single(refused.ErrorLines), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(404, "404 page not found")]
    [InlineData(200, Html)]
    [InlineData(200, "")]
    [InlineData(200, "null")]
    [InlineData(200, "[]")]
    [InlineData(200, "{}")]
    [InlineData(200, """{"groups":[{"group":"workers","slots":1,"free":1,"holders":null}]}""")]
    [InlineData(302, "")]
    public async Task A_server_that_cannot_tell_is_76(int code, string body)
    {
        await using var server = new RawServer(RawAnswer.Http(code, body, "Location: /login"));

        var refused = await _ctl.RunAsync("status", "-u", server.Url);

        Assert.Equal((76, ""), (refused.ExitCode, refused.Output));
        Assert.Contains(server.Url, Assert.Single(refused.ErrorLines), StringComparison.Ordinal);
        Assert.Equal("GET /v1/groups HTTP/1.1", Assert.Single(server.Requests).Line);
    }

    [Theory]
    [InlineData(401, Html, 77)]
    [InlineData(503, """{"kind":"store_unavailable","value":"the server's store does not answer; its log says why"}""", 69)]
    public async Task A_server_that_will_not_tell_now_is_not_taken_for_another(int code, string body, int exitCode)
    {
        await using var server = new RawServer(RawAnswer.Http(code, body));

        var refused = await _ctl.RunAsync("status", "-u", server.Url);

        Assert.Equal((exitCode, ""), (refused.ExitCode, refused.Output));
    }

    [Fact]
    public async Task A_server_that_is_away_is_69()
    {
        using var nobody = new ClosedPort();

        var refused = await _ctl.RunAsync("status", "-u", nobody.Url);

        Assert.Equal((69, ""), (refused.ExitCode, refused.Output));
        Assert.Contains(nobody.Url, Assert.Single(refused.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_not_known_and_what_is_wrong_is_said()
    {
        const string Answer = """{"groups":[{"group":"bad","slots":0,"free":0,"holders":[],"fault":"not a semaphore"},{"group":"web","slots":1,"free":0,"waiting":12,"holders":[{"id":"node1"}]}]}""";
        await using var server = new RawServer(RawAnswer.Http(200, Answer));

        var status = await _ctl.RunAsync("status", "-u", server.Url);

        Assert.Equal(0, status.ExitCode);
        Assert.Matches(@"^bad +\? +\? +\? +\? not a semaphore$", status.OutputLines[1]);
        Assert.Matches("^web +1 +0 +12 +node1 +unknown +unknown$", status.OutputLines[2]);
    }

    [Theory]
    [InlineData("table")]
    [InlineData("json")]
    public async Task What_the_server_tells_cannot_steer_the_terminal(string format)
    {
        const string Hostile = """{"groups":[{"group":"a\u001b[2J","slots":1,"free":0,"holders":[{"id":"b\u009b\u202e\r\n","since":"2026-03-01T12:00:00+00:00"}]}]}""";
        await using var server = new RawServer(RawAnswer.Http(200, Hostile));

        var status = await _ctl.RunAsync("status", "-u", server.Url, "-o", format);

        Assert.Equal(0, status.ExitCode);
        Assert.DoesNotContain(status.Output.ReplaceLineEndings(""), c => char.IsControl(c) || c == '\u202e');
    }

    private static Task<ServerProcess> StartServerAsync() =>
        ServerProcess.StartListeningAsync("--listen", "http://127.0.0.1:0", "--group", "workers=3", "--group", "idle=1", "--data", ":memory:");

    private async Task FillAsync(ServerProcess server)
    {
        foreach (var id in new[] { "node2", "node1" })
            Assert.Equal(0, (await _ctl.RunAsync("recursive-lock", "-u", server.Url(), "-g", "workers", "-i", id)).ExitCode);
    }
}
