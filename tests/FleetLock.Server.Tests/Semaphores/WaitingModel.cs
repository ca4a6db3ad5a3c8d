namespace FleetLock.Server.Tests;

/// <summary>
/// What a coordinator does, so simply that it can be seen to be right: requests take effect one after the other, and after each the free slots go to
/// the head of one list.
/// </summary>
internal sealed class WaitingModel(int slots, params string[] holders)
{
    private readonly SortedSet<string> _holders = new(holders, StringComparer.Ordinal);
    private List<Ask> _queue = [];
    private int _slots = slots;

    internal enum Deed
    {
        Lock,
        Wait,
        Unlock,
        Resize,
    }

    /// <summary>What is to come of a request.</summary>
    internal enum Fate
    {
        Waiting,
        Answered,
        Gone,
        Failed,
    }

    internal IEnumerable<string> Holders => _holders;

    internal IReadOnlyList<Ask> Queue => _queue;

    internal int Waiting => _queue.Select(ask => ask.Id).Distinct().Count();

    /// <summary>Requests that are decided together, after what other servers have written meanwhile.</summary>
    internal void DecideTogether(IReadOnlyList<Ask> batch, IEnumerable<Ask> elsewhere)
    {
        EndWaits(batch);
        foreach (var change in elsewhere)
        {
            Change(change);
            foreach (var id in _holders)
                _queue = [.. _queue.Where(ask => ask.Id == id), .. _queue.Where(ask => ask.Id != id)];
        }

        Serve();
        foreach (var ask in batch)
        {
            if (Change(ask) is { } reply)
                ask.Answer(reply);
            else
                Join(ask);
            if (ask.Deed == Deed.Unlock)
                Withdraw(ask.Id);
            Serve();
        }
    }

    /// <summary>The time has come for those whose wait ends by then.</summary>
    internal void Expire(DateTimeOffset now)
    {
        foreach (var ask in _queue.Where(ask => ask.Deadline <= now).ToArray())
        {
            _queue.Remove(ask);
            ask.Answer(SlotReply.Full);
        }
    }

    internal void Leave(Ask ask)
    {
        _queue.Remove(ask);
        ask.Fate = Fate.Gone;
    }

    /// <summary>A fault is the answer to all who wait, and to others.</summary>
    internal void Fail(IReadOnlyList<Ask> others)
    {
        EndWaits(others);
        foreach (var ask in _queue.Concat(others))
            ask.Fate = Fate.Failed;
        _queue.Clear();
    }

    /// <summary>An unlock ends the waits of its id that began before it, whether it is saved or not.</summary>
    internal void EndWaits(IEnumerable<Ask> batch)
    {
        foreach (var unlock in batch.Where(ask => ask.Deed == Deed.Unlock))
            Withdraw(unlock.Id);
    }

    /// <returns>The reply; none when it is to wait.</returns>
    private SlotReply? Change(Ask ask)
    {
        switch (ask.Deed)
        {
            case Deed.Unlock:
                return _holders.Remove(ask.Id) ? SlotReply.Released : SlotReply.NotHeld;
            case Deed.Resize:
                _slots = ask.Slots;
                return SlotReply.Resized;
            case var _ when _holders.Contains(ask.Id):
                return SlotReply.AlreadyHeld;
            case var _ when _holders.Count < _slots:
                _holders.Add(ask.Id);
                return SlotReply.Granted;
            default:
                return ask.Deed == Deed.Wait ? null : SlotReply.Full;
        }
    }

    /// <summary>An id has one place, which the first of its requests had.</summary>
    private void Join(Ask ask)
    {
        var last = _queue.FindLastIndex(other => other.Id == ask.Id);
        _queue.Insert(last < 0 ? _queue.Count : last + 1, ask);
    }

    /// <summary>Who says that it needs no slot does not wait for one any more.</summary>
    private void Withdraw(string id)
    {
        foreach (var ask in _queue.Where(ask => ask.Id == id))
            ask.Answer(SlotReply.Full);
        _queue.RemoveAll(ask => ask.Id == id);
    }

    private void Serve()
    {
        while (_queue.Count > 0 && (_holders.Count < _slots || _holders.Contains(_queue[0].Id)))
        {
            var id = _queue[0].Id;
            foreach (var ask in _queue.Where(ask => ask.Id == id))
                ask.Answer(_holders.Add(id) ? SlotReply.Granted : SlotReply.AlreadyHeld);
            _queue.RemoveAll(ask => ask.Id == id);
        }
    }

    /// <summary>A request, and what is to come of it.</summary>
    internal sealed record Ask(Deed Deed, string Id, int Slots, DateTimeOffset Deadline)
    {
        internal Fate Fate { get; set; }

        internal SlotReply Reply { get; private set; }

        internal void Answer(SlotReply reply) => (Fate, Reply) = (Fate.Answered, reply);

        public override string ToString() => $"{Deed} {Id}: {Fate} {Reply}";
    }
}
