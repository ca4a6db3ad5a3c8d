using FleetLock.Server.EtcdApi;

namespace FleetLock.Server;

/// <summary>What is read of etcd.</summary>
internal static class EtcdRanges
{
    /// <summary>All groups, and the keys of the store itself.</summary>
    internal static RangeRequest All(bool keysOnly = false) => new() { Key = EtcdKeys.First, RangeEnd = EtcdKeys.End, KeysOnly = keysOnly };

    /// <summary>One group.</summary>
    internal static RangeRequest Of(string group)
    {
        var (first, end) = EtcdKeys.RangeOf(group);
        return new RangeRequest { Key = first, RangeEnd = end };
    }

    /// <summary>The mark of a restore.</summary>
    internal static RangeRequest Restored() => new() { Key = EtcdKeys.Restored, KeysOnly = true };
}
