namespace FleetLock.Server;

/// <summary>An id that holds a slot. The id alone holds it; the rest describes the hold.</summary>
/// <param name="Since">When the slot was granted; <see langword="null"/> when another program (airlock) granted it and kept no time.</param>
/// <param name="From">The address that the granted request came from; <see langword="null"/> when it is not known.</param>
/// <param name="LastSeen">When the holder last requested the slot; <see langword="null"/> when it is not known.</param>
public sealed record SlotHolder(DateTimeOffset? Since, string? From, DateTimeOffset? LastSeen)
{
    /// <summary>A holder of which only the id is known.</summary>
    public static readonly SlotHolder Unknown = new(null, null, null);

    /// <summary>
    /// The grant that made the hold, 32 lower-case hex digits; <see langword="null"/> when another program, or a version without grant ids, made it.
    /// </summary>
    public string? GrantId { get; init; }

    /// <summary>How often the hold was answered 200 again. A grant that could not be delivered is revoked only while this has not changed.</summary>
    public long Renewals { get; init; }

    /// <summary>
    /// Whether the hold was answered 200 to an operation that did not make it. Somebody else relies on it then: only steady-state or an operator frees it.
    /// </summary>
    public bool IsShared { get; init; }

    internal SlotHolder Renew(DateTimeOffset time) => this with { LastSeen = time, Renewals = Renewals + 1 };
}
