using System.Diagnostics;
using System.Globalization;
using FleetLock.TestKit;

namespace FleetLock.Cli.Tests;

/// <summary>A <c>run</c> within a <c>run</c> of the same slot.</summary>
public sealed class RunNestedTests : IDisposable
{
    private readonly Ctl _ctl = new();

    public RunNestedTests()
    {
        Machine.RequireUnix();
        _ctl.WriteScript("ctl", $"#!/bin/sh\nexec {string.Join(' ', Ctl.CommandLine.Select(word => $"'{word}'"))} \"$@\"\n");
    }

    public void Dispose() => _ctl.Dispose();

    [Theory]
    [InlineData("")]
    [InlineData("--wait")]
    public async Task It_runs_under_the_outer_slot(string wait)
    {
        await using var server = await StartServerAsync();

        var outer = await NestAsync(server, $"./ctl run -u {server.Url()} -i {_ctl.Id} {wait} -- sh -c 'echo inner; exit 4' || echo $?");

        Assert.Equal((0, "inner\n4\n"), (outer.ExitCode, outer.Output));
        Assert.Contains("runs under the slot of 'default' that process", outer.Errors, StringComparison.Ordinal);
        Assert.Single(outer.ErrorLines, line => line.Contains("released the slot", StringComparison.Ordinal));
        Assert.Empty(await server.HoldersAsync("default"));
    }

    [Fact]
    public async Task The_slot_is_still_held_after_the_inner_run()
    {
        await using var server = await StartServerAsync();
        var outer = _ctl.Start("run", "-u", server.Url(), "-i", _ctl.Id, "--", "sh", "-c", $"./ctl run -u {server.Url()} -i {_ctl.Id} -- true; echo after; cat >/dev/null");
        await outer.Output.LineAsync("after");

        Assert.Equal([_ctl.Id], await server.HoldersAsync("default"));

        Assert.Equal(0, (await outer.FinishAsync()).ExitCode);
        Assert.Empty(await server.HoldersAsync("default"));
    }

    [Fact]
    public async Task Without_the_variable_it_fails_at_once_and_names_the_outer_run()
    {
        await using var server = await StartServerAsync();

        var outer = await NestAsync(server, $"env -u FLEETLOCK_HELD ./ctl run -u {server.Url()} -i {_ctl.Id} --wait -- touch ran; echo $?; echo $PPID");

        var lines = outer.OutputLines;
        Assert.Equal("75", lines[0]);
        Assert.Contains($"process {lines[1]} (", outer.Errors, StringComparison.Ordinal);
        Assert.False(File.Exists(_ctl.PathOf("ran")));
    }

    [Fact]
    public async Task Another_name_of_the_server_does_not_let_it_wait_for_itself()
    {
        await using var server = await StartServerAsync();

        var outer = await NestAsync(server, $"./ctl run -u http://localhost:{server.Address.Port} -i {_ctl.Id} --wait -- touch ran; echo $?");

        Assert.Equal("75\n", outer.Output);
        Assert.False(File.Exists(_ctl.PathOf("ran")));
    }

    [Fact]
    public async Task The_command_of_an_inner_run_that_is_killed_keeps_the_slot_until_it_ends()
    {
        await using var server = await StartServerAsync();
        var inner = $"./ctl run -u {server.Url()} -i {_ctl.Id} -- sh -c 'echo inner $PPID; cat >/dev/null'";
        var outer = _ctl.Start("run", "-u", server.Url(), "-i", _ctl.Id, "--", "sh", "-c", $"{inner}; true");
        var id = int.Parse((await outer.Output.LineAsync("inner")).Split(' ')[1], CultureInfo.InvariantCulture);

        using (var killed = Process.GetProcessById(id))
            killed.Kill();

        await outer.Errors.LineAsync("still runs under the slot");
        Assert.Equal([_ctl.Id], await server.HoldersAsync("default"));
        Assert.Equal(0, (await outer.FinishAsync()).ExitCode);
        Assert.Empty(await server.HoldersAsync("default"));
    }

    [Fact]
    public async Task It_does_not_wait_for_the_command_that_it_is_in_when_the_outer_run_was_killed()
    {
        await using var server = await StartServerAsync();
        var inner = $"./ctl run -u {server.Url()} -i {_ctl.Id} --wait -- touch ran";
        var outer = _ctl.Start("run", "-u", server.Url(), "-i", _ctl.Id, "--", "sh", "-c", $"echo begun; read line; {inner}; echo ended $?");
        await outer.Output.LineAsync("begun");

        await outer.SignalAsync("KILL");
        await outer.Exited;
        await outer.WriteInputAsync("go\n"u8.ToArray());

        Assert.Equal("ended 75", await outer.Output.LineAsync("ended"));
        Assert.False(File.Exists(_ctl.PathOf("ran")));
    }

    [Theory]
    [InlineData("0123456789abcdef0123456789abcdef")]
    [InlineData("nonsense")]
    public async Task A_stale_variable_is_ignored(string grantId)
    {
        await using var server = await StartServerAsync();
        _ctl.Variables["FLEETLOCK_HELD"] = grantId;

        var finished = await _ctl.RunAsync("run", "-u", server.Url(), "-i", _ctl.Id, "--", "true");

        Assert.Equal(0, finished.ExitCode);
        Assert.Contains("took a slot", finished.ErrorLines[0], StringComparison.Ordinal);
        Assert.Contains("released the slot", finished.ErrorLines[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_variable_of_a_run_that_left_its_slot_is_stale()
    {
        await using var server = await StartServerAsync();
        var kept = await _ctl.RunAsync("run", "-u", server.Url(), "-i", _ctl.Id, "--keep-on-failure", "--", "sh", "-c", "echo $FLEETLOCK_HELD; exit 1");
        _ctl.Variables["FLEETLOCK_HELD"] = kept.Output.Trim();

        Assert.Equal(0, (await _ctl.RunAsync("run", "-u", server.Url(), "-i", _ctl.Id, "--", "true")).ExitCode);

        Assert.Empty(await server.HoldersAsync("default"));
    }

    [Fact]
    public async Task An_inner_run_that_outlives_the_command_delays_the_release()
    {
        await using var server = await StartServerAsync();
        const string Script = """
            mkfifo gate started
            ./ctl run -u URL -i ID -- sh -c 'echo inner; echo >started; read _ <gate' &
            read _ <started
            """;
        var outer = _ctl.Start("run", "-u", server.Url(), "-i", _ctl.Id, "--", "sh", "-c", Fill(Script, server));
        await outer.Output.LineAsync("inner");
        await outer.Errors.LineAsync("still runs under the slot");
        Assert.Equal([_ctl.Id], await server.HoldersAsync("default"));

        // Nothing begins under a slot whose end is near.
        Assert.Equal(75, (await _ctl.RunAsync("run", "-u", server.Url(), "-i", _ctl.Id, "--", "touch", "ran")).ExitCode);
        await File.WriteAllTextAsync(_ctl.PathOf("gate"), "\n", TestContext.Current.CancellationToken);

        Assert.Equal(0, (await outer.FinishAsync()).ExitCode);
        Assert.Empty(await server.HoldersAsync("default"));
    }

    [Fact]
    public async Task An_inner_run_that_outlives_a_killed_outer_one_keeps_others_out()
    {
        await using var server = await StartServerAsync();
        const string Script = """
            mkfifo gate
            exec ./ctl run -u URL -i ID -- sh -c 'echo inner; read _ <gate'
            """;
        var outer = _ctl.Start("run", "-u", server.Url(), "-i", _ctl.Id, "--", "sh", "-c", Fill(Script, server));
        await outer.Output.LineAsync("inner");
        await outer.SignalAsync("KILL");
        await outer.Exited;

        Assert.Equal(75, (await _ctl.RunAsync("run", "-u", server.Url(), "-i", _ctl.Id, "--", "touch", "ran")).ExitCode);
        Assert.Equal([_ctl.Id], await server.HoldersAsync("default"));

        await File.WriteAllTextAsync(_ctl.PathOf("gate"), "\n", TestContext.Current.CancellationToken);
        await outer.FinishAsync();
        Assert.Equal(0, (await _ctl.RunAsync("run", "-u", server.Url(), "-i", _ctl.Id, "--wait", "--", "true")).ExitCode);
        Assert.Empty(await server.HoldersAsync("default"));
    }

    [Fact]
    public async Task An_inner_run_that_fails_does_not_promise_to_keep_the_slot()
    {
        await using var server = await StartServerAsync();

        var outer = await NestAsync(server, $"./ctl run -u {server.Url()} -i {_ctl.Id} --keep-on-failure -- false; true");

        Assert.Equal(0, outer.ExitCode);
        Assert.DoesNotContain("is kept;", outer.Errors, StringComparison.Ordinal);
        Assert.Empty(await server.HoldersAsync("default"));
    }

    [Fact]
    public async Task A_childs_unlock_is_noticed_at_the_end()
    {
        await using var server = await StartServerAsync();

        var outer = await NestAsync(server, $"./ctl unlock-if-held -u {server.Url()} -i {_ctl.Id}");

        Assert.Equal(72, outer.ExitCode);
    }

    private static Task<ServerProcess> StartServerAsync() => ServerProcess.StartListeningAsync("--listen", "http://127.0.0.1:0", "--data", ":memory:");

    private string Fill(string script, ServerProcess server) =>
        script.Replace("URL", server.Url(), StringComparison.Ordinal).Replace(" ID ", $" {_ctl.Id} ", StringComparison.Ordinal);

    private Task<Finished> NestAsync(ServerProcess server, string script) =>
        _ctl.RunAsync("run", "-u", server.Url(), "-i", _ctl.Id, "--", "sh", "-c", script);
}
