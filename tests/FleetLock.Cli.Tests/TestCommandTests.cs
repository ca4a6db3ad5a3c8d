using System.Globalization;
using System.Text.Json;
using FleetLock.TestKit;

namespace FleetLock.Cli.Tests;

/// <summary><c>test</c>, the doctor: what it finds, what it says to do, and that no slot changes by it.</summary>
public sealed class TestCommandTests : IDisposable
{
    private const string Html = "<html><body>It works!</body></html>";

    private readonly Ctl _ctl = new();

    public static readonly TheoryData<int, string> WrongServers = new()
    {
        { 200, Html },
        { 200, "" },
        { 404, Html },
        { 302, "" },
        { 401, Html },
        { 403, Html },
        { 500, Html },
        { 400, "null" },
    };

    /// <summary>The options, and what the finding names. "URL" is a server that must not be asked.</summary>
    public static readonly TheoryData<string[], string> BadConfigurations = new()
    {
        { [], "--url" },
        { ["-u", "ftp://fleetlock.example.net"], "'ftp://fleetlock.example.net'" },
        { ["-u", "URL/v1"], "/v1" },
        { ["-u", "URL/team/v1/pre-reboot/"], "/v1/pre-reboot" },
        { ["-u", "URL", "-g", "my_group"], "'my_group'" },
        { ["-u", "URL", "--token-file", "missing.txt"], "missing.txt" },
        { ["-u", "URL", "--ca-certificate", "missing.pem"], "missing.pem" },
        { ["-u", "URL", "--header", "Host: other.example.net"], "'Host'" },
    };

    public void Dispose() => _ctl.Dispose();

    [Fact]
    public async Task The_table_has_a_line_for_each_check_of_a_server_that_is_well()
    {
        await using var server = await StartServerAsync();

        var healthy = await _ctl.RunAsync("test", "-u", server.Url(), "-g", "workers", "-i", "node1");

        Assert.Equal((0, ""), (healthy.ExitCode, healthy.Errors));
        Assert.Collection(
            healthy.OutputLines,
            line => Assert.Matches($"^ok +Configuration +.*Url = {server.Url()} .*Group = workers", line),
            line => Assert.Matches("^ok +Identity +id 'node1' ", line),
            line => Assert.Matches($"^ok +Connection +{server.Address.Authority} ", line),
            line => Assert.Matches("^ok +Protocol ", line),
            line => Assert.Matches("^ok +Clock ", line),
            line => Assert.Matches("^ok +Extensions +.*'workers'.* 2 .* 2 .*supports grants", line));
    }

    [Theory]
    [InlineData("workers", 0)]
    [InlineData("unheard-of", 1)]
    public async Task Json_is_the_same_for_programs(string group, int exitCode)
    {
        await using var server = await StartServerAsync();

        var finished = await _ctl.RunAsync("test", "-u", server.Url(), "-g", group, "-i", "node1", "-o", "json");

        Assert.Equal((exitCode, ""), (finished.ExitCode, finished.Errors));
        using var json = JsonDocument.Parse(finished.Output);
        var checks = json.RootElement.EnumerateArray().ToList();
        Assert.Equal(["Configuration", "Identity", "Connection", "Protocol", "Clock", "Extensions"], checks.Select(check => check.GetProperty("name").GetString()));
        Assert.Equal([true, true, true, true, true, exitCode == 0], checks.Select(check => check.GetProperty("passed").GetBoolean()));
        Assert.All(checks, check => Assert.NotEmpty(check.GetProperty("message").GetString()!));
        Assert.All(checks, check => Assert.Equal(check.GetProperty("passed").GetBoolean(), check.GetProperty("advice").GetString() == ""));
        Assert.All(checks, check => Assert.InRange(TimeSpan.Parse(check.GetProperty("duration").GetString()!, null), TimeSpan.Zero, TestTimeout.Hang));
    }

    [Fact]
    public async Task A_group_that_the_server_does_not_have_is_named_and_so_are_those_that_it_has()
    {
        await using var server = await StartServerAsync();

        var sick = await _ctl.RunAsync("test", "-u", server.Url(), "-g", "unheard-of");

        AssertFails(sick, "Extensions", "'unheard-of'");
    }

    [Fact]
    public async Task Where_nobody_listens_the_connection_fails_and_nothing_is_checked_after_it()
    {
        using var nobody = new ClosedPort();

        var sick = await _ctl.RunAsync("test", "-u", nobody.Url, "-i", "node1");

        AssertFails(sick, "Connection", nobody.Address);
        Assert.DoesNotContain("Protocol", sick.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_name_that_is_not_found_is_said_of_the_name()
    {
        var sick = await _ctl.RunAsync("test", "-u", "http://no-such-host.invalid", "-i", "node1");

        AssertFails(sick, "Name", "no-such-host.invalid");
    }

    [Theory]
    [MemberData(nameof(WrongServers))]
    public async Task What_is_not_a_FleetLock_server_is_told_apart(int status, string body)
    {
        await using var server = new RawServer(RawAnswer.Http(status, body, "Location: /login"));

        var sick = await _ctl.RunAsync("test", "-u", server.Url, "-i", "node1");

        AssertFails(sick, "Protocol", status.ToString(CultureInfo.InvariantCulture));
        Assert.DoesNotContain("Extensions", sick.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_path_that_the_server_does_not_have_is_said_to_be_wrong()
    {
        await using var server = await StartServerAsync();

        var sick = await _ctl.RunAsync("test", "-u", server.Url() + "/fleet", "-g", "workers", "-i", "node1");

        AssertFails(sick, "Protocol", "404");
    }

    [Fact]
    public async Task A_server_that_does_not_answer_is_given_up_on()
    {
        await using var server = new RawServer(RawAnswer.Never);

        var sick = await TestTimeout.LongEnoughAsync(
            seconds => _ctl.RunAsync("test", "-u", server.Url, "-i", "node1", "--timeout", $"{seconds}"),
            sick => sick.Output.Contains("Protocol", StringComparison.Ordinal));

        AssertFails(sick, "Protocol", $"127.0.0.1:{server.Port} ");
    }

    [Theory]
    [MemberData(nameof(BadConfigurations))]
    public async Task A_configuration_that_is_not_good_is_a_finding_and_nobody_is_asked(string[] options, string named)
    {
        await using var server = new RawServer(RawAnswer.Http(200));

        var sick = await _ctl.RunAsync(["test", "-i", "node1", .. options.Select(word => word.Replace("URL", server.Url, StringComparison.Ordinal))]);

        AssertFails(sick, "Configuration", named);
        Assert.Single(sick.OutputLines, line => line.StartsWith("FAILED", StringComparison.Ordinal));
        Assert.Equal(2, sick.OutputLines.Length);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task A_clock_that_is_wrong_is_said_to_be_wrong()
    {
        await using var server = new RawServer(RawAnswer.Http(
            400, """{"kind":"missing_fleetlock_header","value":"no header"}""", "Date: Sun, 01 Mar 2020 12:00:00 GMT"));

        var sick = await _ctl.RunAsync("test", "-u", server.Url, "-i", "node1");

        AssertFails(sick, "Clock", " s ");
    }

    [Theory]
    [InlineData("node1")]
    [InlineData("another")]
    public async Task No_slot_changes_on_a_real_server(string id)
    {
        await using var server = await StartServerAsync();
        string[] workers = ["-u", server.Url(), "-g", "workers"];
        Assert.Equal(0, (await _ctl.RunAsync(["recursive-lock", .. workers, "-i", "node1"])).ExitCode);

        Assert.Equal(0, (await _ctl.RunAsync(["test", .. workers, "-i", id])).ExitCode);

        Assert.Equal(["node1"], await server.HoldersAsync("workers"));
    }

    [Theory]
    [InlineData(400, """{"kind":"missing_fleetlock_header","value":"no header"}""", 0)]
    [InlineData(200, Html, 1)]
    [InlineData(409, """{"kind":"failed_lock","value":"all 1 semaphore slots currently locked"}""", 0)]
    public async Task No_lock_is_asked_for_and_no_request_has_the_protocols_header_or_an_id(int status, string body, int exitCode)
    {
        await using var server = new RawServer(request => request.Line.StartsWith("GET", StringComparison.Ordinal) ? RawAnswer.Http(404) : RawAnswer.Http(status, body));

        var finished = await _ctl.RunAsync("test", "-u", server.Url, "-i", "node1");

        Assert.Equal(exitCode, finished.ExitCode);
        Assert.Equal(
            exitCode == 0 ? ["POST /v1/steady-state HTTP/1.1", "GET /v1 HTTP/1.1", "GET /v1/groups HTTP/1.1"] : ["POST /v1/steady-state HTTP/1.1"],
            server.Requests.Select(request => request.Line));
        Assert.All(server.Requests, request => Assert.Null(request.Header("fleet-lock-protocol")));
        Assert.Equal("{}", server.Requests[0].Body);
    }

    [Fact]
    public async Task What_the_server_says_cannot_steer_the_terminal()
    {
        await using var server = new RawServer(RawAnswer.Http(500, """{"kind":"a\u001b[2J","value":"b\u009b\u202e\r\nok      Protocol"}"""));

        var sick = await _ctl.RunAsync("test", "-u", server.Url, "-i", "node1");

        Assert.Equal(1, sick.ExitCode);
        Assert.DoesNotContain(sick.Output.ReplaceLineEndings(""), c => char.IsControl(c) || c == '\u202e');
        Assert.DoesNotContain(sick.OutputLines, line => line.StartsWith("ok      Protocol", StringComparison.Ordinal));
    }

    private static Task<ServerProcess> StartServerAsync() =>
        ServerProcess.StartListeningAsync("--listen", "http://127.0.0.1:0", "--group", "workers=2", "--data", ":memory:");

    /// <summary>The line below that of a check that failed says what to do.</summary>
    private static void AssertFails(Finished sick, string check, string named)
    {
        Assert.Equal((1, ""), (sick.ExitCode, sick.Errors));
        var line = Array.FindIndex(sick.OutputLines, candidate => candidate.StartsWith($"FAILED  {check} ", StringComparison.Ordinal));
        Assert.True(line >= 0, sick.Output);
        Assert.Contains(named, sick.OutputLines[line], StringComparison.Ordinal);
        Assert.StartsWith(new string(' ', 24), sick.OutputLines[line + 1], StringComparison.Ordinal);
    }
}
