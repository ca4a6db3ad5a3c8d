namespace FleetLock.Server;

/// <summary>Everything that a store has, as of one moment.</summary>
/// <param name="Semaphores">The semaphores, by group.</param>
/// <param name="Damaged">What is wrong with the values that are no semaphore, by group; for people. They are left as they are.</param>
public sealed record StoreContents(IReadOnlyDictionary<string, StoredSemaphore> Semaphores, IReadOnlyDictionary<string, string> Damaged)
{
    /// <summary>Whether the store went back to an earlier state, which no administrator has confirmed.</summary>
    public bool IsRestored { get; init; }
}
