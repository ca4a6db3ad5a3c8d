using System.Collections.Immutable;

namespace FleetLock.Server.Tests;

internal static class Sample
{
    internal const string Group = "workers";

    /// <summary>The address that the holders of <see cref="Held"/> asked from.</summary>
    internal const string From = "192.0.2.7";

    /// <summary>The grant that made the holds of <see cref="Granted"/>.</summary>
    internal const string Grant = "0123456789abcdef0123456789abcdef";

    /// <summary>A grant of another operation.</summary>
    internal const string OtherGrant = "fedcba9876543210fedcba9876543210";

    /// <summary>When the holders of <see cref="Held"/> took their slots; with ticks, which a store is not to lose.</summary>
    internal static readonly DateTimeOffset Since = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero).AddTicks(6_789_012);

    /// <summary>Each holder of <see cref="Held"/>.</summary>
    internal static readonly SlotHolder Holder = new(Since, From, Since);

    /// <summary>The same, as a lock with <see cref="Grant"/> makes it.</summary>
    internal static readonly SlotHolder Granted = Holder with { GrantId = Grant };

    /// <summary>A semaphore with as many slots as its configuration says.</summary>
    internal static GroupSemaphore Held(int slots, params string[] ids) =>
        GroupSemaphore.Restore(slots, slots, ids.ToImmutableSortedDictionary(id => id, _ => Holder));
}
