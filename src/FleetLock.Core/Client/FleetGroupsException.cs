using System;

namespace FleetLock;

/// <summary>A server refuses to list its groups, or cannot do so now.</summary>
public sealed class FleetGroupsException : Exception
{
    /// <summary>Says why.</summary>
    /// <param name="status">What the answer means.</param>
    /// <param name="message">The server's words.</param>
    public FleetGroupsException(FleetLockStatus status, string message)
        : base(message) => Status = status;

    /// <summary>What the answer means: <see cref="FleetLockStatus.Refused"/>, <see cref="FleetLockStatus.Unreachable"/> or <see cref="FleetLockStatus.Busy"/>.</summary>
    public FleetLockStatus Status { get; }
}
