namespace FleetLock;

/// <summary>What a lock operation may have left at the server, and could not undo: people have to decide whether it may be released.</summary>
/// <param name="Group">The group.</param>
/// <param name="Id">The node id.</param>
/// <param name="Server">The server's base address.</param>
/// <param name="IsReservation">Whether the slot is reserved, and not granted.</param>
/// <param name="Reason">Why it could not be undone.</param>
public sealed record PossibleLeak(string Group, string Id, string Server, bool IsReservation, string Reason)
{
    /// <summary>Says so to a person.</summary>
    /// <param name="release">What to do, as the end of a sentence, such as "release it with: COMMAND".</param>
    /// <returns>Two sentences.</returns>
    public string Describe(string release)
    {
        var slot = IsReservation ? $"The server has reserved a slot of group '{Group}' for '{Id}'" : $"The server may have granted the slot of group '{Group}' to '{Id}'";
        return $"{slot}, and the lock could not be undone at {Server}: {Reason.TrimEnd('.')}. If nothing else holds that slot, {release}";
    }
}
