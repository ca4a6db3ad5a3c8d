namespace FleetLock.Server;

/// <summary>What a semaphore replies to one request.</summary>
public enum SlotReply
{
    /// <summary>All slots are taken. The zero of the enumeration, so that no forgotten value reads as a grant.</summary>
    Full = 0,

    /// <summary>A lock took a slot.</summary>
    Granted,

    /// <summary>A lock by the grant that made the hold: a retry.</summary>
    Renewed,

    /// <summary>A lock by an id that holds a slot already, through another grant.</summary>
    AlreadyHeld,

    /// <summary>A lock whose grant id was cancelled.</summary>
    GrantCancelled,

    /// <summary>A lock in a group that is not configured (any more).</summary>
    UnknownGroup,

    /// <summary>A lock that is refused because the store went back to an earlier state, and no administrator has confirmed that.</summary>
    StoreRestored,

    /// <summary>A waiting lock whose client is not allowed to lock any more.</summary>
    NotAllowed,

    /// <summary>The slot was released.</summary>
    Released,

    /// <summary>An unlock by an id that holds no slot.</summary>
    NotHeld,

    /// <summary>A grant was cancelled, and the id still holds a slot: the hold is shared, or another grant made it.</summary>
    Kept,

    /// <summary>The number of slots was changed, or was that number already.</summary>
    Resized,
}

internal static class SlotReplies
{
    /// <summary>Whether a lock was refused, so that it changed nothing.</summary>
    internal static bool IsRefusal(this SlotReply reply) =>
        reply is SlotReply.Full or SlotReply.GrantCancelled or SlotReply.UnknownGroup or SlotReply.StoreRestored or SlotReply.NotAllowed;
}
