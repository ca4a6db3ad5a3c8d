using FleetLock.TestKit;

namespace FleetLock.Cli.Tests;

/// <summary><c>run</c> against servers that refuse, that answer nonsense, and that go away.</summary>
public sealed class RunServerTests : IDisposable
{
    private const string Lock = "POST /v1/pre-reboot HTTP/1.1";
    private const string Unlock = "POST /v1/steady-state HTTP/1.1";

    private readonly Ctl _ctl = new();

    public static readonly TheoryData<int, string, int> Refusals = new()
    {
        { 409, """{"kind":"failed_lock_semaphore_full","value":"all 1 semaphore slots currently locked"}""", 75 },
        { 400, """{"kind":"unknown_group","value":"no such group"}""", 77 },
        { 401, "<html>Please log in</html>", 77 },
        { 503, """{"kind":"store_unavailable","value":"the store is away"}""", 69 },
        { 404, "<html>Not found</html>", 76 },
        { 201, "", 76 },
        { 302, "", 76 },
    };

    public RunServerTests() => Machine.RequireUnix();

    public void Dispose() => _ctl.Dispose();

    [Fact]
    public async Task The_slot_is_held_while_the_command_runs_and_released_after_it()
    {
        await using var server = await ServerProcess.StartListeningAsync("--listen", "http://127.0.0.1:0", "--group", "workers=2", "--data", ":memory:");
        var run = _ctl.Start("-u", server.Url(), "-g", "workers", "run", "-i", _ctl.Id, "--", "sh", "-c", "echo running; read _; exit 3");
        await run.Output.LineAsync("running");

        Assert.Equal([_ctl.Id], await server.HoldersAsync("workers"));

        Assert.Equal(3, (await run.FinishAsync()).ExitCode);
        Assert.Empty(await server.HoldersAsync("workers"));
    }

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task A_refused_run_does_not_start_its_command(int status, string body, int exitCode)
    {
        await using var server = new RawServer(RawAnswer.Http(status, body));

        var refused = await RunAsync(server.Url);

        AssertNotStarted(exitCode, refused);
        Assert.Equal(Lock, server.Requests[0].Line);
        Assert.DoesNotContain(server.Requests, request => request.Line == Unlock);
    }

    [Fact]
    public async Task A_server_that_is_away_does_not_let_the_command_start()
    {
        using var nobody = new ClosedPort();

        AssertNotStarted(69, await RunAsync(nobody.Url));
    }

    [Theory]
    [InlineData(202, """{"kind":"waiting_for_node_drain","value":"reserved"}""", 75)]
    [InlineData(504, "<html>The gateway gave up</html>", 69)]
    public async Task What_the_server_may_have_kept_for_a_run_that_does_not_start_is_undone(int status, string body, int exitCode)
    {
        await using var server = new RawServer(RawAnswer.Http(status, body), RawAnswer.Http(200));

        AssertNotStarted(exitCode, await RunAsync(server.Url));

        Assert.Equal([Lock, Servers.Undo], server.Lines());
    }

    [Fact]
    public async Task A_lost_answer_does_not_let_the_command_start_and_is_undone()
    {
        await using var server = new RawServer(RawAnswer.Reset, RawAnswer.Http(200));

        AssertNotStarted(69, await RunAsync(server.Url));

        Assert.Equal([Lock, Servers.Undo], server.Lines());
    }

    [Fact]
    public async Task A_wait_does_not_go_on_where_asking_again_cannot_help()
    {
        await using var server = new RawServer(RawAnswer.Http(401));

        AssertNotStarted(77, await RunAsync(server.Url, "--wait"));

        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task A_release_that_is_not_acknowledged_is_tried_again()
    {
        await using var server = new RawServer(
            RawAnswer.Http(200),
            RawAnswer.Http(503, """{"kind":"shutting_down","value":"the server is stopping"}"""),
            RawAnswer.Http(200));

        var finished = await _ctl.RunAsync("run", "-u", server.Url, "-i", _ctl.Id, "--", "sh", "-c", "exit 5");

        Assert.Equal(5, finished.ExitCode);
        Assert.Equal([Lock, Unlock, Unlock], server.Requests.Select(request => request.Line));
    }

    [Fact]
    public async Task A_release_that_is_refused_keeps_the_commands_exit_code_and_says_how_to_release_later()
    {
        await using var server = new RawServer(RawAnswer.Http(200), RawAnswer.Http(401));

        var finished = await _ctl.RunAsync("run", "-u", server.Url, "-g", "workers", "-i", _ctl.Id, "--", "sh", "-c", "exit 5");

        Assert.Equal(5, finished.ExitCode);
        AssertSaysHowToRelease(finished, server.Url);
    }

    [Fact]
    public async Task A_server_that_goes_away_meanwhile_does_not_cost_the_commands_exit_code()
    {
        var server = await ServerProcess.StartListeningAsync("--listen", "http://127.0.0.1:0", "--group", "workers=1", "--data", ":memory:");
        string url;
        CtlProcess run;
        await using (server)
        {
            // The command ignores the signal that is meant for the release.
            run = _ctl.Start("run", "-u", server.Url(), "-g", "workers", "-i", _ctl.Id, "--", "sh", "-c", "trap '' TERM; echo running; read _; exit 5");
            await run.Output.LineAsync("running");
            url = server.Url();
        }

        var end = run.FinishAsync();

        // Whenever one comes: before the release it is the command's, at the release it gives up, and after that it changes nothing.
        while (await Task.WhenAny(end, Task.Delay(100, TestContext.Current.CancellationToken)) != end)
            await run.SignalAsync("TERM");

        var finished = await end;
        Assert.Equal(5, finished.ExitCode);
        AssertSaysHowToRelease(finished, url);
    }

    private Task<Finished> RunAsync(string url, params string[] options) =>
        _ctl.RunAsync(["run", "-u", url, "-i", _ctl.Id, .. options, "--", "touch", "ran"]);

    private void AssertSaysHowToRelease(Finished finished, string url)
    {
        Assert.StartsWith("Error: ", finished.ErrorLines[^1], StringComparison.Ordinal);
        Assert.EndsWith($": fleetlockctl unlock-if-held -u {url} -g workers -i '{_ctl.Id}'", finished.ErrorLines[^1], StringComparison.Ordinal);
    }

    private void AssertNotStarted(int exitCode, Finished refused)
    {
        Assert.Equal((exitCode, ""), (refused.ExitCode, refused.Output));
        Assert.StartsWith("Error: ", refused.ErrorLines[^1], StringComparison.Ordinal);
        Assert.Contains("'default'", refused.ErrorLines[^1], StringComparison.Ordinal);
        Assert.False(File.Exists(_ctl.PathOf("ran")));
    }

    [Fact]
    public async Task On_a_server_without_grants_a_command_that_does_not_start_releases_nothing_and_reports_the_slot()
    {
        await using var server = new RawServer(request =>
            request.Line.StartsWith("DELETE", StringComparison.Ordinal) ? RawAnswer.Http(404) : RawAnswer.Http(200));

        var finished = await _ctl.RunAsync("run", "-u", server.Url, "-i", _ctl.Id, "--", "no-such-command-of-fleetlock");

        Assert.Equal(127, finished.ExitCode);
        Assert.DoesNotContain(server.Requests, request => request.Line.Contains("steady-state", StringComparison.Ordinal));
        Assert.EndsWith($"fleetlockctl unlock-if-held -u {server.Url} -g default -i '{_ctl.Id}'", finished.ErrorLines[^1], StringComparison.Ordinal);
    }
}
