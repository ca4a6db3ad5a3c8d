using System.Collections.Immutable;

namespace FleetLock.Server;

/// <summary>
/// A group's counting semaphore as a pure value: slots and holders, and what each request makes of them. It knows neither clock nor store.
/// A method that changes nothing returns the very same semaphore.
/// </summary>
public sealed class GroupSemaphore
{
    /// <summary>No slots, no holders, not configured: what a group is before its first write.</summary>
    public static readonly GroupSemaphore None = new(0, null, ImmutableSortedDictionary.Create<string, SlotHolder>(StringComparer.Ordinal));

    private GroupSemaphore(int slots, int? configured, ImmutableSortedDictionary<string, SlotHolder> holders)
    {
        Slots = slots;
        Configured = configured;
        Holders = holders;
    }

    /// <summary>How many may hold a slot at the same time. Made fewer, it can be less than the holders: then nobody is granted until enough have released.</summary>
    public int Slots { get; }

    /// <summary>
    /// The number of slots that a configuration last asked for; <see langword="null"/> when none ever did. It differs from <see cref="Slots"/> when an
    /// operator has changed those since, and tells an edited configuration from one that is merely read again.
    /// </summary>
    public int? Configured { get; }

    /// <summary>Who holds a slot; by id, in ordinal order.</summary>
    public ImmutableSortedDictionary<string, SlotHolder> Holders { get; }

    /// <summary>How many slots are free.</summary>
    public int Free => Math.Max(0, Slots - Holders.Count);

    /// <summary>A semaphore as a store has kept it.</summary>
    /// <param name="slots">The number of slots, from 0.</param>
    /// <param name="configured">The number that a configuration last asked for.</param>
    /// <param name="holders">The holders.</param>
    /// <returns>The semaphore.</returns>
    public static GroupSemaphore Restore(int slots, int? configured, ImmutableSortedDictionary<string, SlotHolder> holders)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(slots);
        ArgumentNullException.ThrowIfNull(holders);
        return new GroupSemaphore(slots, configured, holders.WithComparers(StringComparer.Ordinal));
    }

    /// <summary>Takes a slot for an id, or grants it again to the one that holds it.</summary>
    /// <param name="id">The node id.</param>
    /// <param name="from">The address that it asks from, if it is known.</param>
    /// <param name="time">When it asks.</param>
    /// <returns>The semaphore after that and the reply. A slot that is granted again changes the semaphore too: it keeps when its holder last asked.</returns>
    public (GroupSemaphore Next, SlotReply Reply) Lock(string id, string? from, DateTimeOffset time)
    {
        if (Holders.TryGetValue(id, out var holder))
            return (WithHolders(Holders.SetItem(id, holder.AskedAgain(time))), SlotReply.AlreadyHeld);
        return Holders.Count >= Slots
            ? (this, SlotReply.Full)
            : (WithHolders(Holders.Add(id, new SlotHolder(time, from, time))), SlotReply.Granted);
    }

    /// <summary>Gives an id's slot back. An id that holds none changes nothing, and that is a success too.</summary>
    /// <param name="id">The node id.</param>
    /// <returns>The semaphore after that and the reply.</returns>
    public (GroupSemaphore Next, SlotReply Reply) Unlock(string id) => Holders.ContainsKey(id)
        ? (WithHolders(Holders.Remove(id)), SlotReply.Released)
        : (this, SlotReply.NotHeld);

    /// <summary>Takes a grant back that nobody heard of, unless its id has asked again since: then somebody may have heard.</summary>
    /// <param name="id">The node id.</param>
    /// <param name="granted">The holder as it was granted.</param>
    /// <returns>The semaphore after that and the reply.</returns>
    public (GroupSemaphore Next, SlotReply Reply) TakeBack(string id, SlotHolder granted) =>
        Holders.TryGetValue(id, out var holder) && holder == granted ? Unlock(id) : (this, SlotReply.NotHeld);

    /// <summary>Changes the number of slots. No holder is lost, not even when there are then more holders than slots.</summary>
    /// <param name="slots">The number of slots, from 0.</param>
    /// <returns>The semaphore after that.</returns>
    public GroupSemaphore WithSlots(int slots) => slots == Slots ? this : Restore(slots, Configured, Holders);

    /// <summary>
    /// Takes over the number of slots of a configuration, if it is another than the configuration said last. So what an operator changed in
    /// between survives a restart, and an edit of the configuration counts.
    /// </summary>
    /// <param name="slots">The configured number of slots, from 0.</param>
    /// <returns>The semaphore after that.</returns>
    public GroupSemaphore Configure(int slots) => slots == Configured ? this : Restore(slots, slots, Holders);

    private GroupSemaphore WithHolders(ImmutableSortedDictionary<string, SlotHolder> holders) => new(Slots, Configured, holders);
}
