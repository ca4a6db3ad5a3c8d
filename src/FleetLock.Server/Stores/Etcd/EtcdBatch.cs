using FleetLock.Server.EtcdApi;

namespace FleetLock.Server;

/// <summary>
/// Saves that go to etcd in one transaction. Each group is a transaction of its own inside it, so that a conflict in one does not keep the others
/// from being saved; what is stored instead comes back at once.
/// </summary>
internal sealed class EtcdBatch
{
    /// <summary>The most groups of a batch. etcd takes 128 operations by default (<c>--max-txn-ops</c>), and counts a group's own besides.</summary>
    private const int MaxGroups = 64;

    /// <summary>The size that a batch is full at. etcd takes 1.5 MiB by default (<c>--max-request-bytes</c>).</summary>
    private const int FullBytes = 512 * 1024;

    private readonly HashSet<string> _groups = new(StringComparer.Ordinal);
    private readonly List<TxnRequest> _requests = [];
    private int _bytes;

    /// <summary>The saves, in the order of the responses.</summary>
    internal List<EtcdSave> Saves { get; } = [];

    /// <summary>The transaction. One group alone needs no other around its own.</summary>
    internal TxnRequest Request
    {
        get
        {
            if (_requests.Count == 1)
                return _requests[0];
            var all = new TxnRequest();
            foreach (var request in _requests)
                all.Success.Add(new RequestOp { RequestTxn = request });
            return all;
        }
    }

    /// <summary>Adds a save, unless the batch is full or has its group already: of two saves that have seen the same, the second is to find a conflict.</summary>
    internal bool TryAdd(EtcdSave save, bool isWrite)
    {
        if (Saves.Count >= MaxGroups || _bytes >= FullBytes || _groups.Contains(save.Group))
            return false;
        save.IsWrite = isWrite;
        var request = RequestFor(save);
        var bytes = request.CalculateSize();
        if (Saves.Count > 0 && _bytes + bytes > FullBytes)
            return false;
        _bytes += bytes;
        _groups.Add(save.Group);
        Saves.Add(save);
        _requests.Add(request);
        return true;
    }

    /// <summary>What came of one save.</summary>
    internal TxnResponse ResponseOf(TxnResponse response, int index) => Saves.Count == 1 ? response : response.Responses[index].ResponseTxn;

    private static TxnRequest RequestFor(EtcdSave save)
    {
        var request = new TxnRequest();
        EtcdCompares.AddTo(request, save.Group, save.Seen);
        if (save.IsWrite)
        {
            // Both keys, whatever differs: the same revision says that they belong together.
            request.Success.Add(new RequestOp { RequestPut = new PutRequest { Key = EtcdKeys.Semaphore(save.Group), Value = save.Value } });
            request.Success.Add(new RequestOp { RequestPut = new PutRequest { Key = EtcdKeys.Companion(save.Group), Value = save.Companion } });
        }

        // This read makes a mere compare linearizable too: without any operation etcd would answer from the member's own, perhaps stale, state.
        request.Failure.Add(EtcdRanges.Of(save.Group).Select(range => new RequestOp { RequestRange = range }));
        return request;
    }
}
