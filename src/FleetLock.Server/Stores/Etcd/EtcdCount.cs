using FleetLock.Server.EtcdApi;

namespace FleetLock.Server;

/// <summary>How often a key was written. While etcd keeps its history the version only grows, and each version has one revision.</summary>
/// <param name="Version">The number of writes; 0 when there is no such key.</param>
/// <param name="Created">The revision of the first write.</param>
/// <param name="Modified">The revision of the last write.</param>
internal readonly record struct EtcdCount(long Version, long Created, long Modified)
{
    private bool Exists => Version > 0;

    internal static EtcdCount Read(KeyValue? key) => key is null ? default : new EtcdCount(key.Version, key.CreateRevision, key.ModRevision);

    /// <summary>The count after one more write.</summary>
    internal EtcdCount Next(long revision) => new(Version + 1, Exists ? Created : revision, revision);

    /// <summary>Whether it can be the same or a later count. Any count is later than that of a key that did not exist.</summary>
    internal bool IsAfter(EtcdCount earlier) => this == earlier || !earlier.Exists
        || (Created == earlier.Created && Version > earlier.Version && Modified > earlier.Modified);
}
