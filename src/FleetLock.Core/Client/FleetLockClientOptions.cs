using System;

namespace FleetLock;

/// <summary>What a <see cref="FleetLockClient"/> is made from.</summary>
public sealed record FleetLockClientOptions
{
    /// <summary>The default of <see cref="Timeout"/>: 100 seconds.</summary>
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(100);

    /// <summary>The longest that <see cref="Timeout"/> may be short of infinite: 24 days, which timers of all frameworks can count.</summary>
    public static readonly TimeSpan MaxTimeout = TimeSpan.FromDays(24);

    /// <summary>The server's base address.</summary>
    public required ServerAddress Server { get; init; }

    /// <summary>
    /// The time that one request may take, from the connection to the end of its answer; <see cref="System.Threading.Timeout.InfiniteTimeSpan"/>
    /// is no limit. The default is 100 seconds; a server that drains a node before it answers can take many minutes.
    /// </summary>
    public TimeSpan Timeout { get; init; } = DefaultTimeout;

    /// <summary>The clock for <see cref="FleetLockResult.Time"/> and <see cref="FleetLockResult.Elapsed"/>.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    internal bool HasTimeout => Timeout != System.Threading.Timeout.InfiniteTimeSpan;
}
