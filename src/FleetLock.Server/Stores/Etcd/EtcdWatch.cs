using FleetLock.Server.EtcdApi;

namespace FleetLock.Server;

/// <summary>Reports which groups others have saved: one watch on the keys of all groups, which continues where it ended.</summary>
internal sealed class EtcdWatch : IAsyncDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    private readonly EtcdConnection _etcd;
    private readonly EtcdOwnSaves _own;
    private readonly Action<string> _changed;
    private readonly CancellationTokenSource _stop = new();
    private Task _watching = Task.CompletedTask;

    // The revision to go on from; 0 for now.
    private long _next;

    // The restores before that revision: after another one it means something else.
    private int _restores;
    private TimeSpan _pause = FirstPause;

    internal EtcdWatch(EtcdConnection etcd, EtcdOwnSaves own, Action<string> changed)
    {
        _etcd = etcd;
        _own = own;
        _changed = changed;
    }

    internal void Start() => _watching = Task.Run(WatchAsync);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _watching;
        _stop.Dispose();
    }

    private async Task WatchAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await _etcd.WatchAsync(new WatchCreateRequest { Key = EtcdKeys.First, RangeEnd = EtcdKeys.End, StartRevision = _next }, HandleAsync, _stop.Token);
            }
            catch (Exception)
            {
                // Whoever decides finds out by itself and says so; here it is only tried again.
            }

            await PauseAsync();
        }
    }

    private async Task PauseAsync()
    {
        await Task.Delay(_pause, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _pause = _pause * 2 < LongestPause ? _pause * 2 : LongestPause;
    }

    /// <returns>False when etcd has ended the watch.</returns>
    private async Task<bool> HandleAsync(WatchResponse response)
    {
        if (response.Canceled)
        {
            // What came after the last revision is not kept any more (it was compacted), or the token was refused.
            _next = 0;
            _etcd.ForgetToken();
            return false;
        }

        _pause = FirstPause;
        if (response.Created && !await CatchUpAsync())
            return false;
        if (!response.Created || _next == 0)
            _next = response.Header.Revision + 1;
        if (response.Events.Count > 0)
        {
            await _own.Running;
            Report(response.Events);
        }

        return true;
    }

    /// <summary>Reads at the beginning of a watch. An idle server so notices that etcd went back, and then waits for revisions that are long in coming.</summary>
    /// <returns>False when the watch has to begin anew.</returns>
    private async Task<bool> CatchUpAsync()
    {
        // Not the watch's own header: a member may be behind the others, and answers it all the same.
        var ranges = await _etcd.TryReadAsync([_next == 0 ? EtcdRanges.All(keysOnly: true) : EtcdRanges.Restored()], _stop.Token);
        if (ranges is null || _restores != _etcd.Restores)
        {
            (_restores, _next) = (_etcd.Restores, 0);
            return false;
        }

        // Of the time before it nothing is known.
        if (_next == 0)
        {
            Report(EtcdPair.Read(ranges[0]).Keys);
            await _etcd.RemoveOldWritersAsync(ranges[0], _stop.Token);
        }

        return true;
    }

    private void Report(IEnumerable<Event> events)
    {
        // One transaction of ours writes both keys of a group, and one of airlock's the first alone.
        var changed = new HashSet<string>(StringComparer.Ordinal);
        foreach (var change in events)
        {
            if (EtcdKeys.TryRead(change.Kv.Key, out var group, out _) && !_own.Has(change.Kv.ModRevision))
                changed.Add(group);
        }

        Report(changed);
    }

    private void Report(IEnumerable<string> groups)
    {
        foreach (var group in groups)
            _changed(group);
    }
}
