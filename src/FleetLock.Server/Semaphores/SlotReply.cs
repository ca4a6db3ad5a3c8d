namespace FleetLock.Server;

/// <summary>What a semaphore answers to one request.</summary>
public enum SlotReply
{
    /// <summary>All slots are taken. The zero of the enumeration, so that no forgotten value reads as a grant.</summary>
    Full = 0,

    /// <summary>A lock took a slot.</summary>
    Granted,

    /// <summary>A lock by an id that holds a slot already.</summary>
    AlreadyHeld,

    /// <summary>An unlock gave the slot back.</summary>
    Released,

    /// <summary>An unlock by an id that holds none.</summary>
    NotHeld,

    /// <summary>The number of slots was changed, or was that number already.</summary>
    Resized,
}
