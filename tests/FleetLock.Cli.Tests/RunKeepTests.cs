using FleetLock.TestKit;

namespace FleetLock.Cli.Tests;

/// <summary><c>run --keep-on-failure</c>: a command that fails keeps its slot, so that the fleet stops behind a broken machine.</summary>
public sealed class RunKeepTests : IDisposable
{
    private readonly Ctl _ctl = new();

    public RunKeepTests() => Machine.RequireUnix();

    public void Dispose() => _ctl.Dispose();

    [Theory]
    [InlineData("exit 7", 7)]
    [InlineData("exit 75", 75)]
    [InlineData("kill -s TERM $$", 128 + 15)]
    public async Task The_slot_of_a_command_that_failed_is_kept_and_what_is_said_to_release_it_does(string script, int exitCode)
    {
        await using var server = await StartServerAsync();

        var failed = await RunAsync(server, "sh", "-c", script);

        Assert.Equal((exitCode, ""), (failed.ExitCode, failed.Output));
        Assert.Equal([_ctl.Id], await server.HoldersAsync("workers"));
        var line = failed.ErrorLines[^1];
        Assert.Contains($" {exitCode}", line, StringComparison.Ordinal);
        const string Command = ": fleetlockctl ";
        var words = line[(line.IndexOf(Command, StringComparison.Ordinal) + Command.Length)..].Split(' ').Select(word => word.Trim('\''));

        var released = await _ctl.RunAsync(words);

        Assert.Equal((0, "", ""), (released.ExitCode, released.Output, released.Errors));
        Assert.Empty(await server.HoldersAsync("workers"));
    }

    [Fact]
    public async Task The_slot_of_a_command_that_succeeded_is_released()
    {
        await using var server = await StartServerAsync();

        var finished = await RunAsync(server, "echo", "well");

        Assert.Equal((0, "well\n"), (finished.ExitCode, finished.Output));
        Assert.Empty(await server.HoldersAsync("workers"));
    }

    [Fact]
    public async Task The_slot_that_was_kept_lets_no_other_machine_in_and_its_own_again()
    {
        await using var server = await StartServerAsync();
        Assert.Equal(1, (await RunAsync(server, "false")).ExitCode);

        Assert.Equal(75, (await _ctl.RunAsync("run", "-u", server.Url(), "-g", "workers", "-i", _ctl.Id + "-other", "--", "touch", "ran")).ExitCode);
        Assert.Equal(0, (await RunAsync(server, "true")).ExitCode);

        Assert.Empty(await server.HoldersAsync("workers"));
    }

    [Fact]
    public async Task A_command_that_a_signal_to_us_ended_has_failed()
    {
        await using var server = await StartServerAsync();
        var run = _ctl.Start("run", "-u", server.Url(), "-g", "workers", "-i", _ctl.Id, "--keep-on-failure", "--", "sh", "-c", "echo running; read _");
        await run.Output.LineAsync("running");

        await run.SignalAsync("TERM");

        Assert.Equal(128 + 15, (await run.EndAsync()).ExitCode);
        Assert.Equal([_ctl.Id], await server.HoldersAsync("workers"));
    }

    [Fact]
    public async Task A_slot_that_was_never_granted_is_not_kept()
    {
        await using var server = new RawServer(RawAnswer.Reset, RawAnswer.Http(200));

        var refused = await _ctl.RunAsync("run", "-u", server.Url, "-i", _ctl.Id, "--keep-on-failure", "--", "touch", "ran");

        Assert.Equal(69, refused.ExitCode);
        Assert.Equal(["POST /v1/pre-reboot HTTP/1.1", Servers.Undo], server.Lines());
    }

    private static Task<ServerProcess> StartServerAsync() =>
        ServerProcess.StartListeningAsync("--listen", "http://127.0.0.1:0", "--group", "workers=1", "--data", ":memory:");

    private Task<Finished> RunAsync(ServerProcess server, params string[] command) =>
        _ctl.RunAsync(["run", "-u", server.Url(), "-g", "workers", "-i", _ctl.Id, "--keep-on-failure", "--", .. command]);
}
