using System.Text.Json;
using FleetLock.Server.EtcdApi;
using Google.Protobuf;

namespace FleetLock.Server;

/// <summary>What etcd has for a group: the semaphore, and beside it what airlock does not keep.</summary>
/// <param name="Semaphore">The semaphore's key; <see langword="null"/> when there is none.</param>
/// <param name="Extras">What is beside it; <see langword="null"/> when there is nothing.</param>
internal readonly record struct EtcdPair(KeyValue? Semaphore, ByteString? Extras)
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
    /// <returns>The semaphore; <see cref="StoredSemaphore.None"/> when there is none.</returns>
    /// <exception cref="SemaphoreStoreException">The value is no semaphore.</exception>
    internal StoredSemaphore Decode(string group, string store)
    {
        if (Semaphore is null)
            return StoredSemaphore.None;
        try
        {
            return new StoredSemaphore(EtcdValues.Read(Semaphore.Value, Extras), Semaphore.ModRevision);
        }
        catch (JsonException e)
        {
            var key = EtcdKeys.Semaphore(group).ToStringUtf8();
            throw new SemaphoreStoreException($"{store}: the value of {key} is no semaphore ({e.Message.TrimEnd('.')}); it is left as it is", e);
        }
    }

    private EtcdPair With(KeyValue key, bool isSemaphore) => isSemaphore ? this with { Semaphore = key } : this with { Extras = key.Value };
}
