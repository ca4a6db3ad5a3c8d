using System.Text.RegularExpressions;
using FleetLock.TestKit;

namespace FleetLock.Cli.Tests;

/// <summary><c>run --wait</c>: what it says while it waits, what it outlasts, and what it gives up on.</summary>
public sealed class RunWaitTests : IDisposable
{
    private const string Lock = "POST /v1/pre-reboot HTTP/1.1";
    private const string Unlock = "POST /v1/steady-state HTTP/1.1";
    private const string List = "GET /v1/groups HTTP/1.1";
    private const string Waiting = "fleetlockctl: waiting for a slot of ";
    private const string Full = """{"kind":"failed_lock_semaphore_full","value":"all 1 semaphore slots currently locked"}""";

    private readonly Ctl _ctl = new();

    public RunWaitTests() => Machine.RequireUnix();

    public void Dispose() => _ctl.Dispose();

    [Fact]
    public async Task Who_holds_the_slot_is_said_once_however_often_it_is_asked_for()
    {
        var (asked, isSaid) = (0, false);
        await using var server = new RawServer(request => request.Line switch
        {
            List => RawAnswer.Http(200, """{"groups":[{"group":"default","slots":1,"free":0,"holders":[{"id":"another-machine","since":"2026-03-01T12:00:00+00:00"}]}]}"""),
            Lock when Interlocked.Increment(ref asked) < 4 || !Volatile.Read(ref isSaid) => RawAnswer.Http(409, Full),
            _ => RawAnswer.Http(200),
        });

        var run = _ctl.Start("run", "-u", server.Url, "-i", _ctl.Id, "--wait", "--retry-interval", "1", "--", "touch", "ran");
        await run.Errors.LineAsync(Waiting);
        Volatile.Write(ref isSaid, true);
        var finished = await run.FinishAsync();

        Assert.Equal(0, finished.ExitCode);
        Assert.Equal(
            [
                $"{Waiting}'default': all 1 semaphore slots currently locked; held by another-machine",
                $"fleetlockctl: took a slot of 'default' as {_ctl.Id} at {server.Url}",
                "fleetlockctl: released the slot of 'default'",
            ],
            finished.ErrorLines);
        Assert.InRange(server.Requests.Count(request => request.Line == Lock), 4, int.MaxValue);
        Assert.Single(server.Requests, request => request.Line == List);
    }

    [Fact]
    public async Task A_list_of_holders_that_does_not_come_does_not_hold_up_the_news_beyond_the_wait()
    {
        var asked = 0;
        await using var server = new RawServer(request => request.Line switch
        {
            List => RawAnswer.Never,
            Lock when Interlocked.Increment(ref asked) == 1 => RawAnswer.Http(409, Full),
            _ => RawAnswer.Http(200),
        });

        var finished = await RunAsync(server.Url, "--wait");

        Assert.Equal(
            [
                $"{Waiting}'default': all 1 semaphore slots currently locked",
                $"fleetlockctl: took a slot of 'default' as {_ctl.Id} at {server.Url}",
                "fleetlockctl: released the slot of 'default'",
            ],
            finished.ErrorLines);
    }

    [Fact]
    public async Task A_real_server_tells_who_holds_the_slot_and_gives_it_as_soon_as_it_is_free()
    {
        await using var server = await ServerProcess.StartListeningAsync("--listen", "http://127.0.0.1:0", "--group", "workers=1", "--data", ":memory:");
        string[] workers = ["-u", server.Url(), "-g", "workers"];
        Assert.Equal(0, (await _ctl.RunAsync(["recursive-lock", .. workers, "-i", "another-machine"])).ExitCode);
        var run = _ctl.Start(["run", .. workers, "-i", _ctl.Id, "--wait", "--retry-interval", "1", "--", "touch", "ran"]);
        Assert.Equal($"{Waiting}'workers': all 1 semaphore slots currently locked; held by another-machine", await run.Errors.LineAsync(Waiting));

        Assert.Equal(0, (await _ctl.RunAsync(["unlock-if-held", .. workers, "-i", "another-machine"])).ExitCode);
        var finished = await run.FinishAsync();

        Assert.Equal(0, finished.ExitCode);
        Assert.Single(finished.ErrorLines, line => line.StartsWith(Waiting, StringComparison.Ordinal));
        Assert.True(File.Exists(_ctl.PathOf("ran")));
        Assert.Empty(await server.HoldersAsync("workers"));
    }

    [Fact]
    public async Task A_server_that_is_away_for_a_while_is_outlasted_and_that_is_said_once()
    {
        var away = RawAnswer.Http(502, "<html>Bad gateway</html>");
        await using var server = new RawServer(away, away, away, RawAnswer.Http(200));

        var finished = await RunAsync(server.Url, "--wait", "--retry-interval", "1");

        Assert.Equal(0, finished.ExitCode);
        Assert.Single(finished.ErrorLines, line => line.StartsWith(Waiting, StringComparison.Ordinal));
        Assert.Equal([Lock, Lock, Lock, Lock, Unlock], server.Requests.Select(request => request.Line));
        Assert.True(File.Exists(_ctl.PathOf("ran")));
    }

    [Fact]
    public async Task A_lost_answer_is_outlasted_too()
    {
        await using var server = new RawServer(RawAnswer.Reset, RawAnswer.Http(200));

        var finished = await RunAsync(server.Url, "--wait");

        Assert.Equal(0, finished.ExitCode);
        Assert.Equal([Lock, Lock, Unlock], server.Requests.Select(request => request.Line));
    }

    [Theory]
    [InlineData(400, """{"kind":"unknown_group","value":"no such group"}""", 77)]
    [InlineData(401, "<html>Please log in</html>", 77)]
    [InlineData(404, "<html>Not found</html>", 76)]
    [InlineData(201, "", 76)]
    public async Task What_waiting_cannot_cure_is_given_up_on_at_once(int status, string body, int exitCode)
    {
        await using var server = new RawServer(RawAnswer.Http(status, body));

        var refused = await RunAsync(server.Url, "--wait");

        AssertNotStarted(exitCode, refused);
        Assert.DoesNotContain(refused.ErrorLines, line => line.StartsWith(Waiting, StringComparison.Ordinal));
        Assert.Equal(status == 201 ? [Lock, Servers.Undo] : [Lock], server.Lines());
    }

    [Fact]
    public async Task A_group_that_a_real_server_does_not_have_is_given_up_on_at_once()
    {
        await using var server = await ServerProcess.StartListeningAsync("--listen", "http://127.0.0.1:0", "--group", "workers=1", "--data", ":memory:");

        AssertNotStarted(77, await RunAsync(server.Url(), "-g", "unheard-of", "--wait"));
    }

    [Fact]
    public async Task A_wait_whose_lost_answer_may_have_been_a_grant_is_undone_when_it_gives_up()
    {
        await using var server = new RawServer(RawAnswer.Reset, RawAnswer.Http(401), RawAnswer.Http(200));

        AssertNotStarted(77, await RunAsync(server.Url, "--wait", "--retry-interval", "1"));

        Assert.Equal([Lock, Lock, Servers.Undo], server.Lines());
    }

    [Fact]
    public async Task The_time_out_of_a_wait_ends_it_and_not_before()
    {
        await using var server = new RawServer(request => request.Line == List ? RawAnswer.Http(404) : RawAnswer.Http(409, Full));

        var refused = await RunAsync(server.Url, "--wait-timeout", "2", "--retry-interval", "1");

        AssertNotStarted(75, refused);
        var message = Regex.Match(refused.Errors, @"no slot within (\d+) s; the last answer was: all 1 semaphore slots currently locked");
        Assert.True(message.Success, refused.Errors);
        Assert.InRange(int.Parse(message.Groups[1].Value, null), 2, int.MaxValue);

        // Three, where the machine is not too busy for them; SlotWaiterTests count on a clock of their own.
        Assert.InRange(server.Requests.Count(request => request.Line == Lock), 1, 3);
    }

    [Fact]
    public async Task A_signal_while_the_server_holds_the_request_undoes_it()
    {
        var asked = 0;
        var held = new TaskCompletionSource();
        await using var server = new RawServer(request =>
        {
            if (request.Line != Lock)
                return request.Line == List ? RawAnswer.Http(404) : RawAnswer.Http(200);
            if (Interlocked.Increment(ref asked) == 1)
                return RawAnswer.Http(409, Full);
            held.TrySetResult();
            return RawAnswer.Never;
        });
        var run = _ctl.Start("run", "-u", server.Url, "-i", _ctl.Id, "--wait", "--", "touch", "ran");
        await held.Task.WaitAsync(TestTimeout.Hang, TestContext.Current.CancellationToken);

        await run.SignalAsync("TERM");
        var interrupted = await run.EndAsync();

        Assert.Equal((130, ""), (interrupted.ExitCode, interrupted.Output));
        Assert.Equal("wait=30", server.Requests.Last(request => request.Line == Lock).Header("Prefer"));
        Assert.EndsWith("&reason=undo HTTP/1.1", server.Requests[^1].Line, StringComparison.Ordinal);
        Assert.False(File.Exists(_ctl.PathOf("ran")));
    }

    private Task<Finished> RunAsync(string url, params string[] options) =>
        _ctl.RunAsync(["run", "-u", url, "-i", _ctl.Id, .. options, "--", "touch", "ran"]);

    private void AssertNotStarted(int exitCode, Finished refused)
    {
        Assert.Equal((exitCode, ""), (refused.ExitCode, refused.Output));
        Assert.False(File.Exists(_ctl.PathOf("ran")));
    }
}
