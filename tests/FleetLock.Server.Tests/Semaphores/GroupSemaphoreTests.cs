using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Xunit;
using static FleetLock.Server.Tests.Sample;

namespace FleetLock.Server.Tests;

/// <summary>The rules of the semaphore. It is a pure value, so neither a clock nor a store is needed.</summary>
public sealed class GroupSemaphoreTests
{
    private static readonly DateTimeOffset Later = Since.AddHours(1);

    [Fact]
    public void A_free_slot_is_granted()
    {
        var (next, reply) = GroupSemaphore.Empty(2).Lock("a", Since);

        Assert.Equal(SlotReply.Granted, reply);
        Assert.Equal(Since, next.Holders["a"]);
        Assert.Equal(1, next.Free);
    }

    [Fact]
    public void A_grant_leaves_the_old_value_as_it_was()
    {
        var empty = GroupSemaphore.Empty(1);
        empty.Lock("a", Since);

        Assert.Empty(empty.Holders);
    }

    [Fact]
    public void A_full_semaphore_refuses_and_is_unchanged()
    {
        var full = Held(1, "a");

        var (next, reply) = full.Lock("b", Later);

        Assert.Equal(SlotReply.Full, reply);
        Assert.Same(full, next);
        Assert.Equal(0, full.Free);
    }

    [Fact]
    public void A_holder_is_granted_again_and_keeps_its_since()
    {
        var held = Held(2, "a");

        var (next, reply) = held.Lock("a", Later);

        Assert.Equal(SlotReply.AlreadyHeld, reply);
        Assert.Same(held, next);
        Assert.Equal(Since, held.Holders["a"]);
    }

    [Fact]
    public void A_holder_is_granted_again_when_the_semaphore_is_full() =>
        Assert.Equal(SlotReply.AlreadyHeld, Held(1, "a").Lock("a", Later).Reply);

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

        Assert.Equal(SlotReply.Granted, released.Lock("b", Later).Reply);
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
        Assert.Equal(SlotReply.Granted, held.Lock(other, Later).Reply);
    }

    [Fact]
    public void Holders_are_in_ordinal_order() =>
        Assert.Equal(["B", "a", "b", "é"], Held(4, "é", "b", "a", "B").Holders.Keys);

    [Fact]
    public void Holders_that_were_kept_with_another_comparer_are_compared_ordinally()
    {
        var ignoringCase = ImmutableSortedDictionary.Create<string, DateTimeOffset>(StringComparer.OrdinalIgnoreCase).Add("node", Since);

        Assert.Equal(SlotReply.Granted, GroupSemaphore.Restore(2, ignoringCase).Lock("NODE", Later).Reply);
    }

    [Fact]
    public void Fewer_slots_than_holders_drop_nobody()
    {
        var fewer = Held(3, "a", "b", "c").WithSlots(1);

        Assert.Equal(["a", "b", "c"], fewer.Holders.Keys);
        Assert.Equal(0, fewer.Free);
        Assert.Equal(SlotReply.AlreadyHeld, fewer.Lock("b", Later).Reply);
    }

    [Fact]
    public void Fewer_slots_than_holders_grant_nobody_until_enough_have_released()
    {
        var semaphore = Held(3, "a", "b", "c").WithSlots(1);

        foreach (var id in new[] { "a", "b" })
        {
            semaphore = semaphore.Unlock(id).Next;
            Assert.Equal(SlotReply.Full, semaphore.Lock("d", Later).Reply);
        }

        semaphore = semaphore.Unlock("c").Next;
        Assert.Equal(SlotReply.Granted, semaphore.Lock("d", Later).Reply);
    }

    [Fact]
    public void More_slots_are_free_at_once()
    {
        var more = Held(1, "a").WithSlots(2);

        Assert.Equal(1, more.Free);
        Assert.Equal(SlotReply.Granted, more.Lock("b", Later).Reply);
    }

    [Fact]
    public void The_same_number_of_slots_is_the_same_semaphore()
    {
        var held = Held(2, "a");

        Assert.Same(held, held.WithSlots(2));
    }

    [Fact]
    public void No_slots_grant_nobody() => Assert.Equal(SlotReply.Full, GroupSemaphore.Empty(0).Lock("a", Later).Reply);

    [Fact]
    public void Less_than_no_slots_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => GroupSemaphore.Empty(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Held(1, "a").WithSlots(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => GroupSemaphore.Restore(-1, Held(1, "a").Holders));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void Any_sequence_of_requests_goes_as_in_a_naive_model(int seed)
    {
        var random = new Random(seed);
        var (semaphore, slots) = (GroupSemaphore.Empty(2), 2);
        var holders = new Dictionary<string, DateTimeOffset>();
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
                    if (granted)
                        holders.TryAdd(id, time);
                    (semaphore, var locked) = semaphore.Lock(id, time);
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
