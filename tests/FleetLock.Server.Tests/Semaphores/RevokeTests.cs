using FleetLock.TestKit;
using Microsoft.Extensions.Time.Testing;
using static FleetLock.Server.Tests.Sample;

namespace FleetLock.Server.Tests;

/// <summary>Grants whose reply could not be delivered: revoked where nobody can have been told of them.</summary>
[Trait("Lane", "Fast")]
public sealed class RevokeTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();
    private readonly FakeTimeProvider _clock = new(Since);

    public static TheoryData<string> Stores => ["memory", "SQLite"];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Stores))]
    public async Task A_grant_is_revoked_while_the_hold_was_not_answered_again(string name)
    {
        await using var store = await OpenAsync(name);
        await using var coordinator = await StartAsync(store);
        var granted = await coordinator.LockAsync("a", From, TimeSpan.Zero, Token);
        await coordinator.LockAsync("b", From, TimeSpan.Zero, Token);

        Assert.Equal(new SlotDecision(SlotReply.Released, 2, granted.Holder), await coordinator.RevokeAsync("a", granted.Holder!));
        Assert.Equal(["b"], (await store.LoadAsync(Group, Token)).Semaphore.Holders.Keys);
    }

    /// <remarks>The clock stands still, so only the ask itself can tell.</remarks>
    [Theory]
    [MemberData(nameof(Stores))]
    public async Task A_grant_stands_when_the_hold_was_answered_again_by_whichever_server(string name)
    {
        await using var store = await OpenAsync(name);
        await using var coordinator = await StartAsync(store);
        await using var otherServer = await StartAsync(store);
        var granted = await coordinator.LockAsync("a", From, TimeSpan.Zero, Token);
        Assert.Equal(SlotReply.AlreadyHeld, (await otherServer.LockAsync("a", From, TimeSpan.Zero, Token)).Reply);

        Assert.Equal(SlotReply.NotHeld, (await coordinator.RevokeAsync("a", granted.Holder!)).Reply);
        Assert.Equal(["a"], (await store.LoadAsync(Group, Token)).Semaphore.Holders.Keys);
    }

    /// <remarks>Defect 1: all three are decided at the same time from the same address, so the two grants differ in nothing but their ids.</remarks>
    [Theory]
    [MemberData(nameof(Stores))]
    public async Task A_later_grant_of_the_same_batch_stands_when_the_earlier_one_is_revoked(string name)
    {
        await using var store = await OpenAsync(name);
        await using var coordinator = await StartAsync(store);
        var first = coordinator.LockAsync("a", From, TimeSpan.Zero, Token);
        var unlock = coordinator.UnlockAsync("a");
        var second = coordinator.LockAsync("a", From, TimeSpan.Zero, Token);
        Assert.Equal(SlotReply.Granted, (await second).Reply);
        await unlock;

        Assert.Equal(SlotReply.NotHeld, (await coordinator.RevokeAsync("a", (await first).Holder!)).Reply);
        Assert.Equal(["a"], (await store.LoadAsync(Group, Token)).Semaphore.Holders.Keys);
    }

    [Fact]
    public async Task A_revoked_slot_goes_to_the_first_waiter()
    {
        await using var store = await OpenAsync("memory");
        await using var coordinator = await StartAsync(store);
        await coordinator.ResizeAsync(1);
        var granted = await coordinator.LockAsync("a", From, TimeSpan.Zero, Token);
        var waiter = coordinator.LockAsync("b", From, TimeSpan.FromMinutes(1), Token);

        await coordinator.RevokeAsync("a", granted.Holder!);

        Assert.Equal(SlotReply.Granted, (await waiter).Reply);
    }

    [Fact]
    public async Task A_grant_stands_where_a_program_may_have_granted_it_again_without_a_trace()
    {
        await using var store = new StagedStore { CanRevoke = false };
        await using var coordinator = await StartAsync(store);
        var granted = await coordinator.LockAsync("a", From, TimeSpan.Zero, Token);

        Assert.Equal(SlotReply.NotHeld, (await coordinator.RevokeAsync("a", granted.Holder!)).Reply);
        Assert.Equal(["a"], (await store.LoadAsync(Group, Token)).Semaphore.Holders.Keys);
    }

    private async Task<ISemaphoreStore> OpenAsync(string name)
    {
        ISemaphoreStore store = name == "memory" ? new MemoryStore() : new SqliteStore(Path.Combine(_folder.FullName, "fleetlock.db"));
        await store.OpenAsync(Token);
        return store;
    }

    private async Task<GroupCoordinator> StartAsync(ISemaphoreStore store)
    {
        var coordinator = new GroupCoordinator(Group, store, _clock, new ServerMetrics());
        await coordinator.ConfigureAsync(2);
        return coordinator;
    }
}
