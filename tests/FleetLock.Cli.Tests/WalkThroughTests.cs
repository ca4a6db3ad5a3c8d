using FleetLock.TestKit;

namespace FleetLock.Cli.Tests;

/// <summary>Two machines and one slot, from the first lock to the status.</summary>
public sealed class WalkThroughTests : IDisposable
{
    private readonly Ctl _ctl = new();

    public void Dispose() => _ctl.Dispose();

    [Fact]
    public async Task A_slot_goes_from_this_machine_to_another()
    {
        var thisMachine = Machine.RequireNodeId();
        await using var server = await ServerProcess.StartListeningAsync(
            "--listen", "http://127.0.0.1:0", "--group", "controllers=1", "--data", _ctl.PathOf("fleetlock.db"));
        string[] controllers = ["-u", server.Url(), "-g", "controllers"];

        AssertSilent(await _ctl.RunAsync(["recursive-lock", .. controllers]));
        Assert.Equal([thisMachine], await server.HoldersAsync("controllers"));

        var refused = await _ctl.RunAsync(["recursive-lock", .. controllers, "-i", "another-machine"]);
        Assert.Equal(75, refused.ExitCode);
        Assert.Equal("", refused.Output);
        Assert.EndsWith("(failed_lock_semaphore_full)", Assert.Single(refused.ErrorLines), StringComparison.Ordinal);

        AssertSilent(await _ctl.RunAsync(["unlock-if-held", .. controllers]));
        AssertSilent(await _ctl.RunAsync(["recursive-lock", .. controllers, "-i", "another-machine"]));

        var status = await _ctl.RunAsync("status", "-u", server.Url());
        Assert.Equal(0, status.ExitCode);
        Assert.Matches(@"^controllers +1 +0 +0 +another-machine +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +127\.0\.0\.1$", status.OutputLines[^1]);
    }

    private static void AssertSilent(Finished finished) => Assert.Equal((0, "", ""), (finished.ExitCode, finished.Output, finished.Errors));
}
