namespace FleetLock.Server;

/// <summary>What is known of an id that holds a slot. Nothing of it decides anything: the id alone holds the slot.</summary>
/// <param name="Since">When the slot was granted; <see langword="null"/> when another program (airlock) granted it and kept no time.</param>
/// <param name="From">The address that the granted request came from; <see langword="null"/> when it is not known.</param>
/// <param name="Asked">When the holder last asked for the slot, which it may do again and again; <see langword="null"/> when it is not known.</param>
public sealed record SlotHolder(DateTimeOffset? Since, string? From, DateTimeOffset? Asked)
{
    /// <summary>A holder of whom only the id is known.</summary>
    public static readonly SlotHolder Unknown = new(null, null, null);

    /// <summary>The same holder, having asked again. The time always moves on, even if the clock does not, so that each ask can be told from the one before.</summary>
    /// <param name="time">When it asked.</param>
    /// <returns>The holder.</returns>
    internal SlotHolder AskedAgain(DateTimeOffset time) => this with { Asked = Asked >= time ? Asked.Value.AddTicks(1) : time };
}
