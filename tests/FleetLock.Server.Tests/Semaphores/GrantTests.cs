using static FleetLock.Server.Tests.Sample;

namespace FleetLock.Server.Tests;

/// <summary>Which grant made a hold, who relies on it, and who may end it.</summary>
[Trait("Lane", "Fast")]
public sealed class GrantTests
{
    private static readonly DateTimeOffset Later = Since.AddMinutes(5);

    private static readonly GroupSemaphore One = Lock(Held(2), Grant);

    [Fact]
    public void A_lock_keeps_the_grant_that_made_the_hold() => Assert.Equal(Granted, One.Holders["a"]);

    [Fact]
    public void A_retry_of_the_lock_operation_renews_the_hold_and_does_not_share_it()
    {
        var (next, reply) = One.Lock("a", Grant, From, Later);

        Assert.Equal(SlotReply.Renewed, reply);
        Assert.Equal(Granted with { LastSeen = Later, Renewals = 1 }, next.Holders["a"]);
    }

    [Fact]
    public void Another_operation_of_the_id_shares_the_hold_and_leaves_its_grant()
    {
        var (next, reply) = One.Lock("a", OtherGrant, From, Later);

        Assert.Equal(SlotReply.AlreadyHeld, reply);
        Assert.Equal(Granted with { LastSeen = Later, Renewals = 1, IsShared = true }, next.Holders["a"]);
    }

    [Fact]
    public void A_shared_hold_stays_shared_when_the_operation_that_made_it_retries() =>
        Assert.True(Lock(Lock(One, OtherGrant), Grant).Holders["a"].IsShared);

    [Fact]
    public void Where_renewals_are_not_recorded_a_repeat_changes_nothing_but_the_first_time_that_the_hold_is_shared()
    {
        Assert.Same(One, One.Lock("a", Grant, From, Later, recordsRenewals: false).Next);
        var shared = One.Lock("a", OtherGrant, From, Later, recordsRenewals: false).Next;
        Assert.Equal(Granted with { IsShared = true }, shared.Holders["a"]);
        Assert.Same(shared, shared.Lock("a", OtherGrant, From, Later, recordsRenewals: false).Next);
        Assert.Same(shared, shared.Lock("a", Grant, From, Later, recordsRenewals: false).Next);
    }

    [Fact]
    public void A_hold_without_a_known_grant_is_never_marked_as_shared()
    {
        var airlocks = GroupSemaphore.Restore(1, null, Held(1).Holders.Add("a", SlotHolder.Unknown));
        Assert.Same(airlocks, airlocks.Lock("a", Grant, From, Later, recordsRenewals: false).Next);
    }

    [Fact]
    public void A_cancelled_grant_frees_its_slot()
    {
        var (next, reply) = One.CancelGrant("a", Grant, Later);

        Assert.Equal(SlotReply.Released, reply);
        Assert.Empty(next.Holders);
    }

    [Fact]
    public void A_cancelled_grant_leaves_a_shared_hold()
    {
        var (next, reply) = Lock(One, OtherGrant).CancelGrant("a", Grant, Later);

        Assert.Equal(SlotReply.Kept, reply);
        Assert.True(next.Holders["a"].IsShared);
    }

    [Fact]
    public void A_cancelled_grant_leaves_the_hold_of_another_grant()
    {
        var (next, reply) = One.CancelGrant("a", OtherGrant, Later);

        Assert.Equal(SlotReply.Kept, reply);
        Assert.Equal(Granted, next.Holders["a"]);
    }

    [Fact]
    public void A_grant_id_is_scoped_to_its_node_id()
    {
        var (next, reply) = One.CancelGrant("b", Grant, Later);

        Assert.Equal(SlotReply.NotHeld, reply);
        Assert.Equal(SlotReply.Renewed, next.Lock("a", Grant, From, Later).Reply);
        Assert.Equal(SlotReply.GrantCancelled, next.Lock("b", Grant, From, Later).Reply);
    }

    [Fact]
    public void A_lock_that_is_still_on_its_way_is_refused_for_an_hour_after_its_grant_was_cancelled()
    {
        var (cancelled, reply) = Held(1).CancelGrant("a", Grant, Since);

        Assert.Equal(SlotReply.NotHeld, reply);
        Assert.Equal((cancelled, SlotReply.GrantCancelled), cancelled.Lock("a", Grant, From, Since.AddHours(1).AddTicks(-1)));
        Assert.Equal(SlotReply.Granted, cancelled.Lock("a", Grant, From, Since.AddHours(1)).Reply);
        Assert.Equal(SlotReply.Granted, cancelled.Lock("a", OtherGrant, From, Since).Reply);
    }

    [Fact]
    public void A_grant_that_is_cancelled_twice_is_kept_once()
    {
        var twice = Held(1).CancelGrant("a", Grant, Since).Next.CancelGrant("a", Grant, Later).Next;
        Assert.Equal([new CancelledGrant("a", Grant, Later.AddHours(1))], twice.Cancelled);
    }

    [Fact]
    public void Expired_cancellations_are_forgotten_by_the_next_one()
    {
        var later = Held(1).CancelGrant("a", Grant, Since).Next.CancelGrant("b", Grant, Since.AddHours(1)).Next;
        Assert.Equal(["b"], later.Cancelled.Select(cancelled => cancelled.Id));
    }

    [Fact]
    public void A_group_keeps_a_thousand_cancellations_and_forgets_the_oldest_of_the_same_id_first()
    {
        var full = Enumerable.Range(0, CancelledGrant.MaxKept).Aggregate(
            Held(1), (semaphore, i) => semaphore.CancelGrant(i == 500 ? "a" : "b" + i, Grant, Since).Next);

        var own = full.CancelGrant("a", OtherGrant, Since).Next;
        Assert.Equal(CancelledGrant.MaxKept, own.Cancelled.Count);
        Assert.Equal([OtherGrant], own.Cancelled.Where(cancelled => cancelled.Id == "a").Select(cancelled => cancelled.GrantId));

        var oldest = full.CancelGrant("new", Grant, Since).Next;
        Assert.Equal(CancelledGrant.MaxKept, oldest.Cancelled.Count);
        Assert.DoesNotContain(oldest.Cancelled, cancelled => cancelled.Id == "b0");
    }

    [Fact]
    public void A_grant_is_revoked_while_the_hold_was_not_answered_again()
    {
        var (next, reply) = One.Revoke("a", Grant, 0);

        Assert.Equal(SlotReply.Released, reply);
        Assert.Empty(next.Holders);
        Assert.Empty(next.Cancelled);
    }

    [Fact]
    public void A_grant_is_not_revoked_after_a_repeat_a_release_or_a_later_grant()
    {
        var repeated = Lock(One, Grant);
        Assert.Equal((repeated, SlotReply.NotHeld), repeated.Revoke("a", Grant, 0));
        var released = One.Unlock("a").Next;
        Assert.Equal((released, SlotReply.NotHeld), released.Revoke("a", Grant, 0));
        var other = Lock(released, OtherGrant);
        Assert.Equal((other, SlotReply.NotHeld), other.Revoke("a", Grant, 0));
    }

    [Fact]
    public void An_unlock_frees_a_shared_hold_whichever_grant_made_it() =>
        Assert.Equal(SlotReply.Released, Lock(One, OtherGrant).Unlock("a").Reply);

    private static GroupSemaphore Lock(GroupSemaphore semaphore, string grantId) => semaphore.Lock("a", grantId, From, Since).Next;
}
