using FleetLock.TestKit;
using Microsoft.Extensions.Time.Testing;
using static FleetLock.Server.Tests.Sample;

namespace FleetLock.Server.Tests;

/// <summary>
/// Whoever waits at one server hears of a release through another, or through airlock. The waiting server's clock stands still, so that it does not
/// ask the store by itself: only the watch can wake it.
/// </summary>
public sealed class EtcdWatchTests : IAsyncLifetime
{
    private EtcdProcess _etcd = null!;
    private EtcdStore _other = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Etcd.SkipWithout();
        _etcd = await EtcdProcess.StartAsync();
        _other = await _etcd.OpenAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_etcd is null)
            return;
        await _other.DisposeAsync();
        await _etcd.DisposeAsync();
    }

    [Fact]
    public async Task A_release_through_one_server_wakes_who_waits_at_the_other()
    {
        await using var store = await _etcd.OpenAsync();
        var held = await TakeAsync();
        await using var coordinator = Coordinator(store);
        var waiting = await WaitAsync(coordinator);

        await ReleaseAsync(held);

        Assert.Equal(SlotReply.Granted, (await waiting.WaitAsync(TestTimeout.Hang, Token)).Reply);
    }

    [Fact]
    public async Task A_release_through_airlock_wakes_who_waits()
    {
        await using var store = await _etcd.OpenAsync();
        Assert.True((await _other.SaveAsync(Group, StoredSemaphore.None, Held(2, "a", "b"), Token)).IsSaved);
        await using var coordinator = Coordinator(store);
        var waiting = await WaitAsync(coordinator, slots: 2);

        await _etcd.PutAsync(Etcd.Key, """{"total_slots":2,"holders":["b"]}""");

        Assert.Equal(SlotReply.Granted, (await waiting.WaitAsync(TestTimeout.Hang, Token)).Reply);
        var stored = (await _other.LoadAsync(Group, Token)).Semaphore;
        Assert.Equal(["b", "waiting"], stored.Holders.Keys);
        Assert.Equal((2, SlotHolder.Unknown), (stored.Configured, stored.Holders["b"]));
    }

    [Fact]
    public async Task A_release_while_the_watch_was_cut_off_wakes_who_waits_once_it_is_back()
    {
        var held = await TakeAsync();
        using var way = new TcpRelay(_etcd.Endpoint);
        await using var store = await OpenAndCatchUpAsync(way.Endpoint);
        await using var coordinator = Coordinator(store);
        var waiting = await WaitAsync(coordinator);

        way.Cut();
        await ReleaseAsync(held);
        way.Mend();

        // The answer to a mere compare has the same revision as the release; the store is not to take it for its own.
        await Record.ExceptionAsync(() => store.SaveAsync("another", StoredSemaphore.None, StoredSemaphore.None.Semaphore, Token));

        Assert.Equal(SlotReply.Granted, (await waiting.WaitAsync(TestTimeout.Hang, Token)).Reply);
    }

    [Fact]
    public async Task A_release_that_etcd_has_forgotten_when_the_watch_is_back_wakes_who_waits_too()
    {
        var held = await TakeAsync();
        using var way = new TcpRelay(_etcd.Endpoint);
        await using var store = await OpenAndCatchUpAsync(way.Endpoint);
        await using var coordinator = Coordinator(store);
        var waiting = await WaitAsync(coordinator);

        way.Cut();
        await ReleaseAsync(held);
        await _etcd.PutAsync("something else", ""); // The last revision is never forgotten.
        await _etcd.CompactAsync();
        way.Mend();

        Assert.Equal(SlotReply.Granted, (await waiting.WaitAsync(TestTimeout.Hang, Token)).Reply);
    }

    [Fact]
    public async Task The_watch_outlives_etcd()
    {
        var held = await TakeAsync();
        await using var store = await OpenAndCatchUpAsync(_etcd.Endpoint);
        await using var coordinator = Coordinator(store);
        var waiting = await WaitAsync(coordinator);

        await _etcd.KillAsync();
        await _etcd.StartAgainAsync();
        await ReleaseAsync(held);

        Assert.Equal(SlotReply.Granted, (await waiting.WaitAsync(TestTimeout.Hang, Token)).Reply);
    }

    [Fact]
    public async Task A_damaged_value_ends_the_waits_with_its_reason()
    {
        await using var store = await _etcd.OpenAsync();
        await TakeAsync();
        await using var coordinator = Coordinator(store);
        var waiting = await WaitAsync(coordinator);

        await _etcd.PutAsync(Etcd.Key, "damaged");

        var error = await Assert.ThrowsAsync<SemaphoreStoreException>(() => waiting.WaitAsync(TestTimeout.Hang, Token));
        Assert.Contains(Etcd.Key, error.Message, StringComparison.Ordinal);
    }

    private static GroupCoordinator Coordinator(EtcdStore store) => new(Group, store, new FakeTimeProvider(Since), new ServerMetrics());

    /// <summary>A store whose watch has reported all that there is. A report later on would have the waiting server ask etcd while it is away.</summary>
    private static async Task<EtcdStore> OpenAndCatchUpAsync(Uri endpoint)
    {
        var caughtUp = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var store = new EtcdStore(Etcd.Options(endpoint));
        store.Changed += _ => caughtUp.TrySetResult();
        await store.OpenAsync(Token);
        await caughtUp.Task.WaitAsync(TestTimeout.Hang, Token);
        return store;
    }

    private async Task<StoredSemaphore> TakeAsync() => (await _other.SaveAsync(Group, StoredSemaphore.None, Held(1, "a"), Token)).Current;

    private async Task ReleaseAsync(StoredSemaphore held) => Assert.True((await _other.SaveAsync(Group, held, Held(1), Token)).IsSaved);

    /// <summary>A lock that has its place in the queue.</summary>
    private static async Task<Task<SlotDecision>> WaitAsync(GroupCoordinator coordinator, int slots = 1)
    {
        // As many slots as are stored, so that the group is configured and nothing changes.
        await coordinator.ConfigureAsync(slots);
        var waiting = coordinator.LockAsync("waiting", null, TimeSpan.FromHours(1), CancellationToken.None);

        // Requests are decided in order: once the second is refused, the first is in the queue.
        Assert.Equal(SlotReply.Full, (await coordinator.LockAsync("other", null, TimeSpan.Zero, CancellationToken.None)).Reply);
        Assert.False(waiting.IsCompleted);
        return waiting;
    }
}
