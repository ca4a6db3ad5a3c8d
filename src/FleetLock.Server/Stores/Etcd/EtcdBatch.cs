using FleetLock.Server.EtcdApi;

namespace FleetLock.Server;

/// <summary>
/// Saves that go to etcd in one transaction. Each group is a transaction of its own inside it, so that a conflict in one does not keep the others
/// from being saved; what is stored instead comes back at once.
/// </summary>
internal sealed class EtcdBatch
{
    /// <summary>
    /// The most groups of a batch. etcd accepts 128 operations by default (<c>--max-txn-ops</c>): the groups, the two keys of
    /// <see cref="EtcdHistory"/>, and the operations of one group.
    /// </summary>
    private const int MaxGroups = 64;

    /// <summary>The size that a batch is full at. etcd takes 1.5 MiB by default (<c>--max-request-bytes</c>).</summary>
    private const int FullBytes = 512 * 1024;

    private readonly HashSet<string> _groups = new(StringComparer.Ordinal);
    private readonly List<TxnRequest> _requests = [];
    private int _bytes;

    /// <summary>The saves, in the order of the responses.</summary>
    internal List<EtcdSave> Saves { get; } = [];

    /// <summary>Adds a save, unless the batch is full or has its group already: of two saves that have seen the same, the second is to find a conflict.</summary>
    internal bool TryAdd(EtcdSave save, bool isWrite)
    {
        // One compare of the mark of a restore is for all of them.
        if (Saves.Count > 0 && Saves[0].Seen.IsRestored != save.Seen.IsRestored)
            return false;
        if (Saves.Count >= MaxGroups || _bytes >= FullBytes || _groups.Contains(save.Group))
            return false;
        save.IsWrite = isWrite;
        var request = CreateRequest(save);
        var bytes = request.CalculateSize();
        if (Saves.Count > 0 && _bytes + bytes > FullBytes)
            return false;
        _bytes += bytes;
        _groups.Add(save.Group);
        Saves.Add(save);
        _requests.Add(request);
        return true;
    }

    /// <summary>The transaction. One group alone needs no other around its own.</summary>
    internal TxnRequest CreateRequest()
    {
        var request = new TxnRequest { Compare = { EtcdCompares.IsRestored(Saves[0].Seen.IsRestored) } };
        if (_requests.Count == 1)
        {
            request.MergeFrom(_requests[0]);
            request.Failure.Add(new RequestOp { RequestRange = EtcdRanges.Restored() });
            return request;
        }

        foreach (var own in _requests)
            request.Success.Add(new RequestOp { RequestTxn = own });
        request.Failure.Add(new RequestOp { RequestRange = EtcdRanges.All() });
        return request;
    }

    /// <summary>What came of one save.</summary>
    /// <param name="response">The transaction's response.</param>
    /// <param name="index">The save's index.</param>
    /// <returns>Whether it was saved; otherwise the keys that are stored instead, and whether the mark of a restore is.</returns>
    internal (bool IsSaved, IList<KeyValue> Keys, bool IsRestored) ReadResponse(TxnResponse response, int index)
    {
        if (Saves.Count == 1)
        {
            return response.Succeeded
                ? (true, [], false)
                : (false, response.Responses[0].ResponseRange.Kvs, response.Responses[1].ResponseRange.Kvs.Count > 0);
        }

        if (!response.Succeeded)
            return (false, response.Responses[0].ResponseRange.Kvs, !Saves[index].Seen.IsRestored);
        var own = response.Responses[index].ResponseTxn;
        return own.Succeeded ? (true, [], false) : (false, own.Responses[0].ResponseRange.Kvs, Saves[index].Seen.IsRestored);
    }

    private static TxnRequest CreateRequest(EtcdSave save)
    {
        var (semaphore, companion) = (EtcdKeys.Semaphore(save.Group), EtcdKeys.Companion(save.Group));
        var request = new TxnRequest();
        EtcdCompares.AddTo(request, semaphore, companion, save.Seen.Revision as EtcdRevision ?? EtcdRevision.None);
        if (save.IsWrite)
        {
            // Both keys, whatever differs: the same revision says that they belong together.
            request.Success.Add(new RequestOp { RequestPut = new PutRequest { Key = semaphore, Value = save.Value } });
            request.Success.Add(new RequestOp { RequestPut = new PutRequest { Key = companion, Value = save.Companion } });
        }

        // This read makes a mere compare linearizable too: without any operation etcd would answer from the member's own, perhaps stale, state.
        request.Failure.Add(new RequestOp { RequestRange = EtcdRanges.Of(save.Group) });
        return request;
    }
}
