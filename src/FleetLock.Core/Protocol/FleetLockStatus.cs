namespace FleetLock;

/// <summary>How a lock or an unlock ended.</summary>
/// <remarks>A long, because PowerShell's ConvertTo-Json then writes the name, and of any other enumeration a number that says nothing in a log.</remarks>
public enum FleetLockStatus : long
{
    /// <summary>What answered does not speak FleetLock. It is the zero of the enumeration, so that no forgotten value reads as a grant.</summary>
    ProtocolError = 0,

    /// <summary>The slot is held: the server answered a lock with exactly 200.</summary>
    Granted,

    /// <summary>The slot is free again, or was never held: the server answered an unlock with exactly 200.</summary>
    Released,

    /// <summary>All slots are taken, or the server says "not now" (a maintenance window, a cooldown, a rate limit). Worth asking again.</summary>
    Busy,

    /// <summary>The server answered 202: a slot is reserved but not yet granted. Worth asking again.</summary>
    Pending,

    /// <summary>The server does not know the group or does not accept the identity. Asking again does not help.</summary>
    Refused,

    /// <summary>No FleetLock server could be reached, or it cannot serve at the moment (its store is away). Worth asking again.</summary>
    Unreachable,

    /// <summary>The deadline of the request or of the wait passed; see <see cref="FleetLockResult.OutcomeUnknown"/>.</summary>
    TimedOut,
}
