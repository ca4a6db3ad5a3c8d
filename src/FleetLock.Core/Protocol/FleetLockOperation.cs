namespace FleetLock;

/// <summary>The two operations of the FleetLock protocol.</summary>
public enum FleetLockOperation
{
    /// <summary>RecursiveLock, <c>POST v1/pre-reboot</c>: take a slot; granted again to an id that already holds one.</summary>
    Lock,

    /// <summary>UnlockIfHeld, <c>POST v1/steady-state</c>: give the slot back; a success too when the id holds none.</summary>
    Unlock,
}
