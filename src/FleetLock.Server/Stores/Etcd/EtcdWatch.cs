using FleetLock.Server.EtcdApi;
using Google.Protobuf;

namespace FleetLock.Server;

/// <summary>Tells what is saved in etcd, by whomever: one watch on the keys of all groups, taken up again where it ended.</summary>
internal sealed class EtcdWatch : IAsyncDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    private readonly EtcdConnection _etcd;
    private readonly EtcdOwnSaves _own;
    private readonly Action<string, StoredSemaphore> _tell;
    private readonly CancellationTokenSource _stop = new();

    // What is beside the semaphores: airlock writes a semaphore alone.
    private readonly Dictionary<string, ByteString> _extras = new(StringComparer.Ordinal);
    private Task _watching = Task.CompletedTask;

    // The revision to go on from; 0 for now.
    private long _next;
    private TimeSpan _pause = FirstPause;

    internal EtcdWatch(EtcdConnection etcd, EtcdOwnSaves own, Action<string, StoredSemaphore> tell)
    {
        _etcd = etcd;
        _own = own;
        _tell = tell;
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
        if (response.Created && _next == 0)
            await LoadAsync();
        if (!response.Created || _next == 0)
            _next = response.Header.Revision + 1;
        if (response.Events.Count > 0)
        {
            await _own.Running;
            Tell(response.Events);
        }

        return true;
    }

    /// <summary>Tells everything, after a time of which nothing is known.</summary>
    private async Task LoadAsync()
    {
        var response = await _etcd.RangeAsync(new RangeRequest { Key = EtcdKeys.First, RangeEnd = EtcdKeys.End }, _stop.Token);
        _extras.Clear();
        foreach (var (group, pair) in EtcdPair.Read(response.Kvs))
        {
            if (pair.Extras is { } extras)
                _extras[group] = extras;
            Tell(group, pair);
        }
    }

    private void Tell(IEnumerable<Event> events)
    {
        // What a transaction has written comes together, and in any order.
        var changed = new Dictionary<string, KeyValue?>(StringComparer.Ordinal);
        foreach (var change in events)
        {
            var isDelete = change.Type == Event.Types.EventType.Delete;
            if (!EtcdKeys.TryRead(change.Kv.Key, out var group, out var isSemaphore))
                continue;
            if (isSemaphore && _own.Has(change.Kv.ModRevision))
                changed.Remove(group);
            else if (isSemaphore)
                changed[group] = isDelete ? null : change.Kv;
            else if (isDelete)
                _extras.Remove(group);
            else
                _extras[group] = change.Kv.Value;
        }

        foreach (var (group, semaphore) in changed)
            Tell(group, new EtcdPair(semaphore, _extras.GetValueOrDefault(group)));
    }

    private void Tell(string group, EtcdPair pair)
    {
        try
        {
            _tell(group, pair.Decode(group, _etcd.Description));
        }
        catch (SemaphoreStoreException)
        {
            // A damaged value is not news: whoever decides for the group meets it in the store.
        }
    }
}
