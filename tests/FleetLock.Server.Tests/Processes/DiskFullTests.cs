using System.Diagnostics;
using FleetLock.TestKit;
using static FleetLock.Server.Tests.Answers;
using static FleetLock.Server.Tests.Sample;

namespace FleetLock.Server.Tests;

/// <summary>A real file system that is full: nothing is granted, nothing is lost, and the server goes on by itself once there is room again.</summary>
public sealed class DiskFullTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _folder = new();
    private bool _isMounted;

    private string Filler => _folder.File("filler");

    public async ValueTask InitializeAsync() =>
        _isMounted = OperatingSystem.IsLinux() && await TryRunAsync("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", _folder.FullName);

    public async ValueTask DisposeAsync()
    {
        if (_isMounted)
            Assert.True(await TryRunAsync("umount", _folder.FullName));
        _folder.Dispose();
    }

    [Fact]
    public async Task A_full_disk_is_a_clear_503_that_grants_nothing_and_ends_by_itself()
    {
        Assert.SkipUnless(_isMounted, "A small file system cannot be mounted here (it takes Linux and root).");
        await using (var server = await StartAsync())
        {
            AssertDone(await AskAsync(server, TestServer.PreReboot, "a"));
            Fill();

            // What fits into the pages that the log has already may still be saved; what does not is refused. Nothing is ever in between.
            var answer = await AskAsync(server, TestServer.PreReboot, "b");
            for (var i = 0; answer.Status == 200 && i < 1000; i++)
            {
                AssertDone(await AskAsync(server, TestServer.SteadyState, "b"));
                answer = await AskAsync(server, TestServer.PreReboot, "b");
            }

            AssertRefused(503, "store_unavailable", answer);
            AssertRefused(503, "store_unavailable", await AskAsync(server, TestServer.SteadyState, "a"));
            Assert.Contains(server.Errors, line => line.Contains("the disk is full", StringComparison.Ordinal));

            File.Delete(Filler);
            AssertDone(await AskAsync(server, TestServer.PreReboot, "c"));
            await server.KillAsync();
        }

        await using var next = await StartAsync();
        AssertDone(await AskAsync(next, TestServer.PreReboot, "a"));
        AssertDone(await AskAsync(next, TestServer.PreReboot, "c"));
        AssertRefused(409, "failed_lock_semaphore_full", "2", await AskAsync(next, TestServer.PreReboot, "b"));
    }

    private Task<ServerProcess> StartAsync() =>
        ServerProcess.StartListeningAsync("--listen", "http://127.0.0.1:0", "--group", Group + "=2", "--data", _folder.File("fleetlock.db"));

    private static Task<RawResponse> AskAsync(ServerProcess server, string line, string id) =>
        RawClient.AskAsync(server.Address, TestServer.Request(line, Group, id));

    private void Fill()
    {
        using var file = File.Create(Filler);
        try
        {
            for (var page = new byte[4096]; ; file.Flush(flushToDisk: true))
                file.Write(page);
        }
        catch (IOException)
        {
            // It is full.
        }
    }

    private static async Task<bool> TryRunAsync(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
            await process.WaitForExitAsync();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
