namespace FleetLock.Server;

/// <summary>What a step asks its shell to do, in this order.</summary>
internal sealed class GroupEffects
{
    /// <summary>Requests to answer.</summary>
    internal List<(SlotRequest Request, SlotDecision Decision)> Answers { get; } = [];

    /// <summary>Requests to drop without an answer: their client has disconnected, or the server is stopping.</summary>
    internal List<SlotRequest> Dropped { get; } = [];

    /// <summary>Requests that have failed with <see cref="Error"/>.</summary>
    internal List<SlotRequest> Failed { get; } = [];

    /// <summary>Those of <see cref="Failed"/> whose outcome is unknown: the save may have carried them out, or may do so yet.</summary>
    internal HashSet<SlotRequest> Unsettled { get; } = [];

    internal Exception? Error { get; set; }

    /// <summary>Requests that begin to wait: their time runs from now on.</summary>
    internal List<LockRequest> Waits { get; } = [];

    /// <summary>The store's next work; <see langword="null"/> when there is none. Its report is the next message.</summary>
    internal StoreWork? Work { get; set; }

    /// <summary>Whether another writer was faster than the last save.</summary>
    internal bool HasConflict { get; set; }
}
