using FleetLock.TestKit;

namespace FleetLock.Cli.Tests;

/// <summary>Signals reach the command, whatever they do to <c>run</c>: the slot is released after the command has ended, and not before.</summary>
public sealed class RunSignalTests : IDisposable
{
    /// <summary>Says which signal it got, and then takes its time: until its standard input ends.</summary>
    private const string TellsSignals = """
        for signal in TERM INT HUP QUIT USR1 USR2; do trap "echo got $signal; read _; exit 3" $signal; done
        echo running
        while :; do sleep 0.05; done
        """;

    private readonly Ctl _ctl = new();

    public RunSignalTests() => Machine.RequireUnix();

    public void Dispose() => _ctl.Dispose();

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    [InlineData("HUP")]
    [InlineData("QUIT")]
    [InlineData("USR1")]
    [InlineData("USR2")]
    public async Task A_signal_reaches_the_command_and_the_slot_is_held_until_that_has_ended(string signal)
    {
        await using var server = await StartServerAsync();
        var run = _ctl.Start("run", "-u", server.Url(), "-i", _ctl.Id, "--", "sh", "-c", TellsSignals);
        await run.Output.LineAsync("running");

        await run.SignalAsync(signal);

        await run.Output.LineAsync("got " + signal);
        Assert.Equal([_ctl.Id], await server.HoldersAsync("default"));
        Assert.False(run.Exited.IsCompleted);

        Assert.Equal(3, (await run.FinishAsync()).ExitCode);
        Assert.Empty(await server.HoldersAsync("default"));
    }

    [Fact]
    public async Task A_signal_that_comes_while_the_command_starts_is_passed_on_as_it_is()
    {
        // Nobody can signal earlier than the command itself.
        const string Script = """
            trap 'echo got USR1; exit 3' USR1
            trap 'echo got TERM; exit 4' TERM
            kill -s USR1 $PPID
            while :; do sleep 0.05; done
            """;

        for (var time = 0; time < 5; time++)
        {
            var finished = await _ctl.RunAsync("run", "--embedded", "-i", _ctl.Id, "--", "sh", "-c", Script);
            Assert.Equal((3, "got USR1\n"), (finished.ExitCode, finished.Output));
        }
    }

    [Fact]
    public async Task A_command_that_a_signal_ends_gives_its_exit_code_and_its_slot_back()
    {
        await using var server = await StartServerAsync();
        var run = _ctl.Start("run", "-u", server.Url(), "-i", _ctl.Id, "--", "sh", "-c", "echo running; read _");
        await run.Output.LineAsync("running");

        await run.SignalAsync("TERM");

        Assert.Equal(128 + 15, (await run.EndAsync()).ExitCode);
        Assert.Empty(await server.HoldersAsync("default"));
    }

    [Fact]
    public async Task A_signal_ends_the_wait_for_the_server_and_nothing_is_held()
    {
        await using var server = await StartServerAsync();
        Assert.Equal(0, (await _ctl.RunAsync("recursive-lock", "-u", server.Url(), "-i", "other")).ExitCode);
        var run = _ctl.Start("run", "-u", server.Url(), "-i", _ctl.Id, "--wait", "--", "touch", "ran");
        await run.Errors.LineAsync("waiting for a slot");

        await run.SignalAsync("TERM");

        AssertInterrupted(await run.EndAsync());
        Assert.Equal(["other"], await server.HoldersAsync("default"));
    }

    [Fact]
    public async Task A_signal_ends_the_wait_for_another_run_and_the_server_is_not_asked()
    {
        await using var server = new RawServer(RawAnswer.Http(200));
        var first = _ctl.Start("run", "-u", server.Url, "-i", _ctl.Id, "--", "sh", "-c", "echo running; cat >/dev/null");
        await first.Output.LineAsync("running");
        var second = _ctl.Start("run", "-u", server.Url, "-i", _ctl.Id, "--wait", "--", "touch", "ran");
        await second.Errors.LineAsync("waiting for a slot");

        await second.SignalAsync("INT");

        AssertInterrupted(await second.EndAsync());
        Assert.Single(server.Requests);
        Assert.Equal(0, (await first.FinishAsync()).ExitCode);
    }

    [Fact]
    public async Task A_request_that_a_signal_cut_short_is_undone()
    {
        await using var server = new RawServer(RawAnswer.Never, RawAnswer.Http(200));
        var run = _ctl.Start("run", "-u", server.Url, "-i", _ctl.Id, "--", "touch", "ran");
        await server.Asked.WaitAsync(TestTimeout.Hang, TestContext.Current.CancellationToken);

        await run.SignalAsync("TERM");

        AssertInterrupted(await run.EndAsync());
        Assert.Equal(["POST /v1/pre-reboot HTTP/1.1", Servers.Undo], server.Lines());
    }

    [Fact]
    public async Task A_killed_run_leaves_the_slot_to_its_id_and_the_next_run_adopts_it_when_the_command_has_ended()
    {
        await using var server = await StartServerAsync();
        string[] run = ["run", "-u", server.Url(), "-i", _ctl.Id, "--"];
        var killed = _ctl.Start([.. run, "sh", "-c", "echo running; read _; echo orphan"]);
        await killed.Output.LineAsync("running");
        await _ctl.CommandNotedAsync();

        await killed.SignalAsync("KILL");
        await killed.Exited.WaitAsync(TestTimeout.Hang, TestContext.Current.CancellationToken);

        Assert.Equal([_ctl.Id], await server.HoldersAsync("default"));
        Assert.Equal(75, (await _ctl.RunAsync("run", "-u", server.Url(), "-i", _ctl.Id + "-other", "--", "touch", "ran")).ExitCode);

        Assert.Equal(75, (await _ctl.RunAsync([.. run, "touch", "ran"])).ExitCode);
        Assert.Equal("running\norphan\n", (await killed.FinishAsync()).Output);

        var next = await _ctl.RunAsync(["run", "-u", server.Url(), "-i", _ctl.Id, "--wait", "--", "echo", "again"]);

        Assert.Equal((0, "again\n"), (next.ExitCode, next.Output));
        Assert.Empty(await server.HoldersAsync("default"));
    }

    private static Task<ServerProcess> StartServerAsync() => ServerProcess.StartListeningAsync("--listen", "http://127.0.0.1:0", "--data", ":memory:");

    private void AssertInterrupted(Finished finished)
    {
        Assert.Equal((130, ""), (finished.ExitCode, finished.Output));
        Assert.StartsWith("Error: ", finished.ErrorLines[^1], StringComparison.Ordinal);
        Assert.False(File.Exists(_ctl.PathOf("ran")));
    }
}
