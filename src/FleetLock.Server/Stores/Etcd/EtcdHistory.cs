using System.Globalization;
using FleetLock.Server.EtcdApi;
using Google.Protobuf;

namespace FleetLock.Server;

/// <summary>
/// Counts the writes in etcd itself. Each transaction of ours that writes also writes a key that all servers share and a key of this process, and the
/// others read them. Their versions therefore show when etcd has lost a write, even if other programs have written on since, so that the revision of etcd
/// is not lower than before.
/// </summary>
internal sealed class EtcdHistory
{
    private readonly RequestOp[] _reads;
    private readonly RequestOp[] _writes;
    private volatile bool _hasWritten;

    internal EtcdHistory()
    {
        _reads = [Read(EtcdKeys.Sequence), Read(Writer)];
        _writes = [Write(EtcdKeys.Sequence), Write(Writer)];
    }

    /// <summary>The key of this process.</summary>
    internal ByteString Writer { get; } = EtcdKeys.Writer(Random.Shared.NextInt64().ToString("x16", CultureInfo.InvariantCulture));

    /// <summary>Whether this process may have written.</summary>
    internal bool HasWritten => _hasWritten;

    /// <summary>Adds the counts to a transaction.</summary>
    /// <param name="request">The transaction. It writes in its success branch at most.</param>
    /// <param name="known">What is known. A write that finds less is not carried out, so that nothing is granted before the loss is noticed.</param>
    /// <returns>The transaction to send.</returns>
    internal TxnRequest AddTo(TxnRequest request, EtcdState known)
    {
        var isWrite = request.Success.Any(CanWrite);
        var complete = new TxnRequest
        {
            Compare = { request.Compare },
            Success = { request.Success, isWrite ? _writes : _reads },
            Failure = { request.Failure, _reads },
        };
        if (isWrite)
        {
            _hasWritten = true;
            complete.Compare.Add(EtcdCompares.HasVersion(EtcdKeys.Sequence, known.Sequence.Version));
            complete.Compare.Add(EtcdCompares.HasVersion(Writer, known.Written.Version));
        }

        return complete;
    }

    /// <summary>Takes the counts out of an answer.</summary>
    /// <returns>What the transaction found, and what it left. They differ if it has written.</returns>
    internal static (EtcdState Found, EtcdState Left) TakeFrom(TxnResponse response)
    {
        var written = Take(response);
        var sequence = Take(response);
        return (new EtcdState(sequence.Found, written.Found), new EtcdState(sequence.Left, written.Left));
    }

    /// <summary>What a watch reports of the writes of all servers.</summary>
    internal static EtcdState Read(IEnumerable<Event> events) =>
        new(EtcdCount.Read(events.LastOrDefault(change => change.Kv.Key.Equals(EtcdKeys.Sequence))?.Kv), default);

    private static bool CanWrite(RequestOp operation) => operation.RequestCase switch
    {
        RequestOp.RequestOneofCase.RequestPut or RequestOp.RequestOneofCase.RequestDeleteRange => true,
        RequestOp.RequestOneofCase.RequestTxn => operation.RequestTxn.Success.Any(CanWrite),
        _ => false,
    };

    private static (EtcdCount Found, EtcdCount Left) Take(TxnResponse response)
    {
        var last = response.Responses[^1];
        response.Responses.RemoveAt(response.Responses.Count - 1);
        if (last.ResponseCase == ResponseOp.ResponseOneofCase.ResponsePut)
        {
            var before = EtcdCount.Read(last.ResponsePut.PrevKv);
            return (before, before.Next(response.Header.Revision));
        }

        var found = EtcdCount.Read(last.ResponseRange.Kvs.FirstOrDefault());
        return (found, found);
    }

    private static RequestOp Read(ByteString key) => new() { RequestRange = new RangeRequest { Key = key, KeysOnly = true } };

    private static RequestOp Write(ByteString key) => new() { RequestPut = new PutRequest { Key = key, PrevKv = true } };
}
