namespace FleetLock.Server;

/// <summary>A semaphore and the revision under which a store keeps it.</summary>
/// <param name="Semaphore">The semaphore.</param>
/// <param name="Revision">Grows with every write of the group; 0 when the store has none.</param>
public sealed record StoredSemaphore(GroupSemaphore Semaphore, long Revision)
{
    /// <summary>What a store answers for a group that it does not have.</summary>
    public static readonly StoredSemaphore None = new(GroupSemaphore.None, 0);

    /// <summary>True when the store has the group.</summary>
    public bool Exists => Revision > 0;
}
