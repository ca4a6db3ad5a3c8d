namespace FleetLock.Server;

/// <summary>One request to a group. Two requests are never equal: each has its own answer.</summary>
internal abstract class SlotRequest(string id)
{
    /// <summary>The node id that it is about; empty when it is about the group.</summary>
    internal string Id => id;
}

/// <summary>pre-reboot.</summary>
internal sealed class LockRequest(string id, string grantId, string? from, TimeSpan wait) : SlotRequest(id)
{
    internal string GrantId => grantId;

    /// <summary>The address of the client, if it is known.</summary>
    internal string? From => from;

    /// <summary>How long it waits for a slot when all are taken; zero for not at all.</summary>
    internal TimeSpan Wait => wait;
}

/// <summary>steady-state, or an operator's forced release.</summary>
internal sealed class UnlockRequest(string id) : SlotRequest(id);

/// <summary>Ends what one grant id asked for.</summary>
internal sealed class CancelGrantRequest(string id, string grantId) : SlotRequest(id)
{
    internal string GrantId => grantId;
}

/// <summary>Revokes a grant whose reply could not be delivered.</summary>
internal sealed class RevokeRequest(string id, string grantId, long renewals) : SlotRequest(id)
{
    internal string GrantId => grantId;

    internal long Renewals => renewals;
}

/// <summary>An operator's change of the number of slots.</summary>
internal sealed class ResizeRequest(int slots) : SlotRequest("")
{
    internal int Slots => slots;
}

/// <summary>A configuration was read: its number of slots, or <see langword="null"/> when it does not have the group any more.</summary>
internal sealed class ConfigureRequest(int? slots) : SlotRequest("")
{
    internal int? Slots => slots;
}
