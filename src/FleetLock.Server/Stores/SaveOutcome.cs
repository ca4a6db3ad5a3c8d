namespace FleetLock.Server;

/// <summary>What came of a save.</summary>
/// <param name="IsSaved">Whether the stored semaphore was the one that was seen, so that what was to be saved is now stored, durably.</param>
/// <param name="Current">What is stored now: what was saved, or what another writer had stored before.</param>
public readonly record struct SaveOutcome(bool IsSaved, StoredSemaphore Current);
