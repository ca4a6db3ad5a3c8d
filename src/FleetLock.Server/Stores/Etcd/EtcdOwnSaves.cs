namespace FleetLock.Server;

/// <summary>
/// Which revisions are our own, so that the watch need not tell of them: whoever saved knows already. This only spares work; a revision that is
/// forgotten is told of.
/// </summary>
internal sealed class EtcdOwnSaves
{
    /// <summary>The most that are kept for a watch that is behind, or away.</summary>
    private const int MaxKept = 1024;

    private readonly Lock _lock = new();
    private readonly Queue<long> _revisions = new();
    private volatile Task _running = Task.CompletedTask;

    /// <summary>The transaction that is on its way; its revision is known when it has ended.</summary>
    internal Task Running
    {
        get => _running;
        set => _running = value;
    }

    internal void Add(long revision)
    {
        lock (_lock)
        {
            if (_revisions.Count == MaxKept)
                _revisions.Dequeue();
            _revisions.Enqueue(revision);
        }
    }

    /// <summary>Whether a revision is ours. It is asked for revisions that only grow.</summary>
    internal bool Has(long revision)
    {
        lock (_lock)
        {
            while (_revisions.TryPeek(out var own) && own < revision)
                _revisions.Dequeue();
            return _revisions.TryPeek(out var next) && next == revision;
        }
    }
}
