using Microsoft.Extensions.Time.Testing;
using static FleetLock.Server.Tests.Sample;

namespace FleetLock.Server.Tests;

/// <summary>One coordinator of one group, whose one slot "a" holds, on a staged store and by a clock that stands still until a test moves it.</summary>
public abstract class CoordinatorTests : IAsyncLifetime
{
    private readonly GroupCoordinator _coordinator;

    protected CoordinatorTests() => _coordinator = new GroupCoordinator(Group, Store, Clock, new ServerMetrics());

    private protected static CancellationToken Token => TestContext.Current.CancellationToken;

    private protected StagedStore Store { get; } = new();

    private protected FakeTimeProvider Clock { get; } = new(Since);

    private protected GroupCoordinator Coordinator => _coordinator;

    public async ValueTask InitializeAsync() => await InitializeOnceAsync();

    private async Task InitializeOnceAsync()
    {
        await Store.WriteBehindItsBackAsync(_ => Held(1, "a"));
        await _coordinator.ConfigureAsync(1);
    }

    public async ValueTask DisposeAsync()
    {
        await _coordinator.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private protected Task<SlotDecision> LockAsync(string id) => _coordinator.LockAsync(id, From, TimeSpan.Zero, Token);

    private protected Task<SlotDecision> UnlockAsync(string id) => _coordinator.UnlockAsync(id);

    /// <summary>A lock that waits for a minute.</summary>
    private protected Task<SlotDecision> WaitAsync(string id) => WaitUnlessGoneAsync(id, Token);

    /// <summary>A lock that waits for a minute, of a client that may go.</summary>
    private protected Task<SlotDecision> WaitUnlessGoneAsync(string id, CancellationToken gone) =>
        _coordinator.LockAsync(id, From, TimeSpan.FromMinutes(1), gone);

    /// <summary>The same, begun: it has its place in the queue, and its time runs.</summary>
    /// <returns>The answer to come; in an array, so that awaiting the call does not await it.</returns>
    private protected async Task<Task<SlotDecision>[]> JoinAsync(params string[] ids)
    {
        var waiters = ids.Select(WaitAsync).ToArray();
        await SettleAsync();
        Assert.All(waiters, waiter => Assert.False(waiter.IsCompleted));
        return waiters;
    }

    /// <summary>Everything that was sent to the coordinator has been dealt with, its timers too: those are set after a batch is answered.</summary>
    private protected async Task SettleAsync()
    {
        await UnlockAsync("nobody");
        await UnlockAsync("nobody");
    }

    private protected async Task<string[]> HoldersAsync() => [.. (await Store.LoadAsync(Group, Token)).Semaphore.Holders.Keys];

    /// <summary>Sends requests that are decided together.</summary>
    private protected async Task<SlotReply[]> TogetherAsync(Func<Task<SlotDecision>[]> send)
    {
        var save = Store.HoldNextSave();
        var before = UnlockAsync("nobody");
        await save.Begun;
        var answers = send();
        save.Release();
        await before;
        return [.. (await Task.WhenAll(answers)).Select(decision => decision.Reply)];
    }
}
