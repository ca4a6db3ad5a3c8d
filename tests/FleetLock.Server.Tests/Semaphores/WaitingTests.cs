using static FleetLock.Server.Tests.Sample;

namespace FleetLock.Server.Tests;

/// <summary>Lock requests that wait for a slot: who is served, when, and with what answer.</summary>
[Trait("Lane", "Fast")]
public sealed class WaitingTests : CoordinatorTests
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task A_lock_that_would_wait_is_granted_at_once_when_a_slot_is_free()
    {
        await UnlockAsync("a");

        Assert.Equal(new SlotDecision(SlotReply.Granted, 1, Holder), (await WaitAsync("b")).WithoutGrant());
        Assert.Equal(0, Coordinator.Waiting);
    }

    [Fact]
    public async Task A_lock_that_would_wait_is_granted_again_at_once_when_its_id_holds_a_slot() =>
        Assert.Equal(SlotReply.AlreadyHeld, (await WaitAsync("a")).Reply);

    [Fact]
    public async Task A_slot_that_is_released_goes_to_the_waiter_in_the_very_same_save()
    {
        var waiter = Assert.Single(await JoinAsync("b"));
        Clock.Advance(TimeSpan.FromMilliseconds(500));
        var before = Store.Saves;

        await UnlockAsync("a");

        Assert.Equal(new SlotDecision(SlotReply.Granted, 1, new SlotHolder(Clock.GetUtcNow(), From, Clock.GetUtcNow())), (await waiter).WithoutGrant());
        Assert.Equal(1, Store.Saves - before);
        Assert.Equal(["b"], await HoldersAsync());
    }

    [Fact]
    public async Task A_waiter_is_not_answered_before_the_save_that_grants_has_ended()
    {
        var waiter = Assert.Single(await JoinAsync("b"));
        var save = Store.HoldNextSave();
        var unlock = UnlockAsync("a");
        await save.Begun;

        Assert.False(waiter.IsCompleted);
        save.Release();
        Assert.Equal(SlotReply.Released, (await unlock).Reply);
        Assert.Equal(SlotReply.Granted, (await waiter).Reply);
    }

    [Fact]
    public async Task First_come_is_first_served()
    {
        string[] ids = ["z", "y", "x", "w"];
        var waiters = await JoinAsync(ids);
        Assert.Equal(4, Coordinator.Waiting);

        var holder = "a";
        for (var i = 0; i < ids.Length; i++)
        {
            await UnlockAsync(holder);
            holder = ids[i];
            Assert.Equal(SlotReply.Granted, (await waiters[i]).Reply);
            Assert.Equal([holder], await HoldersAsync());
            Assert.All(waiters[(i + 1)..], waiter => Assert.False(waiter.IsCompleted));
            Assert.Equal(ids.Length - i - 1, Coordinator.Waiting);
        }
    }

    [Fact]
    public async Task Who_merely_asks_is_answered_at_once_and_never_overtakes_who_waits()
    {
        var waiter = Assert.Single(await JoinAsync("b"));

        Assert.Equal(new SlotDecision(SlotReply.Full, 1, null), await LockAsync("c"));
        Assert.Equal(
            [SlotReply.Full, SlotReply.Released, SlotReply.Full],
            await TogetherAsync(() => [LockAsync("c"), UnlockAsync("a"), LockAsync("c")]));
        Assert.Equal(SlotReply.Granted, (await waiter).Reply);
        Assert.Equal(["b"], await HoldersAsync());
    }

    [Fact]
    public async Task Who_joins_and_is_served_within_one_batch_is_answered_once()
    {
        Assert.Equal(
            [SlotReply.Granted, SlotReply.Released, SlotReply.Granted, SlotReply.Released],
            await TogetherAsync(() => [WaitAsync("b"), UnlockAsync("a"), WaitAsync("c"), UnlockAsync("b")]));
        Assert.Equal(["c"], await HoldersAsync());
        Clock.Advance(Minute);
        await SettleAsync();
        Assert.Equal(["c"], await HoldersAsync());
    }

    [Fact]
    public async Task A_wait_that_is_over_is_answered_as_full_and_leaves_no_place_behind()
    {
        var waiter = Assert.Single(await JoinAsync("b"));
        Clock.Advance(Minute - TimeSpan.FromTicks(1));
        await SettleAsync();
        Assert.False(waiter.IsCompleted);

        Clock.Advance(TimeSpan.FromTicks(1));

        Assert.Equal(new SlotDecision(SlotReply.Full, 1, null), await waiter);
        Assert.Equal(0, Coordinator.Waiting);
        await UnlockAsync("a");
        Assert.Empty(await HoldersAsync());
        Assert.Equal(SlotReply.Granted, (await LockAsync("c")).Reply);
    }

    [Fact]
    public async Task A_grant_that_was_not_saved_because_of_a_conflict_is_not_the_answer_when_the_wait_is_over()
    {
        var waiter = Assert.Single(await JoinAsync("b"));
        Store.ConflictWithNextSave(semaphore => semaphore.Unlock("a").Next.Lock("other", From, Since).Next);
        Assert.Equal(SlotReply.NotHeld, (await UnlockAsync("a")).Reply);
        Assert.False(waiter.IsCompleted);

        Clock.Advance(Minute);

        Assert.Equal(new SlotDecision(SlotReply.Full, 1, null), await waiter);
        Assert.Equal(["other"], await HoldersAsync());
    }

    [Fact]
    public async Task A_grant_that_a_conflict_has_undone_goes_to_the_same_waiter_later()
    {
        var waiters = await JoinAsync("b", "c");
        Store.ConflictWithNextSave(semaphore => semaphore.Unlock("a").Next.Lock("other", From, Since).Next);
        await UnlockAsync("a");

        await UnlockAsync("other");

        Assert.Equal(SlotReply.Granted, (await waiters[0]).Reply);
        Assert.False(waiters[1].IsCompleted);
        Assert.Equal(["b"], await HoldersAsync());
    }

    [Fact]
    public async Task A_waiter_whose_client_has_gone_leaves_the_queue_and_is_not_granted()
    {
        using var gone = new CancellationTokenSource();
        var waiter = WaitUnlessGoneAsync("b", gone.Token);
        var next = Assert.Single(await JoinAsync("c"));

        await gone.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiter);
        Assert.Equal(1, Coordinator.Waiting);
        await UnlockAsync("a");
        Assert.Equal(SlotReply.Granted, (await next).Reply);
        Assert.Equal(["c"], await HoldersAsync());
    }

    [Fact]
    public async Task A_client_that_goes_before_its_request_has_joined_is_not_granted_later()
    {
        using var gone = new CancellationTokenSource();
        var save = Store.HoldNextSave();
        var waiter = WaitUnlessGoneAsync("b", gone.Token);
        await save.Begun;
        await gone.CancelAsync();
        save.Release();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiter);
        await UnlockAsync("a");
        Assert.Empty(await HoldersAsync());
    }

    /// <remarks>Its leave is still on the way to the coordinator: the release is decided with it in the queue.</remarks>
    [Fact]
    public async Task A_client_that_goes_while_the_release_is_decided_is_not_granted()
    {
        using var gone = new CancellationTokenSource();
        var waiter = WaitUnlessGoneAsync("b", gone.Token);
        var next = Assert.Single(await JoinAsync("c"));
        Store.ConflictWithNextSave(semaphore =>
        {
            gone.Cancel();
            return semaphore.Lock("a", From, Since).Next;
        });

        Assert.Equal(SlotReply.Released, (await UnlockAsync("a")).Reply);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiter);
        Assert.Equal(SlotReply.Granted, (await next).Reply);
        Assert.Equal(["c"], await HoldersAsync());
        Assert.Equal(0, Coordinator.Waiting);
    }

    [Fact]
    public async Task An_id_that_waits_twice_has_one_place_and_both_are_answered()
    {
        var waiters = await JoinAsync("b", "c", "b");
        Assert.Equal(2, Coordinator.Waiting);

        await UnlockAsync("a");

        Assert.Equal(SlotReply.Granted, (await waiters[0]).Reply);
        Assert.Equal(SlotReply.AlreadyHeld, (await waiters[2]).Reply);
        Assert.False(waiters[1].IsCompleted);
        Assert.Equal(["b"], await HoldersAsync());
        await UnlockAsync("b");
        Assert.Equal(SlotReply.Granted, (await waiters[1]).Reply);
    }

    [Fact]
    public async Task An_id_that_waits_twice_keeps_its_place_while_one_of_its_requests_is_left()
    {
        using var gone = new CancellationTokenSource();
        var first = WaitUnlessGoneAsync("b", gone.Token);
        var waiters = await JoinAsync("c", "b");
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);

        await UnlockAsync("a");

        Assert.Equal(SlotReply.Granted, (await waiters[1]).Reply);
        Assert.False(waiters[0].IsCompleted);
    }

    /// <remarks>The unlock comes first, so the lock after it is not undone by it, whatever another server does in between.</remarks>
    [Fact]
    public async Task A_lock_that_joined_after_an_unlock_of_its_id_is_decided_after_it_when_a_conflict_frees_a_slot()
    {
        var replies = await TogetherAsync(() =>
        {
            Store.ConflictWithNextSave(semaphore => semaphore.Unlock("a").Next);
            return [UnlockAsync("b"), WaitAsync("b")];
        });

        Assert.Equal([SlotReply.NotHeld, SlotReply.Granted], replies);
        Assert.Equal(["b"], await HoldersAsync());
    }

    [Fact]
    public async Task An_id_that_is_served_and_released_and_waits_again_within_one_batch_is_answered_truly()
    {
        Task<SlotDecision> again = null!;
        var replies = await TogetherAsync(() =>
        {
            Task<SlotDecision>[] first = [WaitAsync("b"), UnlockAsync("a"), WaitAsync("c"), UnlockAsync("b")];
            again = WaitAsync("b");
            return first;
        });

        Assert.Equal([SlotReply.Granted, SlotReply.Released, SlotReply.Granted, SlotReply.Released], replies);
        Assert.Equal(["c"], await HoldersAsync());
        Assert.False(again.IsCompleted);
        await UnlockAsync("c");
        Assert.Equal(SlotReply.Granted, (await again).Reply);
    }

    [Fact]
    public async Task A_waiter_that_another_server_has_granted_is_answered_when_the_store_tells_whatever_its_place()
    {
        var waiters = await JoinAsync("b", "c");
        await Store.WriteBehindItsBackAsync(semaphore => semaphore.Unlock("a").Next.Lock("c", From, Since).Next);

        Store.ReportChange();

        Assert.Equal(SlotReply.AlreadyHeld, (await waiters[1]).Reply);
        Assert.False(waiters[0].IsCompleted);
        Assert.Equal(["c"], await HoldersAsync());
    }

    [Fact]
    public async Task A_slot_that_another_server_has_released_goes_to_the_first_when_the_store_tells()
    {
        var waiters = await JoinAsync("b", "c");
        await Store.WriteBehindItsBackAsync(semaphore => semaphore.Unlock("a").Next);

        Store.ReportChange();

        Assert.Equal(SlotReply.Granted, (await waiters[0]).Reply);
        Assert.False(waiters[1].IsCompleted);
        Assert.Equal(["b"], await HoldersAsync());
    }

    [Fact]
    public async Task While_somebody_waits_the_store_is_asked_each_second_and_serves_what_another_process_has_released()
    {
        var waiters = await JoinAsync("b", "c");
        await Store.WriteBehindItsBackAsync(semaphore => semaphore.Unlock("a").Next);

        Clock.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(SlotReply.Granted, (await waiters[0]).Reply);
        await Store.WriteBehindItsBackAsync(semaphore => semaphore.Unlock("b").Next.Lock("c", From, Since).Next);
        Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(SlotReply.AlreadyHeld, (await waiters[1]).Reply);
    }

    [Fact]
    public async Task When_nobody_waits_any_more_the_store_is_left_alone()
    {
        await JoinAsync("b");
        await UnlockAsync("a");
        await SettleAsync();
        var before = Store.Saves;

        Clock.Advance(TimeSpan.FromSeconds(10));
        await SettleAsync();

        Assert.Equal(2, Store.Saves - before);
    }

    [Fact]
    public async Task A_fault_of_the_store_is_the_answer_to_all_who_wait_and_the_group_goes_on()
    {
        var waiters = await JoinAsync("b", "c");
        var fault = new SemaphoreStoreException("the disk is full");
        Store.FailNextSave(fault);

        var answers = await Task.WhenAll(
            waiters.Prepend(UnlockAsync("a")).Select(answer => Assert.ThrowsAsync<SemaphoreStoreException>(() => answer)));

        Assert.All(answers, answer => Assert.Equal(fault.Message, answer.Message));

        // The slot was to go to the first waiter, and the save may have been carried out. For the second nothing was done.
        Assert.Equal([true, true, false], answers.Select(answer => answer.MayHaveSaved));
        Assert.Equal(["a"], await HoldersAsync());
        Assert.Equal(0, Coordinator.Waiting);
        var again = Assert.Single(await JoinAsync("c"));
        await UnlockAsync("a");
        Assert.Equal(SlotReply.Granted, (await again).Reply);
    }

    [Fact]
    public async Task A_stop_ends_the_wait_without_an_answer_and_nobody_waits_after_it()
    {
        var waiters = await JoinAsync("b", "c");

        Coordinator.StopWaiting();

        foreach (var waiter in waiters)
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiter);
        Assert.Equal(SlotReply.Full, (await WaitAsync("d")).Reply);
        await UnlockAsync("a");
        Assert.Empty(await HoldersAsync());
    }

    [Fact]
    public async Task More_slots_serve_as_many_as_there_are()
    {
        var waiters = await JoinAsync("b", "c", "d");

        Assert.Equal(new SlotDecision(SlotReply.Resized, 3, null), await Coordinator.ResizeAsync(3));

        Assert.Equal(SlotReply.Granted, (await waiters[0]).Reply);
        Assert.Equal(SlotReply.Granted, (await waiters[1]).Reply);
        Assert.False(waiters[2].IsCompleted);
        await Coordinator.ConfigureAsync(4);
        Assert.Equal(SlotReply.Granted, (await waiters[2]).Reply);
        Assert.Equal(["a", "b", "c", "d"], await HoldersAsync());
    }

    [Fact]
    public async Task Fewer_slots_serve_nobody_until_enough_have_released()
    {
        await Coordinator.ResizeAsync(2);
        await LockAsync("b");
        await Coordinator.ResizeAsync(1);
        var waiter = Assert.Single(await JoinAsync("c"));

        await UnlockAsync("a");
        await SettleAsync();
        Assert.False(waiter.IsCompleted);
        await UnlockAsync("b");
        Assert.Equal(SlotReply.Granted, (await waiter).Reply);
    }

    [Fact]
    public async Task Conflicts_change_neither_the_order_nor_an_answer_however_many_there_are()
    {
        var waiters = await JoinAsync("b", "c");
        for (var i = 0; i < 20; i++)
        {
            var slots = i % 2 == 0 ? 3 : 1;
            Store.ConflictWithNextSave(semaphore => semaphore.WithSlots(slots));
        }

        Assert.Equal(SlotReply.Released, (await UnlockAsync("a")).Reply);

        Assert.Equal(SlotReply.Granted, (await waiters[0]).Reply);
        await SettleAsync();
        Assert.False(waiters[1].IsCompleted);
        Assert.Equal(["b"], await HoldersAsync());
    }

    [Fact]
    public async Task The_end_lets_nobody_wait()
    {
        var waiter = Assert.Single(await JoinAsync("b"));

        await Coordinator.DisposeAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiter);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => WaitAsync("c"));
    }

    [Fact]
    public async Task An_unlock_ends_the_waits_of_its_own_id_which_are_of_before()
    {
        var waiters = await JoinAsync("b", "b", "c");

        Assert.Equal(SlotReply.NotHeld, (await UnlockAsync("b")).Reply);

        Assert.Equal(SlotReply.Full, (await waiters[0]).Reply);
        Assert.Equal(SlotReply.Full, (await waiters[1]).Reply);
        await UnlockAsync("a");
        Assert.Equal(SlotReply.Granted, (await waiters[2]).Reply);
        Assert.Equal(["c"], await HoldersAsync());
    }

    [Fact]
    public async Task A_wait_that_comes_after_the_unlock_of_its_id_in_the_same_batch_stands()
    {
        var save = Store.HoldNextSave();
        var first = UnlockAsync("nobody");
        await save.Begun;
        Store.ConflictWithNextSave(semaphore => semaphore.Lock("other", null, Since).Next);
        var batch = (Before: WaitAsync("b"), Unlock: UnlockAsync("b"), After: WaitAsync("b"));
        save.Release();
        await first;

        Assert.Equal(SlotReply.Full, (await batch.Before).Reply);
        Assert.Equal(SlotReply.NotHeld, (await batch.Unlock).Reply);
        Assert.False(batch.After.IsCompleted);
        await UnlockAsync("a");
        Assert.Equal(SlotReply.Granted, (await batch.After).Reply);
    }

    [Fact]
    public async Task An_unlock_ends_the_waits_of_its_id_also_when_the_store_fails()
    {
        var waiter = Assert.Single(await JoinAsync("b"));
        Store.FailNextSave(new SemaphoreStoreException("the disk is full"));

        await Assert.ThrowsAsync<SemaphoreStoreException>(() => UnlockAsync("b"));
        Assert.Equal(SlotReply.Full, (await waiter).Reply);
    }
}
