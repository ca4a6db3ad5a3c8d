using FleetLock.TestKit;

namespace FleetLock.Cli.Tests;

/// <summary>Runs that want the same slot, on one machine and on several.</summary>
public sealed class RunContentionTests : IDisposable
{
    /// <summary>Says that it runs, and goes on until its standard input ends.</summary>
    private const string UntilInputEnds = "echo running; cat >/dev/null";

    private readonly Ctl _ctl = new();

    public RunContentionTests() => Machine.RequireUnix();

    public void Dispose() => _ctl.Dispose();

    [Fact]
    public async Task A_second_copy_on_this_machine_is_refused_and_told_which_process_has_it()
    {
        var first = await StartAsync("--embedded", "-i", _ctl.Id);

        var second = await _ctl.RunAsync("run", "--embedded", "-i", _ctl.Id, "--", "touch", "ran");

        AssertNotStarted(75, second);
        Assert.Contains($"process {first.Id} (", second.Errors, StringComparison.Ordinal);
        Assert.Contains("(client_run_held)", second.Errors, StringComparison.Ordinal);
        Assert.Equal(0, (await first.FinishAsync()).ExitCode);
    }

    [Fact]
    public async Task A_second_copy_is_refused_before_the_server_is_asked()
    {
        await using var server = new RawServer(RawAnswer.Http(200));
        var first = await StartAsync("-u", server.Url, "-i", _ctl.Id);

        // The same server, however it is spelled.
        var second = await _ctl.RunAsync("run", "-u", server.Url + "/", "-i", _ctl.Id, "--", "touch", "ran");

        AssertNotStarted(75, second);
        Assert.Contains($"process {first.Id} (", second.Errors, StringComparison.Ordinal);
        Assert.Single(server.Requests);
        Assert.Equal(0, (await first.FinishAsync()).ExitCode);
    }

    [Fact]
    public async Task Runs_that_begin_at_once_on_a_new_data_file_all_get_their_slots()
    {
        var runs = Enumerable.Range(1, 4).Select(i => _ctl.Start("run", "--embedded", "--slots", "4", "-i", $"{_ctl.Id}-{i}", "--", "true")).ToList();

        foreach (var run in runs)
        {
            var finished = await run.FinishAsync();
            Assert.True(finished.ExitCode == 0, finished.Errors);
        }
    }

    [Fact]
    public async Task A_second_copy_that_names_the_data_file_by_a_symbolic_link_is_refused()
    {
        var first = await StartAsync("--embedded", "-i", _ctl.Id);
        File.CreateSymbolicLink(_ctl.PathOf("link.db"), _ctl.PathOf("embedded.db"));

        var second = await _ctl.RunAsync("run", "--embedded", "--data", "link.db", "-i", _ctl.Id, "--", "touch", "ran");

        AssertNotStarted(75, second);
        Assert.Equal(0, (await first.FinishAsync()).ExitCode);
    }

    [Theory]
    [InlineData("--wait")]
    [InlineData("--wait-timeout", "600")]
    public async Task A_second_copy_that_waits_runs_after_the_first_has_ended(params string[] wait)
    {
        var first = _ctl.Start("run", "--embedded", "-i", _ctl.Id, "--", "sh", "-c", $"{UntilInputEnds}; echo first >>order");
        await first.Output.LineAsync("running");

        var second = _ctl.Start(["run", "--embedded", "-i", _ctl.Id, .. wait, "--", "sh", "-c", "echo second >>order"]);
        var waiting = await second.Errors.LineAsync("fleetlockctl: waiting for a slot of 'default': ");
        Assert.Contains($"process {first.Id} (", waiting, StringComparison.Ordinal);

        Assert.Equal(0, (await first.FinishAsync()).ExitCode);
        Assert.Equal(0, (await second.FinishAsync()).ExitCode);
        Assert.Equal("first\nsecond\n", File.ReadAllText(_ctl.PathOf("order")));
    }

    [Fact]
    public async Task A_wait_on_a_server_ends_when_the_other_machine_releases()
    {
        await using var server = await ServerProcess.StartListeningAsync("--listen", "http://127.0.0.1:0", "--data", ":memory:");
        var first = _ctl.Start("run", "-u", server.Url(), "-i", _ctl.Id, "--", "sh", "-c", $"{UntilInputEnds}; echo first >>order");
        await first.Output.LineAsync("running");

        var second = _ctl.Start("run", "-u", server.Url(), "-i", _ctl.Id + "-other", "--wait", "--", "sh", "-c", "echo second >>order");
        await second.Errors.LineAsync("fleetlockctl: waiting for a slot of 'default': all 1 semaphore slots currently locked");

        Assert.Equal(0, (await first.FinishAsync()).ExitCode);
        Assert.Equal(0, (await second.FinishAsync()).ExitCode);
        Assert.Equal("first\nsecond\n", File.ReadAllText(_ctl.PathOf("order")));
        Assert.Empty(await server.HoldersAsync("default"));
    }

    [Fact]
    public async Task A_wait_ends_at_its_time_out()
    {
        var first = await StartAsync("--embedded", "-i", _ctl.Id);

        var second = await _ctl.RunAsync("run", "--embedded", "-i", _ctl.Id, "--wait-timeout", "0.5", "--", "touch", "ran");

        AssertNotStarted(75, second);
        Assert.Contains($"process {first.Id} (", second.Errors, StringComparison.Ordinal);
        Assert.Equal(0, (await first.FinishAsync()).ExitCode);
    }

    [Fact]
    public async Task Two_slots_let_two_runs_of_this_machine_in_and_no_third()
    {
        var machine = Machine.RequireNodeId();
        var first = await StartAsync("--embedded", "--slots", "2");
        var second = await StartAsync("--embedded", "--slots", "2");

        var third = await _ctl.RunAsync("run", "--embedded", "--slots", "2", "--", "touch", "ran");

        AssertNotStarted(75, third);
        Assert.Contains($" as {machine} at ", (await first.FinishAsync()).Errors, StringComparison.Ordinal);
        Assert.Contains($" as {machine}-2 at ", (await second.FinishAsync()).Errors, StringComparison.Ordinal);
        Assert.Equal(0, (await _ctl.RunAsync("run", "--embedded", "--slots", "2", "--", "true")).ExitCode);
    }

    [Fact]
    public async Task A_named_id_is_one_run_however_many_slots_there_are()
    {
        var first = await StartAsync("--embedded", "--slots", "2", "-i", _ctl.Id);

        AssertNotStarted(75, await _ctl.RunAsync("run", "--embedded", "--slots", "2", "-i", _ctl.Id, "--", "touch", "ran"));

        Assert.Equal(0, (await first.FinishAsync()).ExitCode);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Another_id_is_refused_by_the_semaphore(bool embedded)
    {
        await using var server = await ServerProcess.StartListeningAsync("--listen", "http://127.0.0.1:0", "--data", ":memory:");
        string[] where = embedded ? ["--embedded"] : ["-u", server.Url()];
        var first = await StartAsync([.. where, "-i", _ctl.Id]);

        var second = await _ctl.RunAsync(["run", .. where, "-i", _ctl.Id + "-other", "--", "touch", "ran"]);

        AssertNotStarted(75, second);
        Assert.Contains("(failed_lock_semaphore_full)", second.Errors, StringComparison.Ordinal);
        Assert.Equal(0, (await first.FinishAsync()).ExitCode);
    }

    [Fact]
    public async Task Groups_do_not_hinder_each_other()
    {
        var first = await StartAsync("--embedded", "-g", "workers", "-i", _ctl.Id);

        Assert.Equal(0, (await _ctl.RunAsync("run", "--embedded", "-g", "controllers", "-i", _ctl.Id, "--", "true")).ExitCode);

        Assert.Equal(0, (await first.FinishAsync()).ExitCode);
    }

    private async Task<CtlProcess> StartAsync(params string[] options)
    {
        var run = _ctl.Start(["run", .. options, "--", "sh", "-c", UntilInputEnds]);
        await run.Output.LineAsync("running");
        return run;
    }

    private void AssertNotStarted(int exitCode, Finished refused)
    {
        Assert.Equal((exitCode, ""), (refused.ExitCode, refused.Output));
        Assert.False(File.Exists(_ctl.PathOf("ran")));
    }
}
