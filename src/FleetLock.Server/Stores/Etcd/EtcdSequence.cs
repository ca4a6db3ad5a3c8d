using FleetLock.Server.EtcdApi;

namespace FleetLock.Server;

/// <summary>
/// How far etcd is known to have come: the cluster and its highest revision, from the headers of responses, and the writes that are counted in it. An answer
/// that is behind what was known when its request was sent shows that etcd went back to an earlier state. The revision also counts what airlock wrote; the
/// counts are of our servers alone, so what other programs write does not hide a loss.
/// </summary>
internal sealed class EtcdSequence
{
    private readonly Lock _lock = new();
    private volatile Position _current = new(0, 0);

    /// <summary>What is known now. A request takes it along.</summary>
    internal Position Current => _current;

    /// <summary>Notes an answer.</summary>
    /// <param name="sent">What was known when its request was sent. Answers overtake each other, so it may be less than is known now.</param>
    /// <param name="header">The answer's header.</param>
    /// <param name="found">The counts that its transaction found.</param>
    /// <param name="left">The counts that it left; others if it has written, so that the revision is a new one.</param>
    /// <returns>False when etcd went back.</returns>
    internal bool TryAdvance(Position sent, ResponseHeader header, EtcdState found, EtcdState left) =>
        IsAfter(sent, header, isWrite: left != found) && found.IsAfter(sent.State) && TryAdvance(sent, header, left);

    /// <summary>Notes an answer that may come from a member that is behind the others, such as a watch's. It shows only what was reached.</summary>
    /// <param name="sent">What was known when it was asked for.</param>
    /// <param name="header">Its header.</param>
    /// <param name="state">Its counts.</param>
    /// <returns>False when it is of another cluster, or of another history.</returns>
    internal bool TryAdvance(Position sent, ResponseHeader header, EtcdState state)
    {
        lock (_lock)
        {
            // An answer from before a restore says nothing about the time after it.
            if (_current.Restores != sent.Restores)
                return true;
            if ((_current.Cluster != 0 && header.ClusterId != _current.Cluster) || !state.GoesWith(_current.State))
                return false;
            var latest = _current.State.Latest(state);
            if (header.Revision > _current.Revision || latest != _current.State)
                _current = _current with { Cluster = header.ClusterId, Revision = Math.Max(header.Revision, _current.Revision), State = latest };
            return true;
        }
    }

    /// <summary>Begins again, once the restore is marked in the store.</summary>
    /// <param name="sent">What was known when the request was sent whose answer showed the restore.</param>
    /// <param name="header">The header of the mark's answer.</param>
    /// <returns>False when another answer has shown the same restore before.</returns>
    internal bool TryRestart(Position sent, ResponseHeader header)
    {
        lock (_lock)
        {
            if (_current.Restores != sent.Restores)
                return false;
            _current = new Position(header.ClusterId, header.Revision) { Restores = sent.Restores + 1 };
            return true;
        }
    }

    private static bool IsAfter(Position sent, ResponseHeader header, bool isWrite) =>
        sent.Cluster == 0 || (header.ClusterId == sent.Cluster && header.Revision >= sent.Revision + (isWrite ? 1 : 0));

    /// <summary>A point of the sequence.</summary>
    /// <param name="Cluster">The cluster; 0 before the first answer.</param>
    /// <param name="Revision">The highest revision.</param>
    internal sealed record Position(ulong Cluster, long Revision)
    {
        /// <summary>How many restores were seen before.</summary>
        internal int Restores { get; init; }

        /// <summary>The highest counts.</summary>
        internal EtcdState State { get; init; }
    }
}
