using System.Collections.Immutable;
using static FleetLock.Server.Tests.Sample;

namespace FleetLock.Server.Tests;

/// <summary>The rules of the semaphore. It is a pure value, so neither a clock nor a store is needed.</summary>
[Trait("Lane", "Fast")]
public sealed class GroupSemaphoreTests
{
    private static readonly DateTimeOffset Later = Since.AddHours(1);

    [Fact]
    public void A_free_slot_is_granted()
    {
        var (next, reply) = Held(2).Lock("a", From, Since);

        Assert.Equal(SlotReply.Granted, reply);
        Assert.Equal(Granted, next.Holders["a"]);
        Assert.Equal(1, next.Free);
    }

    [Fact]
    public void A_grant_leaves_the_old_value_as_it_was()
    {
        var empty = Held(1);
        empty.Lock("a", From, Since);

        Assert.Empty(empty.Holders);
    }

    [Fact]
    public void A_full_semaphore_refuses_and_is_unchanged()
    {
        var full = Held(1, "a");

        var (next, reply) = full.Lock("b", From, Later);

        Assert.Equal(SlotReply.Full, reply);
        Assert.Same(full, next);
        Assert.Equal(0, full.Free);
    }

    [Fact]
    public void A_holder_is_granted_again_and_keeps_all_but_when_it_was_last_seen()
    {
        var (next, reply) = Held(2, "a", "b").Lock("a", "192.0.2.8", Later);

        Assert.Equal(SlotReply.AlreadyHeld, reply);
        Assert.Equal(Holder with { LastSeen = Later, Renewals = 1 }, next.Holders["a"]);
        Assert.Equal(Holder, next.Holders["b"]);
        Assert.Equal((2, 2), (next.Slots, next.Configured));
    }

    [Fact]
    public void A_holder_is_granted_again_when_the_semaphore_is_full() =>
        Assert.Equal(SlotReply.AlreadyHeld, Held(1, "a").Lock("a", From, Later).Reply);

    [Fact]
    public void A_holder_of_which_only_the_id_is_known_is_granted_again()
    {
        var unknown = GroupSemaphore.Restore(1, null, Held(1).Holders.Add("a", SlotHolder.Unknown));

        var (next, reply) = unknown.Lock("a", From, Later);

        Assert.Equal(SlotReply.AlreadyHeld, reply);
        Assert.Equal(new SlotHolder(null, null, Later) { Renewals = 1 }, next.Holders["a"]);
    }

    [Fact]
    public void A_holder_gives_its_slot_back()
    {
        var (next, reply) = Held(2, "a", "b").Unlock("a");

        Assert.Equal(SlotReply.Released, reply);
        Assert.Equal(["b"], next.Holders.Keys);
        Assert.Equal(1, next.Free);
    }

    [Fact]
    public void A_released_slot_is_free_for_another()
    {
        var released = Held(1, "a").Unlock("a").Next;

        Assert.Equal(SlotReply.Granted, released.Lock("b", From, Later).Reply);
    }

    [Fact]
    public void An_unlock_by_an_id_that_holds_none_changes_nothing()
    {
        var held = Held(2, "a");

        var (next, reply) = held.Unlock("b");

        Assert.Equal(SlotReply.NotHeld, reply);
        Assert.Same(held, next);
    }

    [Theory]
    [InlineData("node", "NODE")]
    [InlineData("node", "node ")]
    [InlineData("strasse", "straße")]
    [InlineData("\u00E9", "e\u0301")] // é in one code point, and in two
    [InlineData("i", "İ")]
    public void Ids_are_compared_ordinally(string holder, string other)
    {
        var held = Held(2, holder);

        Assert.Equal(SlotReply.NotHeld, held.Unlock(other).Reply);
        Assert.Equal(SlotReply.Granted, held.Lock(other, From, Later).Reply);
    }

    [Fact]
    public void Holders_are_in_ordinal_order() =>
        Assert.Equal(["B", "a", "b", "é"], Held(4, "é", "b", "a", "B").Holders.Keys);

    [Fact]
    public void Holders_that_were_kept_with_another_comparer_are_compared_ordinally()
    {
        var ignoringCase = ImmutableSortedDictionary.Create<string, SlotHolder>(StringComparer.OrdinalIgnoreCase).Add("node", Holder);

        Assert.Equal(SlotReply.Granted, GroupSemaphore.Restore(2, null, ignoringCase).Lock("NODE", From, Later).Reply);
    }

    [Fact]
    public void Fewer_slots_than_holders_drop_nobody()
    {
        var fewer = Held(3, "a", "b", "c").WithSlots(1);

        Assert.Equal(["a", "b", "c"], fewer.Holders.Keys);
        Assert.Equal(0, fewer.Free);
        Assert.Equal(SlotReply.AlreadyHeld, fewer.Lock("b", From, Later).Reply);
    }

    [Fact]
    public void Fewer_slots_than_holders_grant_nobody_until_enough_have_released()
    {
        var semaphore = Held(3, "a", "b", "c").WithSlots(1);

        foreach (var id in new[] { "a", "b" })
        {
            semaphore = semaphore.Unlock(id).Next;
            Assert.Equal(SlotReply.Full, semaphore.Lock("d", From, Later).Reply);
        }

        semaphore = semaphore.Unlock("c").Next;
        Assert.Equal(SlotReply.Granted, semaphore.Lock("d", From, Later).Reply);
    }

    [Fact]
    public void More_slots_are_free_at_once()
    {
        var more = Held(1, "a").WithSlots(2);

        Assert.Equal(1, more.Free);
        Assert.Equal(SlotReply.Granted, more.Lock("b", From, Later).Reply);
    }

    [Fact]
    public void The_same_number_of_slots_is_the_same_semaphore()
    {
        var held = Held(2, "a");

        Assert.Same(held, held.WithSlots(2));
    }

    [Fact]
    public void What_an_operator_has_changed_survives_the_same_configuration()
    {
        var resized = Held(2, "a").WithSlots(5);

        Assert.Equal((5, 2), (resized.Slots, resized.Configured));
        Assert.Same(resized, resized.Configure(2));
    }

    [Fact]
    public void An_edited_configuration_wins_over_what_an_operator_has_changed()
    {
        var edited = Held(2, "a").WithSlots(5).Configure(3);

        Assert.Equal((3, 3), (edited.Slots, edited.Configured));
        Assert.Equal((5, 5), (edited.Configure(5).Slots, edited.Configure(5).Configured));
        Assert.Equal(["a"], edited.Holders.Keys);
    }

    [Fact]
    public void A_configuration_is_remembered_also_when_it_changes_no_slots()
    {
        var edited = Held(2, "a").WithSlots(5).Configure(5);

        Assert.Equal((5, 5), (edited.Slots, edited.Configured));
        Assert.Same(edited, edited.Configure(5));
        Assert.Equal(2, edited.Configure(2).Slots);
    }

    [Fact]
    public void The_first_configuration_counts_even_if_it_has_no_slots()
    {
        var none = GroupSemaphore.None.Configure(0);

        Assert.NotSame(GroupSemaphore.None, none);
        Assert.Equal((0, 0), (none.Slots, none.Configured));
        Assert.Null(GroupSemaphore.None.Configured);
    }

    [Fact]
    public void A_configuration_with_fewer_slots_drops_nobody() =>
        Assert.Equal(["a", "b", "c"], Held(3, "a", "b", "c").Configure(1).Holders.Keys);

    [Fact]
    public void Locks_and_unlocks_leave_slots_and_configuration_as_they_are()
    {
        var semaphore = Held(2, "a").WithSlots(5);

        foreach (var next in new[] { semaphore.Lock("b", From, Later).Next, semaphore.Lock("a", From, Later).Next, semaphore.Unlock("a").Next })
            Assert.Equal((5, 2), (next.Slots, next.Configured));
    }

    [Fact]
    public void No_slots_grant_nobody() => Assert.Equal(SlotReply.Full, Held(0).Lock("a", From, Later).Reply);

    [Fact]
    public void Less_than_no_slots_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Held(1, "a").Configure(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Held(1, "a").WithSlots(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => GroupSemaphore.Restore(-1, null, Held(1, "a").Holders));
    }

    [Fact]
    public void A_group_that_was_never_written_has_nothing_and_grants_nothing()
    {
        Assert.Equal((0, 0), (GroupSemaphore.None.Slots, GroupSemaphore.None.Free));
        Assert.Empty(GroupSemaphore.None.Holders);
        Assert.Empty(GroupSemaphore.None.Cancelled);
        Assert.Equal(SlotReply.Full, GroupSemaphore.None.Lock("a", From, Later).Reply);
    }

    [Fact]
    public void A_semaphore_is_restored_with_all_that_a_store_has_kept()
    {
        var kept = Held(2, "a").WithSlots(5).CancelGrant("b", Grant, Since).Next;

        var restored = GroupSemaphore.Restore(kept.Slots, kept.Configured, kept.Holders, kept.Cancelled);

        Assert.Equal((5, 2), (restored.Slots, restored.Configured));
        Assert.Equal(kept.Holders, restored.Holders);
        Assert.Equal(kept.Cancelled, restored.Cancelled);
    }

    [Fact]
    public void A_semaphore_is_not_restored_without_its_holders() =>
        Assert.Throws<ArgumentNullException>("holders", () => GroupSemaphore.Restore(1, null, null!));

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void Any_sequence_of_requests_goes_as_in_a_naive_model(int seed)
    {
        var random = new Random(seed);
        var (semaphore, slots) = (Held(2), 2);
        var holders = new Dictionary<string, SlotHolder>();
        for (var step = 0; step < 5_000; step++)
        {
            var (id, time) = ("id" + random.Next(6), Since.AddSeconds(step));
            switch (random.Next(20))
            {
                case 0:
                    slots = random.Next(5);
                    semaphore = semaphore.WithSlots(slots);
                    break;
                case < 11:
                    var granted = holders.Count < slots;
                    var lockReply = holders.ContainsKey(id) ? SlotReply.AlreadyHeld : granted ? SlotReply.Granted : SlotReply.Full;
                    if (lockReply == SlotReply.Granted)
                        holders[id] = Granted with { Since = time, LastSeen = time };
                    else if (lockReply == SlotReply.AlreadyHeld)
                        holders[id] = holders[id] with { LastSeen = time, Renewals = holders[id].Renewals + 1, IsShared = true };
                    (semaphore, var locked) = semaphore.Lock(id, From, time);
                    Assert.Equal(lockReply, locked);
                    break;
                default:
                    var unlockReply = holders.Remove(id) ? SlotReply.Released : SlotReply.NotHeld;
                    (semaphore, var unlocked) = semaphore.Unlock(id);
                    Assert.Equal(unlockReply, unlocked);
                    break;
            }

            Assert.Equal(holders.OrderBy(holder => holder.Key, StringComparer.Ordinal), semaphore.Holders);
            Assert.Equal(Math.Max(0, slots - holders.Count), semaphore.Free);
        }
    }
}
