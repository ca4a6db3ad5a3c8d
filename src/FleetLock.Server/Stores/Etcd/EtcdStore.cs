using System.Threading.Channels;
using FleetLock.Server.EtcdApi;

namespace FleetLock.Server;

/// <summary>
/// Keeps semaphores in etcd, for several servers at once and beside airlock: the keys and values are airlock's. One transaction saves all groups
/// that have queued up, each with a compare of its own.
/// </summary>
public sealed class EtcdStore : ISemaphoreStore
{
    /// <summary>How often the saving loop lets others have their turn before it saves.</summary>
    private const int MostTurns = 16;

    private readonly EtcdConnection _etcd;
    private readonly EtcdWatch _watch;
    private readonly EtcdOwnSaves _own = new();
    private readonly Channel<EtcdSave> _saves = Channel.CreateUnbounded<EtcdSave>(new UnboundedChannelOptions
    {
        SingleReader = true,

        // The first save is sent on the thread of its caller, which waits for it anyway; what comes meanwhile queues up.
        AllowSynchronousContinuations = true,
    });

    // The revision that a save compared whose outcome is unknown, by group. Used by the saving loop.
    private readonly Dictionary<string, object?> _unsettled = new(StringComparer.Ordinal);

    private Task _saving = Task.CompletedTask;
    private int _isDisposed;

    /// <summary>Makes a store; <see cref="OpenAsync"/> opens it.</summary>
    /// <param name="options">Endpoints, certificates, user and time-out.</param>
    /// <exception cref="FleetLockInputException">The options contradict each other, or a certificate cannot be used.</exception>
    public EtcdStore(EtcdStoreOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _etcd = new EtcdConnection(options);
        _watch = new EtcdWatch(_etcd, _own, group => Changed?.Invoke(group));
    }

    /// <inheritdoc/>
    public event Action<string>? Changed;

    /// <inheritdoc/>
    public string Description => _etcd.Description;

    /// <inheritdoc cref="EtcdConnection.CallTimeout"/>
    internal TimeSpan CallTimeout
    {
        get => _etcd.CallTimeout;
        set => _etcd.CallTimeout = value;
    }

    /// <summary>False: airlock grants again without a trace.</summary>
    public bool CanRevoke => false;

    /// <inheritdoc/>
    public bool StartsUnreachable => true;

    /// <summary>Begins to watch. etcd need not be there yet.</summary>
    /// <param name="cancellationToken">Not used: nothing is waited for.</param>
    /// <returns>A completed task.</returns>
    public Task OpenAsync(CancellationToken cancellationToken)
    {
        _saving = Task.Run(SaveQueuedAsync, CancellationToken.None);
        _watch.Start();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async Task<StoreContents> LoadAllAsync(CancellationToken cancellationToken)
    {
        var keys = (await ReadAsync([EtcdRanges.All()], cancellationToken))[0];
        var isRestored = keys.Any(key => key.Key.Equals(EtcdKeys.Restored));
        var semaphores = new Dictionary<string, StoredSemaphore>(StringComparer.Ordinal);
        var damaged = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (group, pair) in EtcdPair.Read(keys))
        {
            try
            {
                if (pair.Decode(group, Description, isRestored) is { Exists: true } stored)
                    semaphores[group] = stored;
            }
            catch (SemaphoreStoreException e)
            {
                damaged[group] = e.Message;
            }
        }

        return new StoreContents(semaphores, damaged) { IsRestored = isRestored };
    }

    /// <inheritdoc/>
    public async Task<StoredSemaphore> LoadAsync(string group, CancellationToken cancellationToken)
    {
        var ranges = await ReadAsync([EtcdRanges.Of(group), EtcdRanges.Restored()], cancellationToken);
        return Decode(group, ranges[0], isRestored: ranges[1].Count > 0);
    }

    /// <inheritdoc/>
    public Task<SaveOutcome> SaveAsync(string group, StoredSemaphore seen, GroupSemaphore desired, bool mustWrite, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(seen);
        ArgumentNullException.ThrowIfNull(desired);
        var save = new EtcdSave(group, seen, desired, mustWrite);
        if (!_saves.Writer.TryWrite(save))
            save.Fail(new SemaphoreStoreException(Description + " is closed") { MayHaveSaved = false });
        return save.Outcome;
    }

    /// <inheritdoc/>
    public async Task<bool> ConfirmRestoreAsync(CancellationToken cancellationToken)
    {
        var request = new TxnRequest { Success = { new RequestOp { RequestDeleteRange = new DeleteRangeRequest { Key = EtcdKeys.Restored } } } };
        var response = await _etcd.TxnAsync(request);

        // What the watch has noticed is known to whoever confirms it.
        _etcd.ForgetRestore();
        return response.Responses[0].ResponseDeleteRange.Deleted > 0;
    }

    /// <summary>Saves what has queued up, then closes the connection.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 1)
            return;
        _saves.Writer.TryComplete();
        await _saving;
        await _watch.DisposeAsync();
        await _etcd.RemoveWriterAsync();
        _etcd.Dispose();
    }

    private async Task SaveQueuedAsync()
    {
        var waiting = new List<EtcdSave>();
        var batch = new EtcdBatch();
        var last = 0;
        while (await _saves.Reader.WaitToReadAsync())
        {
            do
            {
                TakeQueued(waiting);

                // Who has just been answered asks again at once, and what they ask goes out together: a transaction costs etcd more than a group in it.
                for (var turn = 0; turn < MostTurns && waiting.Count < last; turn++)
                {
                    await Task.Yield();
                    TakeQueued(waiting);
                }

                waiting.RemoveAll(save => batch.TryAdd(save, MustWrite(save)));
                last = batch.Saves.Count;
                await (_own.Running = RunAsync(batch));
                batch = new EtcdBatch();
            }
            while (waiting.Count > 0);
        }
    }

    private async Task<IReadOnlyList<IList<KeyValue>>> ReadAsync(RangeRequest[] ranges, CancellationToken cancellationToken)
    {
        if (_etcd.TakeRestore() is { } restored)
            throw restored;
        return await _etcd.TryReadAsync(ranges, cancellationToken) ?? throw _etcd.Restored();
    }

    private StoredSemaphore Decode(string group, IList<KeyValue> keys, bool isRestored) =>
        EtcdPair.Read(keys, group).Decode(group, Description, isRestored);

    private void TakeQueued(List<EtcdSave> waiting)
    {
        while (_saves.Reader.TryRead(out var save))
            waiting.Add(save);
    }

    private async Task RunAsync(EtcdBatch batch)
    {
        if (_etcd.TakeRestore() is { } restored)
        {
            batch.Saves.ForEach(save => save.Fail(restored.With(mayHaveSaved: false)));
            return;
        }

        try
        {
            var response = await _etcd.TxnAsync(batch.CreateRequest());
            var hasWritten = false;
            for (var i = 0; i < batch.Saves.Count; i++)
            {
                var (isSaved, keys, isRestored) = batch.ReadResponse(response, i);
                hasWritten |= isSaved && batch.Saves[i].IsWrite;
                if (isSaved)
                    Complete(batch.Saves[i], batch.Saves[i].Stored(response.Header.Revision));
                else
                    Conflict(batch.Saves[i], keys, isRestored);
            }

            // Otherwise it is the revision of whoever wrote last.
            if (hasWritten)
                _own.Add(response.Header.Revision);
        }
        catch (Exception e)
        {
            var fault = e as SemaphoreStoreException ?? new SemaphoreStoreException($"{Description} failed: {e.Message}", e);
            foreach (var save in batch.Saves)
            {
                if (save.IsWrite)
                    _unsettled[save.Group] = save.Seen.Revision;
                save.Fail(fault);
            }
        }
    }

    private void Complete(EtcdSave save, StoredSemaphore stored)
    {
        Settle(save.Group, stored);
        save.Complete(new SaveOutcome(true, stored));
    }

    private void Conflict(EtcdSave save, IList<KeyValue> keys, bool isRestored)
    {
        try
        {
            var current = Decode(save.Group, keys, isRestored);
            Settle(save.Group, current);
            save.Complete(new SaveOutcome(false, current));
        }
        catch (SemaphoreStoreException e)
        {
            // The comparison has failed, so nothing was written.
            save.Fail(e.With(mayHaveSaved: false));
        }
    }

    private void Settle(string group, StoredSemaphore stored)
    {
        if (_unsettled.TryGetValue(group, out var compared) && !Equals(compared, stored.Revision))
            _unsettled.Remove(group);
    }

    /// <summary>
    /// Whether a save has to write. One that changes nothing only compares, unless the caller asks for a fence, or a transaction of ours with the same
    /// compare may still be on its way. That one may be a release or another number of slots, and would commit after a repeated lock, or a change of the
    /// slots that finds nothing to change, was answered. A write makes its compare fail.
    /// </summary>
    private bool MustWrite(EtcdSave save) => save.MustWrite || !ReferenceEquals(save.Desired, save.Seen.Semaphore)
        || (_unsettled.TryGetValue(save.Group, out var compared) && Equals(compared, save.Seen.Revision));
}
