using System.Collections.Immutable;
using System.Text.Json;
using FleetLock.Server.EtcdApi;
using Google.Protobuf;

namespace FleetLock.Server;

/// <summary>What etcd has for a group.</summary>
/// <param name="Semaphore">The semaphore's key; <see langword="null"/> when there is none.</param>
/// <param name="Companion">The companion key; <see langword="null"/> when there is none.</param>
internal readonly record struct EtcdPair(KeyValue? Semaphore, KeyValue? Companion)
{
    /// <summary>Puts together what belongs to a group; other programs' keys are passed over.</summary>
    internal static Dictionary<string, EtcdPair> Read(IEnumerable<KeyValue> keys)
    {
        var pairs = new Dictionary<string, EtcdPair>(StringComparer.Ordinal);
        foreach (var key in keys)
        {
            if (EtcdKeys.TryRead(key.Key, out var group, out var isSemaphore))
                pairs[group] = pairs.GetValueOrDefault(group).With(key, isSemaphore);
        }

        return pairs;
    }

    /// <summary>One group's pair, out of its own keys.</summary>
    internal static EtcdPair Read(IEnumerable<KeyValue> keys, string group) => Read(keys).GetValueOrDefault(group);

    /// <summary>Reads the semaphore.</summary>
    /// <param name="group">The group.</param>
    /// <param name="store">What the store is called.</param>
    /// <param name="isRestored">Whether the store has the mark of a restore.</param>
    /// <returns>The semaphore; one that does not exist when there is neither key.</returns>
    /// <exception cref="SemaphoreStoreException">The value is not a semaphore, or the companion is of a newer version.</exception>
    internal StoredSemaphore Decode(string group, string store, bool isRestored)
    {
        if (Semaphore is null && Companion is null)
            return StoredSemaphore.None with { IsRestored = isRestored };
        var companion = ReadCompanion(group, store);
        return new StoredSemaphore(
            ReadSemaphore(group, store, companion),
            new EtcdRevision(Semaphore?.ModRevision ?? 0, Semaphore?.Value ?? ByteString.Empty, Companion?.ModRevision ?? 0) { Unknown = companion.Unknown })
        {
            IsRestored = isRestored,
        };
    }

    private EtcdCompanion ReadCompanion(string group, string store)
    {
        if (Companion is null)
            return EtcdCompanion.None;
        var companion = EtcdCompanion.Read(Companion.Value, Companion.ModRevision == Semaphore?.ModRevision);
        if (companion.ForeignFormat is not { } format)
            return companion;
        var key = EtcdKeys.Companion(group).ToStringUtf8();
        throw new SemaphoreStoreException(
            $"{store}: the value of {key} has format {TerminalText.Clean(format)}, and this version reads up to format {EtcdCompanion.Format}; "
            + "it is left as it is. Update this server");
    }

    private GroupSemaphore ReadSemaphore(string group, string store, EtcdCompanion companion)
    {
        if (Semaphore is null)
        {
            // Deleted by an operator. What belongs to the group stays.
            return GroupSemaphore.Restore(
                companion.ConfiguredSlots ?? 0, companion.ConfiguredSlots, ImmutableSortedDictionary<string, SlotHolder>.Empty, companion.CancelledGrants);
        }

        try
        {
            return EtcdValues.ReadSemaphore(Semaphore.Value, companion);
        }
        catch (JsonException e)
        {
            var key = EtcdKeys.Semaphore(group).ToStringUtf8();
            throw new SemaphoreStoreException($"{store}: the value of {key} is no semaphore ({e.Message.TrimEnd('.')}); it is left as it is", e);
        }
    }

    private EtcdPair With(KeyValue key, bool isSemaphore) => isSemaphore ? this with { Semaphore = key } : this with { Companion = key };
}
