namespace FleetLock.Server;

/// <summary>What a request needs to be allowed to do.</summary>
internal enum Right
{
    /// <summary>Take and give back a slot.</summary>
    Node,

    /// <summary>See groups, holders and metrics.</summary>
    Observe,

    /// <summary>Free somebody else's slot, change slots.</summary>
    Administer,
}
