using System.Collections.Immutable;

namespace FleetLock.Server;

/// <summary>
/// A group's counting semaphore as a pure value: slots, holders and cancelled grants, and what each request makes of them. It has neither a clock nor
/// a store. A method that changes nothing returns the same instance.
/// </summary>
public sealed class GroupSemaphore
{
    /// <summary>No slots, no holders, not configured: what a group is before its first write.</summary>
    public static readonly GroupSemaphore None = new(0, null, ImmutableSortedDictionary.Create<string, SlotHolder>(StringComparer.Ordinal), []);

    private GroupSemaphore(
        int slots, int? configured, ImmutableSortedDictionary<string, SlotHolder> holders, ImmutableList<CancelledGrant> cancelled)
    {
        Slots = slots;
        Configured = configured;
        Holders = holders;
        Cancelled = cancelled;
    }

    /// <summary>How many may hold a slot at the same time. When it is made smaller than the number of holders, nobody is granted until enough have released.</summary>
    public int Slots { get; }

    /// <summary>
    /// The number of slots that a configuration last asked for; <see langword="null"/> when none ever did. It differs from <see cref="Slots"/> when an
    /// operator has changed those since, and tells an edited configuration from one that is read again.
    /// </summary>
    public int? Configured { get; }

    /// <summary>The holders by id, in ordinal order.</summary>
    public ImmutableSortedDictionary<string, SlotHolder> Holders { get; }

    /// <summary>The cancelled grants, the oldest first.</summary>
    public ImmutableList<CancelledGrant> Cancelled { get; }

    /// <summary>How many slots are free.</summary>
    public int Free => Math.Max(0, Slots - Holders.Count);

    /// <summary>Creates a semaphore from what a store has kept.</summary>
    /// <param name="slots">The number of slots, from 0.</param>
    /// <param name="configured">The number that a configuration last asked for.</param>
    /// <param name="holders">The holders.</param>
    /// <param name="cancelled">The cancelled grants; none if <see langword="null"/>.</param>
    /// <returns>The semaphore.</returns>
    public static GroupSemaphore Restore(
        int slots, int? configured, ImmutableSortedDictionary<string, SlotHolder> holders, ImmutableList<CancelledGrant>? cancelled = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(slots);
        ArgumentNullException.ThrowIfNull(holders);
        return new GroupSemaphore(slots, configured, holders.WithComparers(StringComparer.Ordinal), cancelled ?? []);
    }

    /// <summary>Takes a slot for an id. An id that holds one is granted it again.</summary>
    /// <param name="id">The node id.</param>
    /// <param name="grantId">The grant id of the lock operation.</param>
    /// <param name="from">The address of the client, if it is known.</param>
    /// <param name="time">The time of the request.</param>
    /// <param name="recordsRenewals">Whether a repeated grant is recorded, so that an undelivered one can be revoked.</param>
    /// <returns>The next semaphore and the reply.</returns>
    public (GroupSemaphore Next, SlotReply Reply) Lock(string id, string grantId, string? from, DateTimeOffset time, bool recordsRenewals = true)
    {
        if (!Cancelled.IsEmpty && IsCancelled(id, grantId, time))
            return (this, SlotReply.GrantCancelled);
        if (!Holders.TryGetValue(id, out var holder))
        {
            return Holders.Count >= Slots
                ? (this, SlotReply.Full)
                : (WithHolders(Holders.Add(id, new SlotHolder(time, from, time) { GrantId = grantId })), SlotReply.Granted);
        }

        var isOwn = holder.GrantId == grantId;
        var next = recordsRenewals ? holder.Renew(time) : holder;

        // Without a known grant there is nothing that a cancellation could free, so nothing to protect from it.
        if (!isOwn && holder.GrantId is not null && !holder.IsShared)
            next = next with { IsShared = true };
        return (ReferenceEquals(next, holder) ? this : WithHolders(Holders.SetItem(id, next)), isOwn ? SlotReply.Renewed : SlotReply.AlreadyHeld);
    }

    /// <summary>Releases an id's slot, whichever grant made the hold. An id that holds none changes nothing.</summary>
    /// <param name="id">The node id.</param>
    /// <returns>The next semaphore and the reply.</returns>
    public (GroupSemaphore Next, SlotReply Reply) Unlock(string id) => Holders.ContainsKey(id)
        ? (WithHolders(Holders.Remove(id)), SlotReply.Released)
        : (this, SlotReply.NotHeld);

    /// <summary>
    /// Ends what a grant id asked for: frees the slot if that grant made the hold and the hold is not shared, and refuses a later lock with that grant id.
    /// </summary>
    /// <param name="id">The node id.</param>
    /// <param name="grantId">The grant id.</param>
    /// <param name="time">The time of the request.</param>
    /// <returns>The next semaphore, and <see cref="SlotReply.Released"/>, <see cref="SlotReply.Kept"/> or <see cref="SlotReply.NotHeld"/>.</returns>
    public (GroupSemaphore Next, SlotReply Reply) CancelGrant(string id, string grantId, DateTimeOffset time)
    {
        var cancelled = Cancel(new CancelledGrant(id, grantId, time + CancelledGrant.Lifetime), time);
        if (!Holders.TryGetValue(id, out var holder))
            return (new GroupSemaphore(Slots, Configured, Holders, cancelled), SlotReply.NotHeld);
        return holder.GrantId == grantId && !holder.IsShared
            ? (new GroupSemaphore(Slots, Configured, Holders.Remove(id), cancelled), SlotReply.Released)
            : (new GroupSemaphore(Slots, Configured, Holders, cancelled), SlotReply.Kept);
    }

    /// <summary>Revokes a grant whose reply could not be delivered, unless the hold was answered again since.</summary>
    /// <param name="id">The node id.</param>
    /// <param name="grantId">The grant id.</param>
    /// <param name="renewals">The renewals of the hold when it was granted.</param>
    /// <returns>The next semaphore, and <see cref="SlotReply.Released"/> or <see cref="SlotReply.NotHeld"/>.</returns>
    public (GroupSemaphore Next, SlotReply Reply) Revoke(string id, string grantId, long renewals) =>
        Holders.TryGetValue(id, out var holder) && holder.GrantId == grantId && holder.Renewals == renewals && !holder.IsShared
            ? Unlock(id)
            : (this, SlotReply.NotHeld);

    /// <summary>Changes the number of slots. No holder is lost, not even when there are then more holders than slots.</summary>
    /// <param name="slots">The number of slots, from 0.</param>
    /// <returns>The next semaphore.</returns>
    public GroupSemaphore WithSlots(int slots)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(slots);
        return slots == Slots ? this : new GroupSemaphore(slots, Configured, Holders, Cancelled);
    }

    /// <summary>
    /// Takes over the number of slots of a configuration, if it differs from what the configuration last asked for. So an operator's change survives a
    /// restart, and an edited configuration takes effect.
    /// </summary>
    /// <param name="slots">The configured number of slots, from 0.</param>
    /// <returns>The next semaphore.</returns>
    public GroupSemaphore Configure(int slots)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(slots);
        return slots == Configured ? this : new GroupSemaphore(slots, slots, Holders, Cancelled);
    }

    private bool IsCancelled(string id, string grantId, DateTimeOffset time) =>
        Cancelled.Exists(cancelled => cancelled.GrantId == grantId && cancelled.Id == id && cancelled.Until > time);

    private GroupSemaphore WithHolders(ImmutableSortedDictionary<string, SlotHolder> holders) => new(Slots, Configured, holders, Cancelled);

    private ImmutableList<CancelledGrant> Cancel(CancelledGrant grant, DateTimeOffset time)
    {
        var kept = Cancelled.RemoveAll(cancelled => cancelled.Until <= time || (cancelled.Id == grant.Id && cancelled.GrantId == grant.GrantId));
        if (kept.Count >= CancelledGrant.MaxKept)
            kept = kept.RemoveAt(Math.Max(0, kept.FindIndex(cancelled => cancelled.Id == grant.Id)));
        return kept.Add(grant);
    }
}
