using static FleetLock.Server.Tests.Sample;

namespace FleetLock.Server.Tests;

/// <summary>What a batch makes of a semaphore and a waiting queue, and under which conditions.</summary>
[Trait("Lane", "Fast")]
public sealed class BatchDecisionTests
{
    private static readonly BatchConditions Conditions = new() { Now = Since, ConfiguredSlots = 1, RecordsRenewals = true };

    private static readonly LockRequest B = new("b", OtherGrant, From, TimeSpan.FromMinutes(1));

    private static readonly LockRequest C = new("c", OtherGrant, From, TimeSpan.FromMinutes(1));

    [Fact]
    public void A_slot_that_becomes_free_goes_to_the_first_waiter_before_the_next_request_is_decided()
    {
        var unlock = new UnlockRequest("a");
        var late = new LockRequest("d", Grant, From, TimeSpan.Zero);

        var decision = Decide(Held(1, "a"), [B, C], unlock, late);

        Assert.Equal([(unlock, SlotReply.Released), (B, SlotReply.Granted), (late, SlotReply.Full)], Replies(decision));
        Assert.Equal(["c"], decision.Waiting.Waiters.Select(waiter => waiter.Id));
    }

    [Fact]
    public void Free_slots_serve_waiters_before_the_first_request()
    {
        var late = new LockRequest("d", Grant, From, TimeSpan.Zero);

        var decision = Decide(Held(1), [B], late);

        Assert.Equal([(B, SlotReply.Granted), (late, SlotReply.Full)], Replies(decision));
    }

    [Fact]
    public void A_lock_that_finds_no_slot_waits_if_it_asked_to()
    {
        var decision = Decide(Held(1, "a"), [], B);

        Assert.Empty(decision.Answers);
        Assert.Equal([B], decision.Joined);
        Assert.Equal([B], decision.Waiting.First!.Requests);
    }

    [Fact]
    public void A_lock_that_finds_no_slot_is_refused_at_once_if_it_did_not_ask_to_wait_or_the_server_is_stopping()
    {
        var atOnce = new LockRequest("b", OtherGrant, From, TimeSpan.Zero);
        var stopping = Conditions with { IsStopping = true };

        foreach (var decision in new[] { Decide(Held(1, "a"), [], atOnce), Decide(Held(1, "a"), [], stopping, B) })
        {
            Assert.Equal(SlotReply.Full, Assert.Single(decision.Answers).Decision.Reply);
            Assert.Empty(decision.Joined);
            Assert.Equal(0, decision.Waiting.Count);
        }
    }

    [Fact]
    public void A_lock_that_joins_and_is_served_within_one_batch_does_not_wait()
    {
        var unlock = new UnlockRequest("a");

        var decision = Decide(Held(1, "a"), [], B, unlock);

        Assert.Equal([(unlock, SlotReply.Released), (B, SlotReply.Granted)], Replies(decision));
        Assert.Empty(decision.Joined);
        Assert.Equal(0, decision.Waiting.Count);
    }

    [Fact]
    public void An_unlock_ends_the_wait_of_its_id_that_began_earlier_in_the_same_batch()
    {
        var unlock = new UnlockRequest("b");

        var decision = Decide(Held(1, "a"), [], B, unlock);

        Assert.Equal([(B, SlotReply.Full), (unlock, SlotReply.NotHeld)], Replies(decision));
        Assert.Empty(decision.Joined);
        Assert.Equal(0, decision.Waiting.Count);
    }

    [Fact]
    public void An_unlock_that_finds_nothing_writes_whatever_comes_after_it()
    {
        Assert.True(Decide(Held(2, "a"), [], new UnlockRequest("b"), new LockRequest("b", Grant, From, TimeSpan.Zero)).MustWrite);
        Assert.True(Decide(Held(2, "a"), [], new UnlockRequest("b"), new UnlockRequest("a")).MustWrite);
    }

    [Fact]
    public void Locks_of_holders_that_are_not_recorded_write_however_many_there_are()
    {
        var held = Held(1).Lock("a", Grant, From, Since).Next;
        var retry = new LockRequest("a", Grant, From, TimeSpan.Zero);
        var unrecorded = Conditions with { RecordsRenewals = false };

        var (once, twice) = (Decide(held, [], unrecorded, retry), Decide(held, [], unrecorded, retry, retry));

        Assert.Same(held, once.Semaphore);
        Assert.True(once.MustWrite);
        Assert.True(twice.MustWrite);
    }

    [Fact]
    public void A_revoke_that_finds_nothing_need_not_write()
    {
        var revoke = new RevokeRequest("a", OtherGrant, 0);
        var semaphore = Held(1).Lock("a", Grant, From, Since).Next;

        var decision = Decide(semaphore, [], revoke);

        Assert.Equal([(revoke, SlotReply.NotHeld)], Replies(decision));
        Assert.False(decision.MustWrite);
        Assert.Same(semaphore, decision.Semaphore);
    }

    [Fact]
    public void A_revoked_grant_frees_its_slot_for_the_first_waiter()
    {
        var revoke = new RevokeRequest("a", Grant, 0);

        var decision = Decide(Held(1).Lock("a", Grant, From, Since).Next, [B], revoke);

        Assert.Equal([(revoke, SlotReply.Released), (B, SlotReply.Granted)], Replies(decision));
        Assert.Equal(["b"], decision.Semaphore.Holders.Keys);
    }

    [Fact]
    public void An_answer_has_the_slots_of_its_turn_and_the_holder_that_was_granted_or_released()
    {
        var unlock = new UnlockRequest("a");

        var decision = Decide(Held(1, "a"), [], new ResizeRequest(2), B, unlock, C, new ResizeRequest(5));

        var granted = Granted with { GrantId = OtherGrant };
        Assert.Equal(
            [
                new SlotDecision(SlotReply.Resized, 2, null),
                new SlotDecision(SlotReply.Granted, 2, granted),
                new SlotDecision(SlotReply.Released, 2, Holder),
                new SlotDecision(SlotReply.Granted, 2, granted),
                new SlotDecision(SlotReply.Resized, 5, null),
            ],
            decision.Answers.Select(answer => answer.Decision));
    }

    [Fact]
    public void More_slots_serve_as_many_waiters_as_there_are_slots()
    {
        var resize = new ResizeRequest(2);

        var decision = Decide(Held(1, "a"), [B, C], resize);

        Assert.Equal([(resize, SlotReply.Resized), (B, SlotReply.Granted)], Replies(decision));
        Assert.Equal(2, decision.Semaphore.Slots);
    }

    [Fact]
    public void A_waiter_that_another_writer_has_granted_is_answered_although_no_slot_is_free()
    {
        var decision = Decide(Held(1, "c"), [B, C], Conditions with { IsForeign = true });

        Assert.Equal([(C, SlotReply.AlreadyHeld)], Replies(decision));
        Assert.Equal(["b"], decision.Waiting.Waiters.Select(waiter => waiter.Id));
    }

    [Fact]
    public void A_store_that_went_back_answers_no_waiter_not_even_one_that_holds_a_slot()
    {
        var decision = Decide(Held(2, "b"), [B, C], Conditions with { IsForeign = true, IsRestored = true });

        Assert.Empty(decision.Answers);
        Assert.Equal(2, decision.Waiting.Count);
    }

    [Fact]
    public void A_store_that_went_back_ends_the_wait_of_an_id_that_unlocks_as_a_new_lock_would_end()
    {
        var unlock = new UnlockRequest("b");

        var decision = Decide(Held(1, "a"), [B], Conditions with { IsRestored = true }, unlock);

        Assert.Equal([(B, SlotReply.StoreRestored), (unlock, SlotReply.NotHeld)], Replies(decision));
    }

    [Fact]
    public void A_cancelled_grant_that_is_forgotten_ends_no_wait()
    {
        var cancelled = Held(1, "a").CancelGrant("b", OtherGrant, Since - CancelledGrant.Lifetime).Next;

        Assert.Empty(Decide(cancelled, [B], Conditions with { IsForeign = true }).Answers);
    }

    [Fact]
    public void The_configured_slots_are_taken_over_where_none_are_stored()
    {
        var airlocks = GroupSemaphore.Restore(5, null, Held(5, "a").Holders);

        var decision = Decide(airlocks, [], Conditions with { ConfiguredSlots = 2 });

        Assert.Equal((2, 2), (decision.Semaphore.Slots, decision.Semaphore.Configured));
    }

    [Fact]
    public void The_configured_slots_are_taken_over_once()
    {
        var another = Held(5, "a");

        Assert.Same(another, Decide(another, [], Conditions with { ConfiguredSlots = 2 }).Semaphore);
        Assert.Equal(2, Decide(another, [], Conditions with { ConfiguredSlots = 2, MustConfigure = true }).Semaphore.Slots);
    }

    [Fact]
    public void A_group_that_is_not_configured_keeps_its_slots_and_grants_nothing()
    {
        var removed = Held(2, "a");
        var repeat = new LockRequest("a", Grant, From, TimeSpan.Zero);

        var decision = Decide(removed, [], Conditions with { ConfiguredSlots = null, MustConfigure = true }, repeat, B);

        Assert.Equal([(repeat, SlotReply.UnknownGroup), (B, SlotReply.UnknownGroup)], Replies(decision));
        Assert.Same(removed, decision.Semaphore);
    }

    private static BatchDecision Decide(GroupSemaphore semaphore, LockRequest[] waiters, params SlotRequest[] batch) =>
        Decide(semaphore, waiters, Conditions, batch);

    private static BatchDecision Decide(
        GroupSemaphore semaphore, LockRequest[] waiters, BatchConditions conditions, params SlotRequest[] batch) =>
        BatchDecision.Decide(semaphore, waiters.Aggregate(WaitingQueue.Empty, (queue, waiter) => queue.Join(waiter)), batch, conditions);

    private static IEnumerable<(SlotRequest Request, SlotReply Reply)> Replies(BatchDecision decision) =>
        decision.Answers.Select(answer => (answer.Request, answer.Decision.Reply));
}
