using Microsoft.Extensions.Logging;

namespace FleetLock.Server;

/// <summary>
/// Tells the log of a store that fails, and does not flood it: the first failure, then how many there were every <see cref="Interval"/>, and one line
/// when all that failed works again.
/// </summary>
internal sealed class StoreFaultLog(TimeProvider clock, ILogger logger)
{
    /// <summary>Stands for the store where a failure is none of one group; no group has that name.</summary>
    internal const string WholeStore = "";

    private readonly Lock _lock = new();
    private readonly HashSet<string> _failing = new(StringComparer.Ordinal);
    private volatile bool _isFailing;
    private long? _told;
    private bool _isTold;
    private int _untold;

    private static TimeSpan Interval => TimeSpan.FromSeconds(10);

    /// <summary>A request has failed.</summary>
    /// <param name="group">A configured group whose request it was, or <see cref="WholeStore"/>.</param>
    /// <param name="fault">The failure.</param>
    internal void Failed(string group, SemaphoreStoreException fault)
    {
        lock (_lock)
        {
            _failing.Add(group);
            _isFailing = true;
            _untold++;
            if (_told is { } told && clock.GetElapsedTime(told) < Interval)
                return;
            if (_untold == 1)
                ServerLog.StoreFailed(logger, fault);
            else
                ServerLog.StoreStillFails(logger, _untold, fault);
            _told = clock.GetTimestamp();
            _isTold = true;
            _untold = 0;
        }
    }

    /// <summary>A request of a group was decided. While nothing fails, this is one comparison.</summary>
    /// <param name="group">The group.</param>
    internal void Answered(string group)
    {
        if (_isFailing)
            KeepFailing(failing => failing != group && failing != WholeStore);
    }

    /// <summary>All groups were read.</summary>
    /// <param name="list">The groups.</param>
    internal void Answered(FleetGroupList list)
    {
        if (_isFailing)
            KeepFailing(failing => list.Groups.Any(group => group.Group == failing && group.Fault is not null));
    }

    private void KeepFailing(Predicate<string> isFailing)
    {
        lock (_lock)
        {
            _failing.RemoveWhere(group => !isFailing(group));
            if (_failing.Count > 0 || !_isFailing)
                return;
            _isFailing = false;
            if (!_isTold)
                return;
            ServerLog.StoreAnswersAgain(logger, _untold);
            _isTold = false;
            _untold = 0;
        }
    }
}
