using System.Collections.Immutable;

namespace FleetLock.Server;

/// <summary>All that a server knows of a group: an immutable value, changed by <see cref="GroupStep"/> alone.</summary>
internal sealed record GroupState
{
    /// <summary>What the store last had; <see langword="null"/> when that is not known. Each reply is confirmed by the store, so this only saves a load.</summary>
    internal StoredSemaphore? Known { get; init; }

    /// <summary>Whether the store had the mark of a restore when <see cref="Known"/> was last known.</summary>
    internal bool WasRestored { get; init; }

    /// <summary>Whether <see cref="Known"/> comes from the store, and another writer may have granted a slot to an id that waits here.</summary>
    internal bool IsForeign { get; init; }

    internal WaitingQueue Waiting { get; init; } = WaitingQueue.Empty;

    /// <summary>The requests that the next batch decides, in their order.</summary>
    internal ImmutableList<SlotRequest> Pending { get; init; } = [];

    /// <summary>The messages that have arrived while the store is at work, in their order.</summary>
    internal ImmutableList<GroupMessage> Deferred { get; init; } = [];

    /// <summary>The store's work in progress; <see langword="null"/> when it is idle.</summary>
    internal StoreWork? Work { get; init; }

    /// <summary>What a lock gets whose wait ends without a grant: what it would get if it were sent now and did not wait.</summary>
    internal SlotReply EndedWaitReply => (Known?.IsRestored ?? WasRestored) ? SlotReply.StoreRestored : SlotReply.Full;

    /// <summary>The configured number of slots; <see langword="null"/> when the group is not configured.</summary>
    internal int? ConfiguredSlots { get; init; }

    /// <summary>Whether <see cref="ConfiguredSlots"/> is not saved yet.</summary>
    internal bool MustConfigure { get; init; }

    /// <summary>Whether the waiters may have to be served although no request is pending.</summary>
    internal bool MayServe { get; init; }

    internal bool IsStopping { get; init; }

    /// <summary>Whether every writer of the store records repeated grants.</summary>
    internal required bool RecordsRenewals { get; init; }
}

/// <summary>What the store is at work on.</summary>
internal abstract record StoreWork
{
    /// <summary>It loads the group.</summary>
    internal sealed record Load : StoreWork;

    /// <summary>It saves a decided batch.</summary>
    internal sealed record Save(StoredSemaphore Seen, ImmutableList<SlotRequest> Batch, BatchDecision Decision) : StoreWork;
}
