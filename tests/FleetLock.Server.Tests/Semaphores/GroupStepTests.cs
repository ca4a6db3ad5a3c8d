using System.Collections.Immutable;
using static FleetLock.Server.Tests.Sample;

namespace FleetLock.Server.Tests;

/// <summary>The pure step: which effects follow from which messages, also when they arrive while the store is at work.</summary>
[Trait("Lane", "Fast")]
public sealed class GroupStepTests
{
    private static readonly LockRequest Lock = new("a", Grant, From, TimeSpan.Zero);

    private static readonly StoredSemaphore Stored = new(Held(1), "r1");

    private static readonly GroupState Idle = new() { Known = Stored, ConfiguredSlots = 1, RecordsRenewals = true };

    [Fact]
    public void An_unknown_group_is_loaded_before_anything_is_decided()
    {
        var (state, effects) = Apply(Idle with { Known = null }, Arrived(Lock));
        Assert.IsType<StoreWork.Load>(effects.Work);
        Assert.Empty(effects.Answers);

        (state, effects) = Apply(state, new GroupMessage.Loaded(Stored));
        Assert.Equal([new("a", Granted)], Saving(effects).Decision.Semaphore.Holders);
        Assert.Empty(effects.Answers);
        (_, effects) = Apply(state, Saved(effects));
        Assert.Equal([(Lock, SlotReply.Granted)], Replies(effects));
    }

    [Fact]
    public void Requests_that_arrive_during_a_save_are_decided_together_by_the_next_one()
    {
        var unlock = new UnlockRequest("a");
        var other = new LockRequest("b", OtherGrant, From, TimeSpan.Zero);
        var (state, first) = Apply(Idle, Arrived(Lock));
        (state, var nothing) = Apply(state, Arrived(unlock), Arrived(other));
        Assert.Null(nothing.Work);

        (state, var second) = Apply(state, Saved(first));

        Assert.Equal([(Lock, SlotReply.Granted)], Replies(second));
        Assert.Equal(["b"], Saving(second).Decision.Semaphore.Holders.Keys);
        (_, var last) = Apply(state, Saved(second));
        Assert.Equal([(unlock, SlotReply.Released), (other, SlotReply.Granted)], Replies(last));
        Assert.Null(last.Work);
    }

    [Fact]
    public void A_conflict_decides_the_same_batch_again_from_the_other_value()
    {
        var (state, effects) = Apply(Idle, Arrived(Lock));

        (state, effects) = Apply(state, Conflict(Held(1, "b")));

        Assert.True(effects.HasConflict);
        Assert.Empty(effects.Answers);
        (_, effects) = Apply(state, Saved(effects));
        Assert.Equal([(Lock, SlotReply.Full)], Replies(effects));
    }

    /// <remarks>A lock or an unlock of the batch would start the save in any case. Here only the waiters do.</remarks>
    [Fact]
    public void A_conflict_of_a_save_that_only_serves_waiters_is_decided_again()
    {
        var waiter = new LockRequest("b", OtherGrant, From, TimeSpan.FromMinutes(1));
        var (state, effects) = Apply(Waiting(waiter), new GroupMessage.StoreChanged());
        (state, effects) = Apply(state, new GroupMessage.Loaded(new StoredSemaphore(Held(1), "r2")));
        Assert.Empty(Saving(effects).Batch);

        (state, effects) = Apply(state, Conflict(Held(2, "c")));

        (_, effects) = Apply(state, Saved(effects));
        Assert.Equal([(waiter, SlotReply.Granted)], Replies(effects));
    }

    [Fact]
    public void After_a_conflict_a_lock_whose_client_has_disconnected_is_not_decided_again_and_an_unlock_is()
    {
        var unlock = new UnlockRequest("b");
        var (state, effects) = Apply(Idle, Arrived(Lock), Arrived(unlock));

        (_, effects) = Apply(state, new GroupMessage.ClientDisconnected(Lock), Conflict(Held(2, "b")));

        Assert.Equal([Lock], effects.Dropped);
        Assert.Equal([unlock], Saving(effects).Batch);
        Assert.Empty(Saving(effects).Decision.Semaphore.Holders);
    }

    [Fact]
    public void After_a_conflict_that_leaves_nothing_to_decide_again_what_has_arrived_meanwhile_is_decided()
    {
        var unlock = new UnlockRequest("b");
        var (state, effects) = Apply(Idle, Arrived(Lock));

        (state, effects) = Apply(state, new GroupMessage.ClientDisconnected(Lock), Arrived(unlock), Conflict(Held(1, "b")));

        Assert.Empty(state.Deferred);
        Assert.Equal([unlock], Saving(effects).Batch);
    }

    [Fact]
    public void After_a_conflict_a_lock_that_has_arrived_meanwhile_and_whose_client_has_disconnected_is_dropped()
    {
        var late = new LockRequest("b", OtherGrant, From, TimeSpan.Zero);
        var (state, effects) = Apply(Idle, Arrived(Lock));

        (state, effects) = Apply(state, Arrived(late), new GroupMessage.ClientDisconnected(late), Conflict(Held(2)));
        (state, effects) = Apply(state, Saved(effects));

        Assert.Equal([late], effects.Dropped);
        Assert.Null(effects.Work);
        Assert.Empty(state.Pending);
    }

    [Fact]
    public void A_lock_whose_client_disconnects_before_it_is_decided_is_dropped()
    {
        var (state, effects) = Apply(Idle, Arrived(Lock), new GroupMessage.ClientDisconnected(Lock));
        Assert.Equal([Lock], effects.Dropped);
        Assert.Null(effects.Work);
        Assert.Empty(state.Pending);
    }

    /// <remarks>Defect 7.</remarks>
    [Fact]
    public void A_release_whose_client_disconnects_before_it_is_decided_is_carried_out()
    {
        SlotRequest[] releases = [new UnlockRequest("a"), new CancelGrantRequest("a", GrantId.Create()), new RevokeRequest("a", GrantId.Create(), 0)];

        var (_, effects) = Apply(
            Idle, [.. releases.Select(Arrived), .. releases.Select(release => new GroupMessage.ClientDisconnected(release))]);

        Assert.Empty(effects.Dropped);
        Assert.Equal(releases, Saving(effects).Batch);
    }

    [Fact]
    public void A_lock_whose_client_disconnects_while_it_is_saved_is_answered()
    {
        var (state, save) = Apply(Idle, Arrived(Lock));

        (_, var effects) = Apply(state, new GroupMessage.ClientDisconnected(Lock), Saved(save));

        Assert.Equal([(Lock, SlotReply.Granted)], Replies(effects));
        Assert.Empty(effects.Dropped);
    }

    /// <remarks>Defect 3: an earlier transaction in flight has to fail after this answer.</remarks>
    [Fact]
    public void An_unlock_that_finds_nothing_writes_once_per_batch()
    {
        var (_, effects) = Apply(Idle, Arrived(new UnlockRequest("x")), Arrived(new UnlockRequest("y")));

        Assert.True(Saving(effects).Decision.MustWrite);
        Assert.Same(Stored.Semaphore, Saving(effects).Decision.Semaphore);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_lock_of_a_holder_always_writes(bool recordsRenewals)
    {
        var held = Idle with { Known = new StoredSemaphore(Held(1, "a"), "r2"), RecordsRenewals = recordsRenewals };
        var (_, effects) = Apply(held, Arrived(Lock));

        var decision = Saving(effects).Decision;
        Assert.Equal(recordsRenewals, !ReferenceEquals(held.Known.Semaphore, decision.Semaphore));
        Assert.Equal(recordsRenewals, !decision.MustWrite);
    }

    [Fact]
    public void An_unlock_ends_the_waits_of_its_id_before_it_is_saved()
    {
        var waiter = new LockRequest("b", OtherGrant, From, TimeSpan.FromMinutes(1));
        var (state, effects) = Apply(Waiting(waiter), Arrived(new UnlockRequest("b")));

        Assert.Equal([(waiter, SlotReply.Full)], Replies(effects));
        Assert.Equal(0, state.Waiting.Count);
        Assert.NotNull(effects.Work);
    }

    [Fact]
    public void A_lock_begins_to_wait_once_it_is_confirmed_that_no_slot_is_free()
    {
        var waiter = new LockRequest("b", OtherGrant, From, TimeSpan.FromMinutes(1));
        var (state, effects) = Apply(Waiting(), Arrived(waiter));
        Assert.Empty(effects.Waits);
        Assert.Equal(0, state.Waiting.Count);

        (state, effects) = Apply(state, Saved(effects));

        Assert.Equal([waiter], effects.Waits);
        Assert.Equal([waiter], state.Waiting.First!.Requests);
        Assert.Empty(effects.Answers);
    }

    [Fact]
    public void A_wait_that_expires_is_answered_with_the_slots_that_the_store_had()
    {
        var waiter = new LockRequest("b", OtherGrant, From, TimeSpan.FromMinutes(1));
        var resized = Waiting(waiter) with { Known = new StoredSemaphore(Held(1, "a", "c", "d").WithSlots(3), "r2") };

        var (state, effects) = Apply(resized, new GroupMessage.WaitExpired(waiter));

        Assert.Equal([(waiter, new SlotDecision(SlotReply.Full, 3, null))], effects.Answers);
        Assert.Equal(0, state.Waiting.Count);
    }

    [Fact]
    public void A_wait_that_expires_while_it_is_unknown_what_the_store_has_is_answered_with_the_configured_slots()
    {
        var waiter = new LockRequest("b", OtherGrant, From, TimeSpan.FromMinutes(1));
        var configured = Waiting(waiter) with { ConfiguredSlots = 3 };

        var (_, effects) = Apply(configured, new GroupMessage.StoreChanged(), new GroupMessage.WaitExpired(waiter));

        Assert.Equal([(waiter, new SlotDecision(SlotReply.Full, 3, null))], effects.Answers);
    }

    /// <remarks>Also while the store is looked at once more, which is each second.</remarks>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_wait_that_expires_at_a_store_that_went_back_ends_as_a_new_lock_would(bool isLoading)
    {
        var waiter = new LockRequest("b", OtherGrant, From, TimeSpan.FromMinutes(1));
        var restored = Loaded(Waiting(waiter), new StoredSemaphore(Held(1, "a"), "r2") { IsRestored = true });
        GroupMessage[] looks = isLoading ? [new GroupMessage.StoreChanged(), new GroupMessage.StoreChanged()] : [];

        var (state, effects) = Apply(restored, [.. looks, new GroupMessage.WaitExpired(waiter)]);

        Assert.Equal([(waiter, SlotReply.StoreRestored)], Replies(effects));
        Assert.Equal(0, state.Waiting.Count);
    }

    [Fact]
    public void A_wait_that_expires_after_the_restore_was_confirmed_finds_the_slots_taken()
    {
        var waiter = new LockRequest("b", OtherGrant, From, TimeSpan.FromMinutes(1));
        var restored = Loaded(Waiting(waiter), new StoredSemaphore(Held(1, "a"), "r2") { IsRestored = true });
        var confirmed = Loaded(restored, new StoredSemaphore(Held(1, "a"), "r3"));

        var (_, effects) = Apply(confirmed, new GroupMessage.StoreChanged(), new GroupMessage.WaitExpired(waiter));

        Assert.Equal([(waiter, SlotReply.Full)], Replies(effects));
    }

    [Fact]
    public void An_unlock_ends_the_waits_of_its_id_at_a_store_that_went_back_as_a_new_lock_would()
    {
        var waiter = new LockRequest("b", OtherGrant, From, TimeSpan.FromMinutes(1));
        var restored = Loaded(Waiting(waiter), new StoredSemaphore(Held(1, "a"), "r2") { IsRestored = true });

        var (_, effects) = Apply(restored, Arrived(new UnlockRequest("b")));

        Assert.Equal([(waiter, SlotReply.StoreRestored)], Replies(effects));
    }

    [Fact]
    public void A_waiter_whose_grant_was_cancelled_at_another_server_is_answered_after_a_load()
    {
        var cancelled = new LockRequest("b", OtherGrant, From, TimeSpan.FromMinutes(1));
        var other = new LockRequest("b", Grant, From, TimeSpan.FromMinutes(1));
        var (state, effects) = Apply(Waiting(cancelled, other), new GroupMessage.StoreChanged());
        var stored = new StoredSemaphore(Held(1, "a").CancelGrant("b", OtherGrant, Since).Next, "r2");
        (state, effects) = Apply(state, new GroupMessage.Loaded(stored));

        (state, effects) = Apply(state, Saved(effects));

        Assert.Equal([(cancelled, SlotReply.GrantCancelled)], Replies(effects));
        Assert.Equal([other], state.Waiting.First!.Requests);
    }

    [Fact]
    public void A_lock_that_is_refused_is_confirmed_without_a_write()
    {
        var full = Idle with { Known = new StoredSemaphore(Held(1, "b"), "r2") };
        var (_, effects) = Apply(full, Arrived(Lock));

        Assert.False(Saving(effects).Decision.MustWrite);
        Assert.Same(full.Known.Semaphore, Saving(effects).Decision.Semaphore);
    }

    [Fact]
    public void A_failed_save_fails_its_batch_and_the_waiters_and_forgets_what_the_store_had()
    {
        var error = new SemaphoreStoreException("away");
        var waiter = new LockRequest("b", OtherGrant, From, TimeSpan.FromMinutes(1));
        var (state, _) = Apply(Waiting(waiter), Arrived(Lock));

        (state, var effects) = Apply(state, new GroupMessage.StoreFailed(error));

        Assert.Equal([Lock, waiter], effects.Failed);
        Assert.Same(error, effects.Error);
        Assert.Null(state.Known);
        Assert.Equal(0, state.Waiting.Count);
        Assert.Null(effects.Work);
    }

    [Fact]
    public void The_outcome_of_a_failed_save_is_unknown_for_what_it_would_have_changed()
    {
        var waiter = new LockRequest("b", OtherGrant, From, TimeSpan.FromMinutes(1));
        var (unlock, late, nobody) = (new UnlockRequest("a"), new LockRequest("c", Grant, From, TimeSpan.Zero), new UnlockRequest("d"));
        var (state, _) = Apply(Waiting(waiter), Arrived(unlock), Arrived(late), Arrived(nobody));

        var (_, effects) = Apply(state, new GroupMessage.StoreFailed(new SemaphoreStoreException("away")));
        Assert.Equal([unlock, waiter, nobody], effects.Unsettled);
        Assert.Equal([unlock, late, nobody, waiter], effects.Failed);

        (_, effects) = Apply(state, new GroupMessage.StoreFailed(new SemaphoreStoreException("damaged") { MayHaveSaved = false }));
        Assert.Empty(effects.Unsettled);
        Assert.Equal(4, effects.Failed.Count);
    }

    /// <remarks>Without a next request nothing is tried again, or a store that is away would be asked without a pause.</remarks>
    [Fact]
    public void A_failed_load_fails_the_requests_and_the_waiters_that_it_was_for_and_is_not_repeated()
    {
        var waiter = new LockRequest("b", OtherGrant, From, TimeSpan.FromMinutes(1));
        var waiting = Waiting(waiter);
        var (state, effects) = Apply(waiting, new GroupMessage.StoreChanged(), Arrived(Lock));
        Assert.IsType<StoreWork.Load>(effects.Work);

        (state, effects) = Apply(state, new GroupMessage.StoreFailed(new SemaphoreStoreException("away")));

        Assert.Equal([Lock, waiter], effects.Failed);
        Assert.Empty(effects.Unsettled);
        Assert.Null(effects.Work);
        Assert.Equal(waiting with { Known = null, Waiting = WaitingQueue.Empty }, state);
    }

    [Fact]
    public void Requests_that_arrived_during_a_failed_save_are_decided_after_a_load()
    {
        var (state, _) = Apply(Idle, Arrived(Lock));
        (_, var effects) = Apply(state, Arrived(new UnlockRequest("a")), new GroupMessage.StoreFailed(new SemaphoreStoreException("away")));

        Assert.Equal([Lock], effects.Failed);
        Assert.IsType<StoreWork.Load>(effects.Work);
    }

    [Fact]
    public void A_cancelled_grant_ends_the_wait_of_its_operation_alone()
    {
        var waiter = new LockRequest("b", Grant, From, TimeSpan.FromMinutes(1));
        var other = new LockRequest("b", OtherGrant, From, TimeSpan.FromMinutes(1));
        var cancel = new CancelGrantRequest("b", Grant);
        var (state, effects) = Apply(Waiting(waiter, other), Arrived(cancel));

        (state, effects) = Apply(state, Saved(effects));

        Assert.Equal([(waiter, SlotReply.GrantCancelled), (cancel, SlotReply.NotHeld)], Replies(effects));
        Assert.Equal([other], state.Waiting.First!.Requests);
    }

    [Fact]
    public void A_lock_that_waits_after_its_grant_was_cancelled_in_the_same_batch_is_refused()
    {
        var waiter = new LockRequest("b", Grant, From, TimeSpan.FromMinutes(1));
        var (state, effects) = Apply(Waiting(), Arrived(new CancelGrantRequest("b", Grant)), Arrived(waiter));

        (_, effects) = Apply(state, Saved(effects));

        Assert.Contains((waiter, SlotReply.GrantCancelled), Replies(effects));
        Assert.Empty(effects.Waits);
    }

    /// <remarks>Defect 8.</remarks>
    [Fact]
    public void A_group_that_leaves_the_configuration_ends_its_waits_and_grants_nothing_more()
    {
        var waiter = new LockRequest("b", OtherGrant, From, TimeSpan.FromMinutes(1));
        var (state, effects) = Apply(Waiting(waiter), Arrived(new ConfigureRequest(null)), Arrived(new UnlockRequest("a")), Arrived(Lock));
        Assert.Equal([(waiter, SlotReply.UnknownGroup)], Replies(effects));

        (_, effects) = Apply(state, Saved(effects));

        Assert.Equal([SlotReply.Resized, SlotReply.Released, SlotReply.UnknownGroup], effects.Answers.Select(answer => answer.Decision.Reply));
    }

    [Fact]
    public void A_waiter_that_is_not_allowed_any_more_is_refused()
    {
        var waiter = new LockRequest("b", OtherGrant, From, TimeSpan.FromMinutes(1));
        var (state, effects) = Apply(Waiting(waiter), new GroupMessage.NotAllowed(waiter));
        Assert.Equal([(waiter, SlotReply.NotAllowed)], Replies(effects));
        Assert.Equal(0, state.Waiting.Count);
    }

    /// <remarks>Defect 2: not even a repeat is granted, because its holder may have released since the backup.</remarks>
    [Fact]
    public void A_store_that_went_back_grants_nothing_and_releases()
    {
        var restored = Idle with { Known = new StoredSemaphore(Held(2, "a", "b"), "r2") { IsRestored = true } };
        var unlock = new UnlockRequest("b");
        var waiter = new LockRequest("c", OtherGrant, From, TimeSpan.FromMinutes(1));
        var (state, effects) = Apply(restored, Arrived(Lock), Arrived(unlock), Arrived(waiter));

        (_, effects) = Apply(state, Saved(effects));

        Assert.Equal([(Lock, SlotReply.StoreRestored), (unlock, SlotReply.Released), (waiter, SlotReply.StoreRestored)], Replies(effects));
    }

    [Fact]
    public void Waiters_of_a_store_that_went_back_are_served_once_it_is_confirmed()
    {
        var waiter = new LockRequest("b", OtherGrant, From, TimeSpan.FromMinutes(1));
        var (state, effects) = Apply(Waiting(waiter), new GroupMessage.StoreChanged());
        (state, effects) = Apply(state, new GroupMessage.Loaded(new StoredSemaphore(Held(1), "r2") { IsRestored = true }));
        Assert.Empty(effects.Answers);
        Assert.Null(effects.Work);
        Assert.Equal(1, state.Waiting.Count);

        (state, _) = Apply(state, new GroupMessage.StoreChanged());
        (state, effects) = Apply(state, new GroupMessage.Loaded(new StoredSemaphore(Held(1), "r3")));
        (_, effects) = Apply(state, Saved(effects));
        Assert.Equal([(waiter, SlotReply.Granted)], Replies(effects));
    }

    [Fact]
    public void A_waiter_that_another_server_has_granted_is_answered_after_a_load_although_no_slot_is_free()
    {
        var waiter = new LockRequest("b", OtherGrant, From, TimeSpan.FromMinutes(1));
        var (state, effects) = Apply(Waiting(waiter), new GroupMessage.StoreChanged());
        (state, effects) = Apply(state, new GroupMessage.Loaded(new StoredSemaphore(Held(1, "b"), "r2")));
        Assert.Empty(effects.Answers);

        (_, effects) = Apply(state, Saved(effects));

        Assert.Equal([(waiter, SlotReply.AlreadyHeld)], Replies(effects));
    }

    [Fact]
    public void A_waiter_that_another_server_has_granted_is_answered_after_a_conflict_although_no_slot_is_free()
    {
        var waiter = new LockRequest("b", OtherGrant, From, TimeSpan.FromMinutes(1));
        var (state, effects) = Apply(Waiting(waiter), Arrived(Lock));

        (state, effects) = Apply(state, Conflict(Held(1, "b")));

        (_, effects) = Apply(state, Saved(effects));
        Assert.Equal([(waiter, SlotReply.AlreadyHeld), (Lock, SlotReply.Full)], Replies(effects));
    }

    /// <remarks>Where renewals are not recorded, the answer does not change the semaphore. It is saved all the same.</remarks>
    [Fact]
    public void A_waiter_that_is_found_to_hold_a_slot_is_answered_only_when_the_store_confirms_it()
    {
        var waiter = new LockRequest("b", OtherGrant, From, TimeSpan.FromMinutes(1));
        var stored = new StoredSemaphore(Held(1, "b"), "r2");
        var (state, effects) = Apply(Waiting(waiter) with { RecordsRenewals = false }, new GroupMessage.StoreChanged());
        (state, effects) = Apply(state, new GroupMessage.Loaded(stored));
        Assert.Same(stored.Semaphore, Saving(effects).Decision.Semaphore);
        Assert.Empty(effects.Answers);

        (_, effects) = Apply(state, Saved(effects));

        Assert.Equal([(waiter, SlotReply.AlreadyHeld)], Replies(effects));
    }

    [Fact]
    public void A_load_that_serves_nobody_leaves_nothing_to_do()
    {
        var waiting = Waiting(new LockRequest("b", OtherGrant, From, TimeSpan.FromMinutes(1)));
        var stored = new StoredSemaphore(Held(1, "c"), "r2");
        var (state, _) = Apply(waiting, new GroupMessage.StoreChanged());

        (state, var effects) = Apply(state, new GroupMessage.Loaded(stored));

        Assert.Null(effects.Work);
        Assert.Equal(waiting with { Known = stored }, state);
    }

    [Fact]
    public void A_change_in_the_store_is_of_no_interest_while_nobody_waits()
    {
        var (state, effects) = Apply(Idle, new GroupMessage.StoreChanged());
        Assert.Null(effects.Work);
        Assert.Same(Idle, state);
    }

    [Fact]
    public void The_configured_slots_are_saved_once_and_again_after_a_failure()
    {
        var configure = new ConfigureRequest(3);
        var (state, effects) = Apply(Idle, Arrived(configure));
        Assert.Equal(3, Saving(effects).Decision.Semaphore.Slots);
        (state, effects) = Apply(state, new GroupMessage.StoreFailed(new SemaphoreStoreException("away")));
        Assert.Equal([configure], effects.Failed);

        (state, _) = Apply(state, Arrived(Lock));
        (state, effects) = Apply(state, new GroupMessage.Loaded(Stored));
        Assert.Equal(3, Saving(effects).Decision.Semaphore.Slots);
        (state, _) = Apply(state, Saved(effects));

        // An operator's change afterwards stays.
        state = state with { Known = new StoredSemaphore(Saving(effects).Decision.Semaphore.WithSlots(7), "r9") };
        (_, effects) = Apply(state, Arrived(new UnlockRequest("a")));
        Assert.Equal(7, Saving(effects).Decision.Semaphore.Slots);
    }

    [Fact]
    public void A_configuration_that_another_server_has_saved_since_stays()
    {
        var (state, effects) = Apply(Idle, Arrived(new ConfigureRequest(3)));
        (state, _) = Apply(state, Saved(effects));

        (state, effects) = Apply(state with { Known = null }, Arrived(Lock));
        (state, effects) = Apply(state, new GroupMessage.Loaded(new StoredSemaphore(Held(5), "r9")));

        Assert.Equal((5, 5), (Saving(effects).Decision.Semaphore.Slots, Saving(effects).Decision.Semaphore.Configured));
    }

    [Fact]
    public void A_configuration_that_meets_another_writer_is_saved_after_it()
    {
        var (state, effects) = Apply(Idle, Arrived(new ConfigureRequest(3)));

        (_, effects) = Apply(state, Conflict(Held(5, "b")));

        Assert.Equal((3, 3), (Saving(effects).Decision.Semaphore.Slots, Saving(effects).Decision.Semaphore.Configured));
        Assert.Equal(["b"], Saving(effects).Decision.Semaphore.Holders.Keys);
    }

    [Fact]
    public void Two_operations_of_one_id_that_wait_get_one_slot_which_is_shared()
    {
        var first = new LockRequest("b", Grant, From, TimeSpan.FromMinutes(1));
        var second = new LockRequest("b", OtherGrant, From, TimeSpan.FromMinutes(1));
        var (state, effects) = Apply(Waiting(first, second), Arrived(new UnlockRequest("a")));

        (state, effects) = Apply(state, Saved(effects));

        Assert.Contains((first, SlotReply.Granted), Replies(effects));
        Assert.Contains((second, SlotReply.AlreadyHeld), Replies(effects));
        Assert.True(state.Known!.Semaphore.Holders["b"].IsShared);
    }

    [Fact]
    public void A_revoke_frees_a_grant_that_was_not_answered_again_and_no_other()
    {
        var held = Idle with { Known = new StoredSemaphore(Held(1).Lock("a", Grant, From, Since).Next, "r2") };
        var (_, effects) = Apply(held, Arrived(new RevokeRequest("a", Grant, 0)));
        Assert.Empty(Saving(effects).Decision.Semaphore.Holders);

        (_, effects) = Apply(held, Arrived(Lock), Arrived(new RevokeRequest("a", Grant, 0)));
        Assert.Equal(["a"], Saving(effects).Decision.Semaphore.Holders.Keys);
    }

    [Fact]
    public void A_revoke_does_nothing_where_repeats_leave_no_trace()
    {
        var state = Idle with { Known = new StoredSemaphore(Held(1).Lock("a", Grant, From, Since).Next, "r2"), RecordsRenewals = false };
        var revoke = new RevokeRequest("a", Grant, 0);
        (state, var effects) = Apply(state, Arrived(revoke));
        Assert.Equal(["a"], Saving(effects).Decision.Semaphore.Holders.Keys);
        (_, effects) = Apply(state, Saved(effects));
        Assert.Equal([(revoke, SlotReply.NotHeld)], Replies(effects));
    }

    [Fact]
    public void When_the_server_stops_waiters_are_dropped_and_nobody_begins_to_wait()
    {
        var waiter = new LockRequest("b", OtherGrant, From, TimeSpan.FromMinutes(1));
        var late = new LockRequest("c", OtherGrant, From, TimeSpan.FromMinutes(1));
        var (state, effects) = Apply(Waiting(waiter), new GroupMessage.StopWaiting(), Arrived(late));
        Assert.Equal([waiter], effects.Dropped);
        Assert.Equal(0, state.Waiting.Count);

        (_, effects) = Apply(state, Saved(effects));
        Assert.Equal([(late, SlotReply.Full)], Replies(effects));
    }

    /// <summary>A group whose one slot "a" holds, and in which these requests wait.</summary>
    private static GroupState Waiting(params LockRequest[] waiters) => Idle with
    {
        Known = new StoredSemaphore(Held(1, "a"), "r1"),
        Waiting = waiters.Aggregate(WaitingQueue.Empty, (queue, waiter) => queue.Join(waiter)),
    };

    /// <summary>The state after the store was looked at, which changes nothing for the waiters.</summary>
    private static GroupState Loaded(GroupState waiting, StoredSemaphore stored)
    {
        var (state, _) = Apply(waiting, new GroupMessage.StoreChanged());
        (state, var effects) = Apply(state, new GroupMessage.Loaded(stored));
        Assert.Null(effects.Work);
        return state;
    }

    private static (GroupState State, GroupEffects Effects) Apply(GroupState state, params GroupMessage[] messages) =>
        GroupStep.Apply(state, messages, Since);

    private static GroupMessage.RequestArrived Arrived(SlotRequest request) => new(request);

    private static StoreWork.Save Saving(GroupEffects effects) => Assert.IsType<StoreWork.Save>(effects.Work);

    private static GroupMessage.Saved Saved(GroupEffects effects) =>
        new(new SaveOutcome(true, new StoredSemaphore(Saving(effects).Decision.Semaphore, new object())));

    private static GroupMessage.Saved Conflict(GroupSemaphore current) => new(new SaveOutcome(false, new StoredSemaphore(current, new object())));

    private static ImmutableArray<(SlotRequest Request, SlotReply Reply)> Replies(GroupEffects effects) =>
        [.. effects.Answers.Select(answer => (answer.Request, answer.Decision.Reply))];
}
