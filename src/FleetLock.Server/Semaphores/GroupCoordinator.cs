using System.Collections.Concurrent;
using System.Threading.Channels;

namespace FleetLock.Server;

/// <summary>
/// The shell around <see cref="GroupStep"/> for one group: it queues messages, calls the store, runs timers, and completes the tasks of the requests.
/// It decides nothing.
/// </summary>
internal sealed class GroupCoordinator : IAsyncDisposable
{
    /// <summary>How often the store is asked while somebody waits: not every store reports what other writers release.</summary>
    private static readonly TimeSpan RecheckInterval = TimeSpan.FromSeconds(1);

    private readonly string _group;
    private readonly ISemaphoreStore _store;
    private readonly TimeProvider _clock;
    private readonly ServerMetrics _metrics;
    private readonly Channel<GroupMessage> _messages = Channel.CreateUnbounded<GroupMessage>(new UnboundedChannelOptions { SingleReader = true });
    private readonly ConcurrentDictionary<SlotRequest, PendingAnswer> _answers = new();
    private readonly ITimer _recheck;
    private readonly Task _worker;
    private volatile GroupState _state;
    private bool _isRechecking;

    internal GroupCoordinator(string group, ISemaphoreStore store, TimeProvider clock, ServerMetrics metrics)
    {
        _group = group;
        _store = store;
        _clock = clock;
        _metrics = metrics;
        _state = new GroupState { RecordsRenewals = store.CanRevoke };
        _recheck = clock.CreateTimer(_ => Post(new GroupMessage.StoreChanged()), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _store.Changed += OnChanged;
        _worker = Task.Run(WorkAsync);
    }

    /// <summary>How many ids wait for a slot.</summary>
    internal int Waiting => _state.Waiting.Count;

    /// <summary>Decides a lock. If its client disconnects before it is decided, it is dropped.</summary>
    /// <param name="request">The request.</param>
    /// <param name="isAllowed">Whether its client may lock; asked again when credentials change while it waits.</param>
    /// <param name="disconnected">Set when the client has disconnected.</param>
    /// <returns>The decision, which is durable.</returns>
    /// <exception cref="SemaphoreStoreException">
    /// The store failed. <see cref="SemaphoreStoreException.MayHaveSaved"/> says whether the slot may be held.
    /// </exception>
    /// <exception cref="OperationCanceledException">The client has disconnected, or the server is stopping.</exception>
    internal Task<SlotDecision> LockAsync(LockRequest request, Func<bool> isAllowed, CancellationToken disconnected) =>
        DecideAsync(new PendingAnswer(request) { IsAllowed = isAllowed }, disconnected);

    /// <summary>Decides any other request. It is carried out also if its client disconnects.</summary>
    /// <param name="request">The request.</param>
    /// <param name="disconnected">Set when the client has disconnected.</param>
    /// <returns>The decision, which is durable.</returns>
    /// <exception cref="SemaphoreStoreException">
    /// The store failed. <see cref="SemaphoreStoreException.MayHaveSaved"/> says whether the request may have been carried out.
    /// </exception>
    /// <exception cref="OperationCanceledException">The server is stopping.</exception>
    internal Task<SlotDecision> DecideAsync(SlotRequest request, CancellationToken disconnected) =>
        DecideAsync(new PendingAnswer(request), disconnected);

    /// <summary>Ends the waits of clients that are not allowed to lock any more.</summary>
    internal void Reauthorize()
    {
        foreach (var answer in _answers.Values)
        {
            if (answer is { Request: LockRequest request, IsAllowed: { } isAllowed } && !isAllowed())
                Post(new GroupMessage.NotAllowed(request));
        }
    }

    /// <summary>Ends all waits, because the server is stopping.</summary>
    internal void StopWaiting() => Post(new GroupMessage.StopWaiting());

    /// <summary>Answers what has queued up, then ends.</summary>
    public async ValueTask DisposeAsync()
    {
        _store.Changed -= OnChanged;
        StopWaiting();
        _messages.Writer.TryComplete();
        await _worker;
        await _recheck.DisposeAsync();
    }

    private Task<SlotDecision> DecideAsync(PendingAnswer answer, CancellationToken disconnected)
    {
        _answers[answer.Request] = answer;
        if (!Post(new GroupMessage.RequestArrived(answer.Request)))
        {
            _answers.TryRemove(answer.Request, out _);
            answer.Drop();
        }
        else if (disconnected.CanBeCanceled)
        {
            // Registered after the request was posted, so that the messages arrive in this order.
            answer.WatchClient(() => Post(new GroupMessage.ClientDisconnected(answer.Request)), disconnected);
        }

        return answer.Task;
    }

    private bool Post(GroupMessage message) => _messages.Writer.TryWrite(message);

    private void OnChanged(string group)
    {
        if (group == _group)
            Post(new GroupMessage.StoreChanged());
    }

    private async Task WorkAsync()
    {
        var messages = new List<GroupMessage>();
        while (await _messages.Reader.WaitToReadAsync())
        {
            Drain(messages);
            var work = Step(messages);
            while (work is not null)
            {
                var report = await RunAsync(work);
                Drain(messages);
                messages.Add(report);
                work = Step(messages);
            }
        }
    }

    private void Drain(List<GroupMessage> messages)
    {
        messages.Clear();
        while (_messages.Reader.TryRead(out var message))
            messages.Add(message);
    }

    private StoreWork? Step(List<GroupMessage> messages)
    {
        (_state, var effects) = GroupStep.Apply(_state, messages, _clock.GetUtcNow());
        if (effects.HasConflict)
            _metrics.Conflict();
        foreach (var (request, decision) in effects.Answers)
            TakeAnswer(request)?.Complete(decision);
        foreach (var request in effects.Dropped)
            TakeAnswer(request)?.Drop();
        if (effects.Error is { } error)
            Fail(effects, error);
        effects.Waits.ForEach(StartWait);
        UpdateRecheckTimer();
        return effects.Work;
    }

    private PendingAnswer? TakeAnswer(SlotRequest request) => _answers.TryRemove(request, out var answer) ? answer : null;

    private void Fail(GroupEffects effects, Exception error)
    {
        _metrics.StoreFailed();
        var failure = error as SemaphoreStoreException ?? new SemaphoreStoreException($"Deciding for the group '{_group}' failed: {error.Message}", error);
        var (known, unknown) = (failure.With(mayHaveSaved: false), failure.With(mayHaveSaved: true));
        foreach (var request in effects.Failed)
            TakeAnswer(request)?.Fail(effects.Unsettled.Contains(request) ? unknown : known);
    }

    private void StartWait(LockRequest request)
    {
        if (!_answers.TryGetValue(request, out var answer))
            return;
        answer.StartTimer(_clock, request.Wait, () => Post(new GroupMessage.WaitExpired(request)));

        // Credentials may have changed between the first check and the start of the wait.
        if (answer.IsAllowed is { } isAllowed && !isAllowed())
            Post(new GroupMessage.NotAllowed(request));
    }

    private void UpdateRecheckTimer()
    {
        if (_isRechecking == _state.Waiting.Count > 0)
            return;
        _isRechecking = !_isRechecking;
        var interval = _isRechecking ? RecheckInterval : Timeout.InfiniteTimeSpan;
        _recheck.Change(interval, interval);
    }

    private async Task<GroupMessage> RunAsync(StoreWork work)
    {
        try
        {
            if (work is not StoreWork.Save save)
                return new GroupMessage.Loaded(await _store.LoadAsync(_group, CancellationToken.None));
            var started = _metrics.Now;
            var outcome = await _store.SaveAsync(_group, save.Seen, save.Decision.Semaphore, save.Decision.MustWrite, CancellationToken.None);
            _metrics.StoreAnswered(started);
            return new GroupMessage.Saved(outcome);
        }
        catch (Exception e)
        {
            return new GroupMessage.StoreFailed(e);
        }
    }
}
