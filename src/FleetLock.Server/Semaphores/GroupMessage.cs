namespace FleetLock.Server;

/// <summary>What a group is told: requests, the store's reports, and the passing of time.</summary>
internal abstract record GroupMessage
{
    /// <summary>A request has arrived.</summary>
    internal sealed record RequestArrived(SlotRequest Request) : GroupMessage;

    /// <summary>The client of a request has disconnected.</summary>
    internal sealed record ClientDisconnected(SlotRequest Request) : GroupMessage;

    /// <summary>A lock request has waited for as long as it asked to.</summary>
    internal sealed record WaitExpired(LockRequest Request) : GroupMessage;

    /// <summary>The client of a waiting lock request is not allowed to lock any more.</summary>
    internal sealed record NotAllowed(LockRequest Request) : GroupMessage;

    /// <summary>The store may have another value, by another writer.</summary>
    internal sealed record StoreChanged : GroupMessage;

    /// <summary>The server is stopping: nobody waits any more.</summary>
    internal sealed record StopWaiting : GroupMessage;

    /// <summary>The store has loaded the group.</summary>
    internal sealed record Loaded(StoredSemaphore Stored) : GroupMessage;

    /// <summary>The store has saved the group, or has found that another writer was faster.</summary>
    internal sealed record Saved(SaveOutcome Outcome) : GroupMessage;

    /// <summary>The store has failed. Whether it saved is unknown.</summary>
    internal sealed record StoreFailed(Exception Error) : GroupMessage;
}
