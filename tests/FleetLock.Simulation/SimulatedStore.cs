using FleetLock.Server;

namespace FleetLock.Simulation;

/// <summary>
/// A store with compare-and-swap that answers late, fails, commits without an answer, and goes back to a backup. As etcd it may also commit long after
/// its caller has given up, and another program (airlock) writes to it that keeps nothing but the holders.
/// </summary>
internal sealed class SimulatedStore(World world, bool isEtcd)
{
    /// <summary>When a server gives up a call.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    private GroupSemaphore _semaphore = GroupSemaphore.None;
    private object? _revision;
    private long _sequence;
    private bool _isMarked;
    private (GroupSemaphore Semaphore, object? Revision, long Sequence)? _backup;

    internal bool IsEtcd => isEtcd;

    internal bool IsMarked => _isMarked;

    internal long Sequence => _sequence;

    private StoredSemaphore Current => new(_semaphore, _revision) { IsRestored = _isMarked };

    internal void Load(SimulatedServer server, Action<GroupMessage> report) => world.Time.After(world.Latency(), () =>
    {
        if (world.Happens(world.Faults.StoreError))
        {
            report(Failure());
            return;
        }

        Look(server);
        var loaded = new GroupMessage.Loaded(Current);
        world.Time.After(world.Latency(), () => report(loaded));
    });

    internal void Save(SimulatedServer server, StoreWork.Save save, Action<GroupMessage> answer)
    {
        var mustWrite = MustWrite(server, save);
        if (world.Happens(world.Faults.StoreError))
        {
            world.Time.After(Timeout, () => Report(Failure()));
            return;
        }

        if (isEtcd && world.Happens(world.Faults.StoreLateCommit))
        {
            world.Time.After(Timeout, () => Report(Failure()));
            world.Time.After(Timeout + world.Between(0, 20), () => Commit(server, save, mustWrite));
            return;
        }

        world.Time.After(world.Latency(), () =>
        {
            var outcome = Commit(server, save, mustWrite);
            if (world.Happens(world.Faults.CrashAfterCommit))
                server.Crash();
            var isLost = world.Happens(world.Faults.StoreErrorAfterCommit);
            world.Time.After(isLost ? Timeout : world.Latency(), () => Report(isLost || outcome is null ? Failure() : new GroupMessage.Saved(outcome.Value)));
        });

        void Report(GroupMessage message)
        {
            if (message is GroupMessage.StoreFailed && mustWrite)
                server.Unsettled = (true, save.Seen.Revision);
            else if (message is GroupMessage.Saved saved && !ReferenceEquals(saved.Outcome.Current.Revision, server.Unsettled.Compared))
                server.Unsettled = default;
            answer(message);
        }
    }

    /// <summary>A server looks once a second whether the store went back.</summary>
    internal void Look(SimulatedServer server)
    {
        if (_sequence < server.HighestSequence && !_isMarked)
        {
            world.Trace($"{server.Name} finds that the store went back");
            _isMarked = true;
        }

        // A server that has seen the mark begins to count again, or it would mark the store once more after an administrator has confirmed it.
        server.HighestSequence = _isMarked ? _sequence : Math.Max(server.HighestSequence, _sequence);
    }

    internal void Backup() => _backup = (_semaphore, _revision, _sequence);

    internal bool TryRestore()
    {
        if (_backup is not { } backup || backup.Sequence == _sequence || _isMarked)
            return false;
        world.Trace($"a backup is restored: {string.Join(",", backup.Semaphore.Holders.Keys)}");
        (_semaphore, _revision, _sequence) = backup;
        _backup = null;
        world.Judge.IsRestored = true;
        world.Judge.Replaced(_semaphore);
        return true;
    }

    /// <summary>An administrator has seen that nobody holds a slot, and says so.</summary>
    internal void Confirm()
    {
        world.Trace($"the restored store is confirmed");
        _isMarked = false;
        Write(GroupSemaphore.Restore(_semaphore.Slots, _semaphore.Configured, GroupSemaphore.None.Holders, _semaphore.Cancelled));
        world.Judge.IsRestored = false;
        world.Judge.Replaced(_semaphore);
    }

    /// <summary>airlock locks or unlocks an id of its own: it rewrites the holders, and what we keep of them does not count any more.</summary>
    internal bool TryWriteAsAirlock(string id, bool isLock)
    {
        if (_revision is null || _isMarked || (isLock && !_semaphore.Holders.ContainsKey(id) && _semaphore.Holders.Count >= _semaphore.Slots))
            return false;
        var holders = isLock ? _semaphore.Holders.SetItem(id, SlotHolder.Unknown) : _semaphore.Holders.Remove(id);
        foreach (var other in holders.Keys.ToArray())
            holders = holders.SetItem(other, SlotHolder.Unknown);
        Write(GroupSemaphore.Restore(_semaphore.Slots, _semaphore.Configured, holders, _semaphore.Cancelled));
        if (!isLock)
            world.Judge.Unlocked(id);
        world.Judge.Committed(_semaphore, "airlock");
        return true;
    }

    private SaveOutcome? Commit(SimulatedServer server, StoreWork.Save save, bool mustWrite)
    {
        // etcd tells only after the transaction that it went back; SQLite looks inside of it.
        if (!isEtcd)
            Look(server);
        var isBack = _sequence < server.HighestSequence;
        var outcome = CompareAndWrite(server, save, mustWrite);
        Look(server);
        return isBack && isEtcd ? null : outcome;
    }

    private SaveOutcome CompareAndWrite(SimulatedServer server, StoreWork.Save save, bool mustWrite)
    {
        if (!ReferenceEquals(_revision, save.Seen.Revision) || _isMarked != save.Seen.IsRestored)
            return new SaveOutcome(false, Current);
        if (!mustWrite)
            return new SaveOutcome(true, save.Seen);
        foreach (var (request, decision) in save.Decision.Answers)
        {
            if (request is UnlockRequest && decision.Reply == SlotReply.Released)
                world.Judge.Unlocked(request.Id);
        }

        world.Trace($"{server.Name} saves {string.Join(",", save.Decision.Semaphore.Holders.Select(holder => $"{holder.Key}:{world.Name(holder.Value.GrantId)}"))}");
        Write(save.Decision.Semaphore);
        world.Judge.Committed(_semaphore, server.Name);
        return new SaveOutcome(true, Current);
    }

    /// <summary>As EtcdStore does: a save of ours whose outcome is unknown must fail before the next answer, even if that changes nothing.</summary>
    private bool MustWrite(SimulatedServer server, StoreWork.Save save) => save.Decision.MustWrite
        || !ReferenceEquals(save.Decision.Semaphore, save.Seen.Semaphore)
        || (isEtcd && server.Unsettled.IsPossible && ReferenceEquals(server.Unsettled.Compared, save.Seen.Revision));

    private void Write(GroupSemaphore semaphore)
    {
        _semaphore = semaphore;
        _revision = new object();
        _sequence++;
    }

    private static GroupMessage.StoreFailed Failure() => new(new SemaphoreStoreException("the store does not answer"));
}
