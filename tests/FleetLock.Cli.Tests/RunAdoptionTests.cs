using System.Text.Json;
using FleetLock.TestKit;

namespace FleetLock.Cli.Tests;

/// <summary>What the end of a <c>run</c> releases: its own grant, and what an earlier run of this machine has left, and nothing else.</summary>
public sealed class RunAdoptionTests : IDisposable
{
    private const string Lock = "POST /v1/pre-reboot HTTP/1.1";
    private const string UntilInputEnds = "echo running; cat >/dev/null";

    private readonly Ctl _ctl = new();

    public RunAdoptionTests() => Machine.RequireUnix();

    public void Dispose() => _ctl.Dispose();

    [Fact]
    public async Task A_slot_that_the_id_held_before_is_kept_and_said_to_be()
    {
        await using var server = await StartServerAsync();
        Assert.Equal(0, (await _ctl.RunAsync("recursive-lock", "-u", server.Url(), "-i", _ctl.Id)).ExitCode);

        var finished = await RunAsync(server.Url(), "true");

        Assert.Equal(0, finished.ExitCode);
        Assert.Equal([_ctl.Id], await server.HoldersAsync("default"));
        Assert.Contains($"'{_ctl.Id}' held the slot of 'default'", finished.ErrorLines[0], StringComparison.Ordinal);
        Assert.Contains("stays held", finished.ErrorLines[1], StringComparison.Ordinal);
        Assert.EndsWith($"fleetlockctl unlock-if-held -u {server.Url()} -g default -i '{_ctl.Id}'", finished.ErrorLines[1], StringComparison.Ordinal);
        Assert.DoesNotContain("released", finished.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_slot_that_another_lock_came_to_share_is_kept_and_said_to_be()
    {
        await using var server = await StartServerAsync();
        var run = await StartAsync(server.Url());
        Assert.Equal(0, (await _ctl.RunAsync("recursive-lock", "-u", server.Url(), "-i", _ctl.Id)).ExitCode);

        var finished = await run.FinishAsync();

        Assert.Equal(0, finished.ExitCode);
        Assert.Equal([_ctl.Id], await server.HoldersAsync("default"));
        Assert.Contains("stays held", finished.ErrorLines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_slot_that_was_freed_meanwhile_is_lost()
    {
        await using var server = await StartServerAsync();

        // As a command does that a Go tool's user wraps in run.
        var run = await StartAsync(server.Url());
        Assert.Equal(0, (await _ctl.RunAsync("unlock-if-held", "-u", server.Url(), "-i", _ctl.Id)).ExitCode);
        var finished = await run.FinishAsync();

        Assert.Equal(72, finished.ExitCode);
        Assert.Contains("was lost", finished.ErrorLines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_slot_that_was_lost_does_not_hide_the_commands_own_failure()
    {
        await using var server = await StartServerAsync();
        var run = _ctl.Start("run", "-u", server.Url(), "-i", _ctl.Id, "--", "sh", "-c", UntilInputEnds + "; exit 5");
        await run.Output.LineAsync("running");
        Assert.Equal(0, (await _ctl.RunAsync("unlock-if-held", "-u", server.Url(), "-i", _ctl.Id)).ExitCode);

        Assert.Equal(5, (await run.FinishAsync()).ExitCode);
    }

    [Fact]
    public async Task A_slot_that_keep_on_failure_left_is_adopted_and_released()
    {
        await using var server = await StartServerAsync();
        Assert.Equal(3, (await _ctl.RunAsync("run", "-u", server.Url(), "-i", _ctl.Id, "--keep-on-failure", "--", "sh", "-c", "exit 3")).ExitCode);

        var next = await RunAsync(server.Url(), "true");

        Assert.Equal(0, next.ExitCode);
        Assert.Contains("that an earlier run has left", next.ErrorLines[0], StringComparison.Ordinal);
        Assert.Empty(await server.HoldersAsync("default"));
    }

    [Fact]
    public async Task A_slot_that_was_left_stays_when_the_next_command_cannot_be_started()
    {
        await using var server = await StartServerAsync();
        Assert.Equal(3, (await _ctl.RunAsync("run", "-u", server.Url(), "-i", _ctl.Id, "--keep-on-failure", "--", "sh", "-c", "exit 3")).ExitCode);

        var next = await RunAsync(server.Url(), "no-such-command-of-fleetlock");

        Assert.Equal(127, next.ExitCode);
        Assert.Equal([_ctl.Id], await server.HoldersAsync("default"));
        Assert.Contains("as the earlier run has left it", next.ErrorLines[^1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("127.0.0.1", "localhost")]
    [InlineData("localhost", "127.0.0.1")]
    public async Task A_second_run_is_refused_and_a_killed_one_adopted_whatever_the_server_is_called(string first, string second)
    {
        await using var server = await StartServerAsync();
        var run = await StartAsync(Named(server, first));

        var refused = await RunAsync(Named(server, second), "touch", "ran");

        Assert.Equal(75, refused.ExitCode);
        Assert.Contains($"process {run.Id} (", refused.Errors, StringComparison.Ordinal);
        Assert.False(File.Exists(_ctl.PathOf("ran")));
        await run.SignalAsync("KILL");
        await run.FinishAsync();

        Assert.Equal(0, (await RunAsync(Named(server, second), "true", "--wait")).ExitCode);
        Assert.Empty(await server.HoldersAsync("default"));
    }

    [Fact]
    public async Task The_command_of_a_killed_run_is_waited_for_and_its_slot_adopted()
    {
        await using var server = await StartServerAsync();
        var killed = _ctl.Start("run", "-u", server.Url(), "-i", _ctl.Id, "--", "sh", "-c", "echo running $$; cat >/dev/null; echo first >>order");
        await killed.Output.LineAsync("running");
        var command = killed.Output.Text.Trim().Split(' ')[1];
        await _ctl.CommandNotedAsync();
        await killed.SignalAsync("KILL");
        await killed.Exited;

        var refused = await RunAsync(server.Url(), "touch", "ran");
        Assert.Equal((75, ""), (refused.ExitCode, refused.Output));
        Assert.Contains($"process {command} (", refused.Errors, StringComparison.Ordinal);

        var waiting = _ctl.Start("run", "-u", server.Url(), "-i", _ctl.Id, "--wait", "--", "sh", "-c", "echo second >>order");
        await waiting.Errors.LineAsync("fleetlockctl: waiting for a slot of 'default': ");
        await killed.FinishAsync();

        Assert.Equal(0, (await waiting.FinishAsync()).ExitCode);
        Assert.Equal("first\nsecond\n", File.ReadAllText(_ctl.PathOf("order")));
        Assert.Empty(await server.HoldersAsync("default"));
    }

    [Fact]
    public async Task A_run_that_is_killed_while_it_asks_leaves_its_grant_id_to_the_next()
    {
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new RawServer(_ => asked.TrySetResult() ? RawAnswer.Never : RawAnswer.Http(200));
        var killed = _ctl.Start("run", "-u", server.Url, "-i", _ctl.Id, "--", "true");
        await asked.Task.WaitAsync(TestTimeout.Hang, TestContext.Current.CancellationToken);
        await killed.SignalAsync("KILL");
        await killed.FinishAsync();

        Assert.Equal(0, (await RunAsync(server.Url, "true")).ExitCode);

        Assert.NotNull(server.Requests[0].Header("FleetLock-Grant"));
        Assert.Equal(server.Requests[0].Header("FleetLock-Grant"), server.Requests[1].Header("FleetLock-Grant"));
    }

    [Fact]
    public async Task A_run_that_is_killed_after_its_release_leaves_a_cancelled_grant_and_the_next_gets_a_fresh_one()
    {
        await using var server = await StartServerAsync();
        var released = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var silent = new RawServer(request => request.Line == Lock ? Servers.Forward(server, request) : ForwardAndKeep(server, request, released));
        var killed = _ctl.Start("run", "-u", silent.Url, "-i", _ctl.Id, "--", "true");
        await released.Task.WaitAsync(TestTimeout.Hang, TestContext.Current.CancellationToken);
        await killed.SignalAsync("KILL");
        await killed.FinishAsync();
        Assert.Empty(await server.HoldersAsync("default"));

        var next = await RunAsync(server.Url(), "true");

        Assert.Equal(0, next.ExitCode);
        Assert.Contains("took a slot", next.ErrorLines[0], StringComparison.Ordinal);
        Assert.Empty(await server.HoldersAsync("default"));
    }

    [Fact]
    public async Task A_release_that_fails_is_74_and_the_next_run_releases_the_slot()
    {
        await using var server = await StartServerAsync();
        await using var lossy = new RawServer(request => request.Line == Lock ? Servers.Forward(server, request) : RawAnswer.Http(503));

        var failed = await _ctl.RunAsync("run", "-u", lossy.Url, "-i", _ctl.Id, "--release-timeout", "0", "--", "true");

        Assert.Equal(74, failed.ExitCode);
        Assert.Contains("is not released", failed.ErrorLines[^1], StringComparison.Ordinal);
        Assert.Equal([_ctl.Id], await server.HoldersAsync("default"));
        Assert.Equal(0, (await RunAsync(server.Url(), "true")).ExitCode);
        Assert.Empty(await server.HoldersAsync("default"));
    }

    [Fact]
    public async Task A_release_that_fails_does_not_hide_the_commands_own_failure()
    {
        await using var server = new RawServer(RawAnswer.Http(200), RawAnswer.Http(503));

        var failed = await _ctl.RunAsync("run", "-u", server.Url, "-i", _ctl.Id, "--release-timeout", "0", "--", "sh", "-c", "exit 5");

        Assert.Equal(5, failed.ExitCode);
    }

    [Theory]
    [InlineData("-1")]
    [InlineData("1e9")]
    [InlineData("soon")]
    public async Task A_bad_release_time_out_is_bad_usage(string value)
    {
        var refused = await _ctl.RunAsync("run", "--embedded", "-i", _ctl.Id, "--release-timeout", value, "--", "touch", "ran");

        Assert.Equal(64, refused.ExitCode);
        Assert.Contains("--release-timeout", refused.Errors, StringComparison.Ordinal);
        Assert.False(File.Exists(_ctl.PathOf("ran")));
    }

    [Fact]
    public async Task A_command_that_cannot_be_noted_is_not_started()
    {
        var id = new TaskCompletionSource<int>();
        await using var server = new RawServer(request =>
        {
            // A folder where the next note is written first, as a full disk would be in the way.
            if (request.Line == Lock)
                Directory.CreateDirectory($"{Directory.GetFiles(_ctl.PathOf("runs"), "*.note").Single()}.{id.Task.Result}.new");
            return RawAnswer.Http(200);
        });
        var run = _ctl.Start("run", "-u", server.Url, "-i", _ctl.Id, "--", "touch", "ran");
        id.SetResult(run.Id);

        var finished = await run.FinishAsync();

        Assert.Equal(69, finished.ExitCode);
        Assert.Contains(".note", finished.ErrorLines[^1], StringComparison.Ordinal);
        Assert.False(File.Exists(_ctl.PathOf("ran")));
        Assert.DoesNotContain(server.Requests, request => request.Line.Contains("steady-state", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Without_grants_the_end_is_steady_state()
    {
        await using var server = new RawServer(RawAnswer.Http(200));

        Assert.Equal(0, (await RunAsync(server.Url, "true")).ExitCode);

        Assert.Equal([Lock, "POST /v1/steady-state HTTP/1.1"], server.Requests.Select(request => request.Line));
    }

    [Fact]
    public async Task The_note_of_a_run_that_has_ended_well_is_gone()
    {
        await using var server = await StartServerAsync();
        var run = await StartAsync(server.Url());
        await _ctl.CommandNotedAsync();
        using (var note = JsonDocument.Parse(File.ReadAllText(Directory.GetFiles(_ctl.PathOf("runs"), "*.note").Single())))
        {
            Assert.Equal(run.Id, note.RootElement.GetProperty("process").GetProperty("id").GetInt32());
            Assert.NotEqual(run.Id, note.RootElement.GetProperty("command").GetProperty("id").GetInt32());
        }

        Assert.Equal(0, (await run.FinishAsync()).ExitCode);

        Assert.Equal([".lock"], Directory.GetFiles(_ctl.PathOf("runs")).Select(Path.GetExtension));
    }

    private static Task<ServerProcess> StartServerAsync() => ServerProcess.StartListeningAsync("--listen", "http://127.0.0.1:0", "--data", ":memory:");

    private static string Named(ServerProcess server, string host) => $"http://{host}:{server.Address.Port}";

    private static RawAnswer ForwardAndKeep(ServerProcess server, RawRequest request, TaskCompletionSource released)
    {
        Servers.Forward(server, request);
        released.TrySetResult();
        return RawAnswer.Never;
    }

    private async Task<CtlProcess> StartAsync(string url)
    {
        var run = _ctl.Start("run", "-u", url, "-i", _ctl.Id, "--", "sh", "-c", UntilInputEnds);
        await run.Output.LineAsync("running");
        return run;
    }

    private Task<Finished> RunAsync(string url, string command, params string[] rest) => rest is ["--wait"]
        ? _ctl.RunAsync("run", "-u", url, "-i", _ctl.Id, "--wait", "--", command)
        : _ctl.RunAsync(["run", "-u", url, "-i", _ctl.Id, "--", command, .. rest]);
}
