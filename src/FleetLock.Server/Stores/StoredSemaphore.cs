namespace FleetLock.Server;

/// <summary>A semaphore as a store has it.</summary>
/// <param name="Semaphore">The semaphore.</param>
/// <param name="Revision">
/// Which write this is, compared for equality only and known to the store alone: it says nothing of earlier or later. <see langword="null"/> when the
/// store does not have the group.
/// </param>
public sealed record StoredSemaphore(GroupSemaphore Semaphore, object? Revision)
{
    /// <summary>What a store returns for a group that it does not have.</summary>
    public static readonly StoredSemaphore None = new(GroupSemaphore.None, null);

    /// <summary>Whether the store has the group.</summary>
    public bool Exists => Revision is not null;

    /// <summary>
    /// Whether the store went back to an earlier state, and no administrator has confirmed that yet. Grants since then are lost, so nothing may be
    /// granted. A save fails with a conflict when this has changed since the semaphore was seen.
    /// </summary>
    public bool IsRestored { get; init; }
}
