namespace FleetLock;

/// <summary>The two operations of the FleetLock protocol.</summary>
/// <remarks>A long for the reason that <see cref="FleetLockStatus"/> is one.</remarks>
public enum FleetLockOperation : long
{
    /// <summary>RecursiveLock, <c>POST v1/pre-reboot</c>: take a slot; granted again to an id that already holds one.</summary>
    Lock,

    /// <summary>UnlockIfHeld, <c>POST v1/steady-state</c>: give the slot back; a success too when the id holds none.</summary>
    Unlock,
}
