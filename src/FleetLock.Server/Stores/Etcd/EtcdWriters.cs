using FleetLock.Server.EtcdApi;
using Google.Protobuf;

namespace FleetLock.Server;

/// <summary>The keys of server processes that have ended without removing theirs.</summary>
internal static class EtcdWriters
{
    /// <summary>The most that are kept. A process that writes nothing while as many others come and go is taken for one that has ended.</summary>
    internal const int MaxKept = 1000;

    /// <summary>The most that are removed at once. Each process adds one, so this is enough.</summary>
    private const int MaxRemoved = 64;

    /// <summary>Removes those that have not written for the longest time, beyond the most that are kept.</summary>
    /// <param name="keys">All keys.</param>
    /// <param name="own">The key of this process, which stays.</param>
    /// <returns>The transaction; <see langword="null"/> when nothing is to be removed.</returns>
    internal static TxnRequest? CreateRemoval(IEnumerable<KeyValue> keys, ByteString own)
    {
        var writers = keys.Where(key => EtcdKeys.IsWriter(key.Key) && !key.Key.Equals(own)).ToList();
        if (writers.Count <= MaxKept)
            return null;
        var oldest = writers.OrderBy(key => key.ModRevision).Take(Math.Min(writers.Count - MaxKept, MaxRemoved));
        return new TxnRequest { Success = { oldest.Select(Remove) } };
    }

    /// <summary>Removes a key, unless its process has written since.</summary>
    private static RequestOp Remove(KeyValue writer) => new()
    {
        RequestTxn = new TxnRequest
        {
            Compare = { EtcdCompares.HasRevision(writer.Key, writer.ModRevision) },
            Success = { new RequestOp { RequestDeleteRange = new DeleteRangeRequest { Key = writer.Key } } },
        },
    };
}
