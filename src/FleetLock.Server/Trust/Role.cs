namespace FleetLock.Server;

/// <summary>What a credential is for.</summary>
public enum Role
{
    /// <summary>A machine: it locks and unlocks.</summary>
    Node,

    /// <summary>A person or a monitor: it sees groups, holders and metrics.</summary>
    Observer,

    /// <summary>An operator: everything.</summary>
    Admin,
}
