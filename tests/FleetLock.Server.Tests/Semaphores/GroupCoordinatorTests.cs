using Microsoft.Extensions.Time.Testing;
using static FleetLock.Server.Tests.Sample;

namespace FleetLock.Server.Tests;

/// <summary>One coordinator on a store in which conflicts and faults are staged.</summary>
[Trait("Lane", "Fast")]
public sealed class GroupCoordinatorTests : IAsyncLifetime
{
    private readonly StagedStore _store = new();
    private readonly FakeTimeProvider _clock = new(Since);
    private readonly GroupCoordinator _coordinator;

    public GroupCoordinatorTests() => _coordinator = new GroupCoordinator(Group, _store, _clock, new ServerMetrics());

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await _store.WriteBehindItsBackAsync(_ => Held(1));
        await _coordinator.ConfigureAsync(1);
    }

    public async ValueTask DisposeAsync() => await _coordinator.DisposeAsync();

    [Fact]
    public async Task A_grant_is_in_the_store_when_it_is_answered()
    {
        Assert.Equal(new SlotDecision(SlotReply.Granted, 1, Holder), (await LockAsync("a")).WithoutGrant());
        Assert.Equal(["a"], await HoldersAsync());
    }

    [Fact]
    public async Task Nothing_is_answered_before_the_save_has_ended()
    {
        var save = _store.HoldNextSave();
        var answer = LockAsync("a");
        await save.Begun;

        Assert.False(answer.IsCompleted);
        save.Release();
        Assert.Equal(SlotReply.Granted, (await answer).Reply);
    }

    [Fact]
    public async Task A_refusal_tells_the_number_of_slots()
    {
        await LockAsync("a");

        Assert.Equal(new SlotDecision(SlotReply.Full, 1, null), await LockAsync("b"));
    }

    [Fact]
    public async Task The_clock_says_since_when_a_slot_is_held_and_when_its_holder_last_asked()
    {
        await LockAsync("a");
        _clock.Advance(TimeSpan.FromHours(1));
        await LockAsync("a");

        Assert.Equal((Since, Since.AddHours(1)), ((await LoadAsync()).Semaphore.Holders["a"].Since!.Value, (await LoadAsync()).Semaphore.Holders["a"].LastSeen!.Value));
    }

    [Fact]
    public async Task All_that_queue_up_during_a_save_are_saved_with_one()
    {
        await ResizeAsync(50);
        var before = _store.Saves;
        var save = _store.HoldNextSave();
        var first = LockAsync("first");
        await save.Begun;
        var others = Enumerable.Range(0, 100).Select(i => LockAsync("id" + i)).ToArray();
        save.Release();

        await first;
        var decisions = await Task.WhenAll(others);
        Assert.Equal(2, _store.Saves - before);
        Assert.Equal(49, decisions.Count(decision => decision.Reply == SlotReply.Granted));
        Assert.Equal(51, decisions.Count(decision => decision.Reply == SlotReply.Full));
        Assert.Equal(50, (await HoldersAsync()).Length);
    }

    [Fact]
    public async Task First_come_is_first_served()
    {
        await ResizeAsync(3);
        var save = _store.HoldNextSave();
        var first = LockAsync("first");
        await save.Begun;
        Task<SlotDecision>[] others =
        [
            LockAsync("z"),
            LockAsync("y"),
            LockAsync("x"),
            UnlockAsync("first"),
            LockAsync("w"),
            LockAsync("first"),
            LockAsync("z"),
        ];
        save.Release();

        await first;
        Assert.Equal(
            [SlotReply.Granted, SlotReply.Granted, SlotReply.Full, SlotReply.Released, SlotReply.Granted, SlotReply.Full, SlotReply.AlreadyHeld],
            (await Task.WhenAll(others)).Select(decision => decision.Reply));
        Assert.Equal(["w", "y", "z"], await HoldersAsync());
    }

    [Fact]
    public async Task After_a_conflict_the_request_is_decided_anew()
    {
        _store.ConflictWithNextSave(semaphore => semaphore.Lock("other", From, Since).Next);

        Assert.Equal(SlotReply.Full, (await LockAsync("a")).Reply);
        Assert.Equal(["other"], await HoldersAsync());
    }

    [Fact]
    public async Task Conflicts_are_not_seen_by_the_client_however_many_there_are()
    {
        await ResizeAsync(100);
        for (var i = 0; i < 20; i++)
        {
            var other = "other" + i;
            _store.ConflictWithNextSave(semaphore => semaphore.Lock(other, From, Since).Next);
        }

        Assert.Equal(SlotReply.Granted, (await LockAsync("a")).Reply);
        Assert.Equal(21, (await HoldersAsync()).Length);
    }

    [Fact]
    public async Task After_a_conflict_the_number_of_slots_is_the_new_one()
    {
        _store.ConflictWithNextSave(semaphore => semaphore.WithSlots(2).Lock("b", From, Since).Next.Lock("c", From, Since).Next);

        Assert.Equal(new SlotDecision(SlotReply.Full, 2, null), await LockAsync("a"));
    }

    [Fact]
    public async Task A_repeated_lock_is_not_granted_from_memory_when_another_server_released_it()
    {
        await LockAsync("a");
        await _store.WriteBehindItsBackAsync(semaphore => semaphore.Unlock("a").Next.Lock("b", From, Since).Next);

        Assert.Equal(SlotReply.Full, (await LockAsync("a")).Reply);
    }

    [Fact]
    public async Task An_unlock_is_not_answered_from_memory_when_another_server_granted_the_slot()
    {
        await UnlockAsync("a");
        await _store.WriteBehindItsBackAsync(semaphore => semaphore.Lock("a", From, Since).Next);

        Assert.Equal(SlotReply.Released, (await UnlockAsync("a")).Reply);
        Assert.Empty(await HoldersAsync());
    }

    [Fact]
    public async Task A_lock_is_not_refused_from_memory_when_another_server_released_the_slot()
    {
        await LockAsync("a");
        await _store.WriteBehindItsBackAsync(semaphore => semaphore.Unlock("a").Next);

        Assert.Equal(SlotReply.Granted, (await LockAsync("b")).Reply);
    }

    [Fact]
    public async Task A_fault_of_the_store_is_the_answer_to_all_that_were_saved_together()
    {
        var save = _store.HoldNextSave();
        var first = UnlockAsync("nobody");
        await save.Begun;
        var fault = new SemaphoreStoreException("the disk is full");
        _store.FailNextSave(fault);
        Task<SlotDecision>[] others = [LockAsync("a"), LockAsync("b"), UnlockAsync("c")];
        save.Release();

        await first;
        foreach (var answer in others)
            Assert.Equal(fault.Message, (await Assert.ThrowsAsync<SemaphoreStoreException>(() => answer)).Message);
        Assert.Empty(await HoldersAsync());
    }

    [Fact]
    public async Task After_a_fault_of_the_store_the_group_goes_on()
    {
        _store.FailNextSave(new SemaphoreStoreException("the disk is full"));
        await Assert.ThrowsAsync<SemaphoreStoreException>(() => LockAsync("a"));

        Assert.Equal(SlotReply.Granted, (await LockAsync("b")).Reply);
        Assert.Equal(["b"], await HoldersAsync());
    }

    [Fact]
    public async Task A_save_whose_answer_was_lost_is_known_at_the_next_request()
    {
        _store.FailAfterNextSave(new SemaphoreStoreException("the connection broke"));
        await Assert.ThrowsAsync<SemaphoreStoreException>(() => LockAsync("a"));

        Assert.Equal(SlotReply.Full, (await LockAsync("b")).Reply);
        Assert.Equal(SlotReply.AlreadyHeld, (await LockAsync("a")).Reply);
    }

    [Fact]
    public async Task An_unexpected_fault_is_a_fault_of_the_store_to_the_client_and_the_group_goes_on()
    {
        _store.FailNextSave(new InvalidOperationException("a mistake in the store"));

        var fault = await Assert.ThrowsAsync<SemaphoreStoreException>(() => LockAsync("a"));
        Assert.Contains(Group, fault.Message, StringComparison.Ordinal);
        Assert.Contains("a mistake in the store", fault.Message, StringComparison.Ordinal);
        Assert.Equal(SlotReply.Granted, (await LockAsync("b")).Reply);
    }

    [Fact]
    public async Task A_request_whose_client_has_gone_before_its_turn_is_dropped()
    {
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var save = _store.HoldNextSave();
        var first = UnlockAsync("nobody");
        await save.Begun;
        var dropped = _coordinator.LockAsync("gone", From, TimeSpan.Zero, gone.Token);
        var next = LockAsync("next");
        await gone.CancelAsync();
        save.Release();

        await first;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => dropped);
        Assert.Equal(SlotReply.Granted, (await next).Reply);
        Assert.Equal(["next"], await HoldersAsync());
    }

    [Fact]
    public async Task A_request_whose_client_goes_during_its_save_is_answered_as_saved()
    {
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var save = _store.HoldNextSave();
        var answer = _coordinator.LockAsync("a", From, TimeSpan.Zero, gone.Token);
        await save.Begun;
        await gone.CancelAsync();
        save.Release();

        Assert.Equal(SlotReply.Granted, (await answer).Reply);
        Assert.Equal(["a"], await HoldersAsync());
    }

    [Fact]
    public async Task The_end_answers_what_has_queued_up_and_takes_no_more()
    {
        var save = _store.HoldNextSave();
        var first = UnlockAsync("nobody");
        await save.Begun;
        var queued = LockAsync("a");
        var end = _coordinator.DisposeAsync().AsTask();
        var late = LockAsync("b");
        save.Release();

        await end;
        Assert.Equal(SlotReply.NotHeld, (await first).Reply);
        Assert.Equal(SlotReply.Granted, (await queued).Reply);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => late);
        Assert.Equal(["a"], await HoldersAsync());
    }

    [Fact]
    public async Task A_group_that_is_gone_from_the_store_grants_nothing()
    {
        await using var stranger = new GroupCoordinator("gone", _store, _clock, new ServerMetrics());

        Assert.Equal(new SlotDecision(SlotReply.UnknownGroup, 0, null), await stranger.LockAsync("a", From, TimeSpan.Zero, Token));
        Assert.Equal(SlotReply.NotHeld, (await stranger.UnlockAsync("a")).Reply);
    }

    [Fact]
    public async Task A_resize_that_meets_another_writer_loses_neither_change()
    {
        _store.ConflictWithNextSave(semaphore => semaphore.Lock("other", From, Since).Next);
        await ResizeAsync(7);

        var stored = (await LoadAsync()).Semaphore;
        Assert.Equal(7, stored.Slots);
        Assert.Equal(["other"], stored.Holders.Keys);
    }

    [Fact]
    public async Task A_resize_to_the_same_number_writes_nothing()
    {
        var before = await LoadAsync();
        await ResizeAsync(1);

        Assert.Same(before, await LoadAsync());
    }

    [Fact]
    public async Task A_configuration_makes_the_group_and_is_saved()
    {
        await using var fresh = new GroupCoordinator("fresh", _store, _clock, new ServerMetrics());

        await fresh.ConfigureAsync(0);

        var stored = await _store.LoadAsync("fresh", Token);
        Assert.True(stored.Exists);
        Assert.Equal((0, 0), (stored.Semaphore.Slots, stored.Semaphore.Configured));
    }

    [Fact]
    public async Task A_configuration_that_says_the_same_writes_nothing_and_leaves_an_operators_slots()
    {
        await ResizeAsync(7);
        var before = await LoadAsync();

        await _coordinator.ConfigureAsync(1);

        Assert.Same(before, await LoadAsync());
    }

    [Fact]
    public async Task A_configuration_that_could_not_be_saved_is_taken_over_by_the_next_request()
    {
        _store.FailNextSave(new SemaphoreStoreException("the disk is full"));
        await Assert.ThrowsAsync<SemaphoreStoreException>(() => _coordinator.ConfigureAsync(2));
        Assert.Equal(1, (await LoadAsync()).Semaphore.Configured);

        Assert.Equal(new SlotDecision(SlotReply.Granted, 2, Holder), (await LockAsync("a")).WithoutGrant());

        Assert.Equal((2, 2), ((await LoadAsync()).Semaphore.Slots, (await LoadAsync()).Semaphore.Configured));
    }

    [Fact]
    public async Task A_configuration_is_taken_over_once_so_an_operator_can_change_the_slots_after_it()
    {
        await _coordinator.ConfigureAsync(2);
        await ResizeAsync(5);
        await _store.WriteBehindItsBackAsync(semaphore => semaphore.Configure(3));
        await LockAsync("a");

        Assert.Equal((3, 3), ((await LoadAsync()).Semaphore.Slots, (await LoadAsync()).Semaphore.Configured));
    }

    [Fact]
    public async Task A_configuration_that_meets_another_writer_loses_neither_change()
    {
        _store.ConflictWithNextSave(semaphore => semaphore.Lock("other", From, Since).Next);
        await _coordinator.ConfigureAsync(7);

        var stored = (await LoadAsync()).Semaphore;
        Assert.Equal((7, 7), (stored.Slots, stored.Configured));
        Assert.Equal(["other"], stored.Holders.Keys);
    }

    private Task<SlotDecision> LockAsync(string id) => _coordinator.LockAsync(id, From, TimeSpan.Zero, Token);

    private Task<SlotDecision> UnlockAsync(string id) => _coordinator.UnlockAsync(id);

    private Task<SlotDecision> ResizeAsync(int slots) => _coordinator.ResizeAsync(slots);

    private Task<StoredSemaphore> LoadAsync() => _store.LoadAsync(Group, Token);

    private async Task<string[]> HoldersAsync() => [.. (await LoadAsync()).Semaphore.Holders.Keys];
}
