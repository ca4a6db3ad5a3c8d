using System.Threading.Channels;

namespace FleetLock.Server;

/// <summary>
/// Decides the requests of one group. It takes all that have queued up, applies them in order to the semaphore, saves it once with
/// compare-and-swap, and only then answers: so a durable write is shared by all that wait for it, and a conflict with another server
/// is applied again and never reaches a client.
/// </summary>
/// <remarks>
/// Whoever waits for a slot (<c>Prefer: wait</c>) comes before whoever merely asks: a slot that becomes free goes to the head of the queue in the
/// very save that frees it, so that polling clients find it free only when nobody waits.
/// </remarks>
internal sealed class GroupCoordinator : IAsyncDisposable
{
    /// <summary>How often the store is asked while somebody waits: not every store tells of what others release.</summary>
    private static readonly TimeSpan RecheckInterval = TimeSpan.FromSeconds(1);

    private readonly string _group;
    private readonly ISemaphoreStore _store;
    private readonly TimeProvider _clock;
    private readonly ServerMetrics _metrics;
    private readonly Channel<Message> _messages = Channel.CreateUnbounded<Message>(new UnboundedChannelOptions { SingleReader = true });
    private readonly WaitingQueue _queue = new();
    private readonly ITimer _recheck;
    private readonly Task _worker;

    // What the store had when it last told. Every answer is confirmed against the store, so this only saves the load.
    private StoredSemaphore? _known;
    private bool _isRechecking;
    private bool _isStopping;

    // Whom an unlock of their own id took out of the queue; they are answered when that is saved.
    private readonly List<SlotRequest> _withdrawn = [];

    // What the configuration says of the slots, and what of that is saved.
    private volatile Configuration? _configuration;
    private Configuration? _applied;

    internal GroupCoordinator(string group, ISemaphoreStore store, TimeProvider clock, ServerMetrics metrics)
    {
        _group = group;
        _store = store;
        _clock = clock;
        _metrics = metrics;
        _recheck = clock.CreateTimer(_ => _messages.Writer.TryWrite(Message.Recheck), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _store.Changed += OnChanged;
        _worker = Task.Run(WorkAsync);
    }

    private enum MessageKind
    {
        Request,
        Leave,
        Changed,
        Recheck,
        StopWaiting,
    }

    /// <summary>How many ids wait for a slot.</summary>
    internal int Waiting => _queue.Count;

    /// <summary>Decides a lock, when its turn comes.</summary>
    /// <param name="id">The node id.</param>
    /// <param name="from">The address that it asks from, if it is known.</param>
    /// <param name="wait">How long it waits for a slot when all are taken; zero for not at all.</param>
    /// <param name="aborted">Set when the client has gone: a request that is still waiting for its turn or for a slot is then dropped.</param>
    /// <returns>The decision, which is on disk.</returns>
    /// <exception cref="SemaphoreStoreException">The store failed; whether the change was saved is unknown to the caller, and known again at the next request.</exception>
    /// <exception cref="OperationCanceledException">The client has gone, or the server is stopping.</exception>
    internal Task<SlotDecision> LockAsync(string id, string? from, TimeSpan wait, CancellationToken aborted) =>
        DecideAsync(new SlotRequest(id, (semaphore, time) => semaphore.Lock(id, from, time), aborted) { Wait = wait });

    /// <summary>Decides an unlock, when its turn comes; by the node itself or by an operator. It ends the waits of the same id too: they are of before.</summary>
    /// <param name="id">The node id.</param>
    /// <param name="aborted">Set when the client has gone: a request that is still waiting for its turn is then dropped.</param>
    /// <returns>The decision, which is on disk.</returns>
    /// <exception cref="SemaphoreStoreException">The store failed.</exception>
    /// <exception cref="OperationCanceledException">The client has gone, or the server is stopping.</exception>
    internal Task<SlotDecision> UnlockAsync(string id, CancellationToken aborted) =>
        DecideAsync(new SlotRequest(id, (semaphore, _) => semaphore.Unlock(id), aborted) { EndsWaits = true });

    /// <summary>Takes back a grant whose answer was not sent, where that is safe; otherwise it stands, and the id may ask again.</summary>
    /// <param name="id">The node id.</param>
    /// <param name="granted">The holder as it was granted.</param>
    /// <returns>The decision.</returns>
    internal Task<SlotDecision> TakeBackAsync(string id, SlotHolder granted) => _store.KeepsEveryAsk
        ? DecideAsync(new SlotRequest(id, (semaphore, _) => semaphore.TakeBack(id, granted), CancellationToken.None))
        : Task.FromResult(new SlotDecision(SlotReply.NotHeld, 0, null));

    /// <summary>Changes the number of slots, until the configuration says another. No holder is lost.</summary>
    /// <param name="slots">The number of slots.</param>
    /// <param name="aborted">Set when the client has gone.</param>
    /// <returns>The decision, which is on disk.</returns>
    /// <exception cref="SemaphoreStoreException">The store failed.</exception>
    internal Task<SlotDecision> ResizeAsync(int slots, CancellationToken aborted) =>
        DecideAsync(new SlotRequest("", (semaphore, _) => (semaphore.WithSlots(slots), SlotReply.Resized), aborted));

    /// <summary>Takes over the configuration's number of slots. If the store fails, the next request takes it over.</summary>
    /// <param name="slots">The number of slots.</param>
    /// <returns>When it is saved.</returns>
    /// <exception cref="SemaphoreStoreException">The store failed.</exception>
    internal Task ConfigureAsync(int slots)
    {
        _configuration = new Configuration(slots);
        return DecideAsync(new SlotRequest("", (semaphore, _) => (semaphore, SlotReply.Resized), CancellationToken.None));
    }

    /// <summary>Tells those who wait that the server is stopping.</summary>
    internal void StopWaiting() => _messages.Writer.TryWrite(Message.StopWaiting);

    /// <summary>Answers what has queued up, then ends.</summary>
    public async ValueTask DisposeAsync()
    {
        _store.Changed -= OnChanged;
        StopWaiting();
        _messages.Writer.TryComplete();
        await _worker;
        await _recheck.DisposeAsync();
    }

    private Task<SlotDecision> DecideAsync(SlotRequest request)
    {
        if (!_messages.Writer.TryWrite(new Message(MessageKind.Request, request)))
            request.Cancel();
        return request.Answer;
    }

    private void OnChanged(string group, StoredSemaphore stored)
    {
        if (group == _group)
            _messages.Writer.TryWrite(new Message(MessageKind.Changed, Stored: stored));
    }

    private async Task WorkAsync()
    {
        var batch = new List<SlotRequest>();
        while (await _messages.Reader.WaitToReadAsync())
        {
            batch.Clear();
            var isChanged = false;
            while (_messages.Reader.TryRead(out var message))
                isChanged |= Take(message, batch);

            if (batch.Count > 0 || (isChanged && _queue.Count > 0))
                await DecideBatchAsync(batch);
            Recheck();
        }
    }

    /// <returns>True when the queue may have to be served, even though nobody asks.</returns>
    private bool Take(Message message, List<SlotRequest> batch)
    {
        switch (message.Kind)
        {
            case MessageKind.Request when message.Request!.HasGone:
                message.Request.Cancel();
                return false;
            case MessageKind.Request:
                batch.Add(message.Request!);
                if (message.Request!.EndsWaits)
                    _withdrawn.AddRange(_queue.Withdraw(message.Request.Id));
                return false;
            case MessageKind.Leave when _queue.Leave(message.Request!):
                EndWait(message.Request!);
                return false;
            case MessageKind.Changed when _known is null || message.Stored!.Revision > _known.Revision:
                _known = message.Stored;
                _queue.PutHoldersFirst(_known!.Semaphore);
                return true;
            case MessageKind.StopWaiting:
                _isStopping = true;
                _queue.TakeAll().ForEach(request => request.Cancel());
                return false;
            default:
                return message.Kind == MessageKind.Recheck;
        }
    }

    /// <summary>The wait is over, or its client has gone.</summary>
    private static void EndWait(SlotRequest request)
    {
        if (request.HasGone)
        {
            request.Cancel();
            return;
        }

        request.Refuse();
        request.Complete();
    }

    private async Task DecideBatchAsync(List<SlotRequest> batch)
    {
        try
        {
            var configuration = _configuration;
            for (; ; )
            {
                var seen = _known ?? await _store.LoadAsync(_group, CancellationToken.None);
                var next = Apply(batch, seen.Semaphore, configuration);
                var started = _metrics.Now;
                var outcome = await _store.SaveAsync(_group, seen, next, CancellationToken.None);
                _metrics.StoreAnswered(started);
                _known = outcome.Current;
                if (outcome.IsSaved)
                    break;
                _metrics.Conflict();
                _queue.PutHoldersFirst(_known.Semaphore);
            }

            _applied = configuration;
            Answer(batch);
        }
        catch (Exception e)
        {
            // What the store has now is unknown, so it is loaded anew. Whatever the fault, the clients hear of it and the group goes on.
            _known = null;
            _metrics.StoreFailed();
            var fault = e as SemaphoreStoreException ?? new SemaphoreStoreException($"deciding for group '{_group}' failed: {e.Message}", e);
            batch.AddRange(_queue.TakeAll());
            batch.AddRange(_withdrawn);
            batch.ForEach(request => request.Fail(fault));
        }
        finally
        {
            _withdrawn.Clear();
        }
    }

    private GroupSemaphore Apply(List<SlotRequest> batch, GroupSemaphore semaphore, Configuration? configuration)
    {
        var now = _clock.GetUtcNow();

        // Once, or what an operator changes later would not last; and where there is no trace of it, because the stored value is new or airlock's.
        if (configuration is not null && (configuration != _applied || semaphore.Configured is null))
            semaphore = semaphore.Configure(configuration.Slots);

        // After a conflict, one that has joined the queue is decided anew where it came in, not before: what its id asked earlier is not to undo its grant.
        foreach (var request in batch)
        {
            if (request.IsWaiting)
                _queue.Leave(request);
        }

        _queue.Rewind();
        semaphore = _queue.Serve(semaphore, now);
        foreach (var request in batch)
        {
            semaphore = request.Apply(semaphore, now);
            if (request.EndsWaits)
                _withdrawn.AddRange(_queue.Withdraw(request.Id));
            var waits = request.Decision.Reply == SlotReply.Full && request.Wait > TimeSpan.Zero && !_isStopping && _queue.TryJoin(request);
            if (!waits)
                semaphore = _queue.Serve(semaphore, now);
        }

        return semaphore;
    }

    private void Answer(List<SlotRequest> batch)
    {
        _queue.CompleteServed();
        _withdrawn.FindAll(request => !request.IsWaiting).ForEach(request => request.Complete());
        foreach (var request in batch)
        {
            if (!request.IsWaiting)
                request.Complete();
            else if (!request.Answer.IsCompleted)
                request.StartWaiting(_clock, late => _messages.Writer.TryWrite(new Message(MessageKind.Leave, late)));
        }
    }

    private void Recheck()
    {
        if (_isRechecking == _queue.Count > 0)
            return;
        _isRechecking = !_isRechecking;
        var interval = _isRechecking ? RecheckInterval : Timeout.InfiniteTimeSpan;
        _recheck.Change(interval, interval);
    }

    private readonly record struct Message(MessageKind Kind, SlotRequest? Request = null, StoredSemaphore? Stored = null)
    {
        internal static readonly Message Recheck = new(MessageKind.Recheck);

        internal static readonly Message StopWaiting = new(MessageKind.StopWaiting);
    }

    private sealed record Configuration(int Slots);
}
