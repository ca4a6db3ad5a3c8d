using FleetLock.TestKit;
using Microsoft.Extensions.Logging;
using static FleetLock.Server.Tests.Answers;
using static FleetLock.Server.Tests.Sample;
using static FleetLock.Server.Tests.TestServer;

namespace FleetLock.Server.Tests;

/// <summary>Clients that go while their grant is being saved, so that it cannot be sent to them.</summary>
public sealed class UndeliveredGrantTests : IAsyncLifetime
{
    private readonly CapturedLog _log = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync()
    {
        _log.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task The_grant_is_revoked_and_the_slot_goes_to_the_next()
    {
        await using var store = new StagedStore();
        await using var server = await StartAsync(store);
        var save = await LockAndGoAsync(server, store, "gone");
        save.Release();

        await UntilWarnedAsync(nameof(ServerLog.Revoked));
        Assert.Empty(await server.HoldersAsync());
        AssertDone(await server.LockAsync("next"));
    }

    [Fact]
    public async Task The_grant_stands_when_the_id_has_asked_again_meanwhile()
    {
        await using var store = new StagedStore();
        await using var server = await StartAsync(store);
        var save = await LockAndGoAsync(server, store, "gone");
        store.ConflictWithNextSave(semaphore => semaphore.Lock("gone", From, Since).Next);
        save.Release();

        await UntilWarnedAsync(nameof(ServerLog.Undelivered));
        Assert.Equal(["gone"], await server.HoldersAsync());
    }

    [Fact]
    public async Task The_grant_stands_where_another_program_may_have_granted_it_again_without_a_trace()
    {
        await using var store = new StagedStore { CanRevoke = false };
        await using var server = await StartAsync(store);
        var save = await LockAndGoAsync(server, store, "gone");
        save.Release();

        await UntilWarnedAsync(nameof(ServerLog.Undelivered));
        Assert.Equal(["gone"], await server.HoldersAsync());
    }

    [Fact]
    public async Task A_lock_whose_outcome_is_unknown_is_reported_for_nobody_is_left_to_undo_it()
    {
        await using var store = new StagedStore();
        await using var server = await StartAsync(store);
        var save = await LockAndGoAsync(server, store, "gone", new SemaphoreStoreException("the answer is lost"));
        save.Release();

        await UntilWarnedAsync(nameof(ServerLog.Undelivered));
        Assert.Equal(["gone"], await server.HoldersAsync());
    }

    private Task<TestServer> StartAsync(StagedStore store) =>
        TestServer.StartAsync(Options(store, (Group, 1)) with { Logging = log => log.AddProvider(_log) });

    /// <summary>Sends a lock, and goes while it is saved.</summary>
    /// <returns>The save, once the server has noticed.</returns>
    private static async Task<StagedStore.HeldSave> LockAndGoAsync(TestServer server, StagedStore store, string id, Exception? fault = null)
    {
        using var aborts = new RequestAborts(server.Address, "/" + FleetLockProtocol.PreRebootPath);
        var save = store.HoldNextSave(fault);
        using var client = await RawClient.ConnectAsync(server.Address);
        await client.SendAsync(Request(PreReboot, Group, id));
        await save.Begun;
        client.Reset();
        await aborts.Noticed;
        return save;
    }

    private async Task UntilWarnedAsync(string name)
    {
        while (!_log.Lines.Any(line => line.Event == name))
            await Task.Delay(TimeSpan.FromMilliseconds(5), TestContext.Current.CancellationToken);
        _log.AssertHas(LogLevel.Warning, name, Group, "gone");
    }
}
