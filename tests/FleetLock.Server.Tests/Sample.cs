using System;
using System.Collections.Immutable;

namespace FleetLock.Server.Tests;

internal static class Sample
{
    internal const string Group = "workers";

    /// <summary>When the holders of <see cref="Held"/> took their slots; with ticks, which a store is not to lose.</summary>
    internal static readonly DateTimeOffset Since = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero).AddTicks(6_789_012);

    internal static GroupSemaphore Held(int slots, params string[] ids) =>
        GroupSemaphore.Restore(slots, ids.ToImmutableSortedDictionary(id => id, _ => Since));
}
