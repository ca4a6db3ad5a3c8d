using System;
using System.Collections.Immutable;

namespace FleetLock.Server;

/// <summary>
/// A group's counting semaphore as a pure value: slots and holders, and what each request makes of them. It knows neither clock nor store.
/// </summary>
public sealed class GroupSemaphore
{
    private static readonly ImmutableSortedDictionary<string, DateTimeOffset> NoHolders =
        ImmutableSortedDictionary.Create<string, DateTimeOffset>(StringComparer.Ordinal);

    private GroupSemaphore(int slots, ImmutableSortedDictionary<string, DateTimeOffset> holders)
    {
        Slots = slots;
        Holders = holders;
    }

    /// <summary>How many may hold a slot at the same time. Made fewer, it can be less than the holders: then nobody is granted until enough have released.</summary>
    public int Slots { get; }

    /// <summary>Who holds a slot, and since when; by id, in ordinal order.</summary>
    public ImmutableSortedDictionary<string, DateTimeOffset> Holders { get; }

    /// <summary>How many slots are free.</summary>
    public int Free => Math.Max(0, Slots - Holders.Count);

    /// <summary>A semaphore that nobody holds.</summary>
    /// <param name="slots">The number of slots, from 0.</param>
    /// <returns>The semaphore.</returns>
    public static GroupSemaphore Empty(int slots) => Restore(slots, NoHolders);

    /// <summary>A semaphore as a store has kept it.</summary>
    /// <param name="slots">The number of slots, from 0.</param>
    /// <param name="holders">The holders.</param>
    /// <returns>The semaphore.</returns>
    public static GroupSemaphore Restore(int slots, ImmutableSortedDictionary<string, DateTimeOffset> holders)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(slots);
        ArgumentNullException.ThrowIfNull(holders);
        return new GroupSemaphore(slots, holders.WithComparers(StringComparer.Ordinal));
    }

    /// <summary>Takes a slot for an id, or grants it again to the one that holds it.</summary>
    /// <param name="id">The node id.</param>
    /// <param name="time">When it is granted.</param>
    /// <returns>The semaphore after that, which is this one if nothing changes, and the reply.</returns>
    public (GroupSemaphore Next, SlotReply Reply) Lock(string id, DateTimeOffset time)
    {
        if (Holders.ContainsKey(id))
            return (this, SlotReply.AlreadyHeld);
        return Holders.Count >= Slots
            ? (this, SlotReply.Full)
            : (new GroupSemaphore(Slots, Holders.Add(id, time)), SlotReply.Granted);
    }

    /// <summary>Gives an id's slot back. An id that holds none changes nothing, and that is a success too.</summary>
    /// <param name="id">The node id.</param>
    /// <returns>The semaphore after that, which is this one if nothing changes, and the reply.</returns>
    public (GroupSemaphore Next, SlotReply Reply) Unlock(string id) => Holders.ContainsKey(id)
        ? (new GroupSemaphore(Slots, Holders.Remove(id)), SlotReply.Released)
        : (this, SlotReply.NotHeld);

    /// <summary>Changes the number of slots. No holder is lost, not even when there are then more holders than slots.</summary>
    /// <param name="slots">The number of slots, from 0.</param>
    /// <returns>The semaphore after that, which is this one if nothing changes.</returns>
    public GroupSemaphore WithSlots(int slots) => slots == Slots ? this : Restore(slots, Holders);
}
