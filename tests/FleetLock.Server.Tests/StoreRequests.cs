namespace FleetLock.Server.Tests;

/// <summary>Calls with what a test does not care about filled in.</summary>
internal static class StoreRequests
{
    /// <summary>A save that writes only what differs.</summary>
    internal static Task<SaveOutcome> SaveAsync(
        this ISemaphoreStore store, string group, StoredSemaphore seen, GroupSemaphore desired, CancellationToken cancellationToken) =>
        store.SaveAsync(group, seen, desired, mustWrite: false, cancellationToken);

    /// <summary>A lock by a client without grant ids: each of its requests counts as an operation of its own.</summary>
    internal static (GroupSemaphore Next, SlotReply Reply) Lock(this GroupSemaphore semaphore, string id, string? from, DateTimeOffset time) =>
        semaphore.Lock(id, semaphore.Holders.ContainsKey(id) ? Sample.OtherGrant : Sample.Grant, from, time);
}
