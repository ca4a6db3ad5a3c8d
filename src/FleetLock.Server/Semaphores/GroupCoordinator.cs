using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Channels;
using System.Threading.Tasks;

namespace FleetLock.Server;

/// <summary>
/// Decides the requests of one group. It takes all that have queued up, applies them in order to the semaphore, saves it once with
/// compare-and-swap, and only then answers: so a durable write is shared by all that wait for it, and a conflict with another server
/// is applied again and never reaches a client.
/// </summary>
internal sealed class GroupCoordinator : IAsyncDisposable
{
    private readonly string _group;
    private readonly ISemaphoreStore _store;
    private readonly TimeProvider _clock;
    private readonly Channel<Pending> _queue = Channel.CreateUnbounded<Pending>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Task _worker;

    // What the store had when it was last asked. Every answer is confirmed against the store, so this only saves the load.
    private StoredSemaphore? _known;

    internal GroupCoordinator(string group, ISemaphoreStore store, TimeProvider clock)
    {
        _group = group;
        _store = store;
        _clock = clock;
        _worker = Task.Run(WorkAsync);
    }

    /// <summary>Decides one request, when its turn comes.</summary>
    /// <param name="operation">The operation.</param>
    /// <param name="id">The node id.</param>
    /// <param name="aborted">Set when the client has gone: a request that is still waiting for its turn is then dropped.</param>
    /// <returns>The decision, which is on disk.</returns>
    /// <exception cref="SemaphoreStoreException">The store failed; whether the change was saved is unknown to the caller, and known again at the next request.</exception>
    /// <exception cref="OperationCanceledException">The client has gone, or the server is stopping.</exception>
    internal Task<SlotDecision> DecideAsync(FleetLockOperation operation, string id, CancellationToken aborted)
    {
        var pending = new Pending(operation, id, aborted);
        if (!_queue.Writer.TryWrite(pending))
            pending.Answer.SetCanceled(CancellationToken.None);
        return pending.Answer.Task;
    }

    /// <summary>Makes the stored number of slots that of the configuration. No holder is lost.</summary>
    /// <param name="slots">The number of slots.</param>
    /// <param name="cancellationToken">Ends the try.</param>
    /// <exception cref="SemaphoreStoreException">The store failed.</exception>
    internal async Task ResizeAsync(int slots, CancellationToken cancellationToken)
    {
        for (; ; )
        {
            var seen = await _store.LoadAsync(_group, cancellationToken).ConfigureAwait(false);
            if (seen.Exists && seen.Semaphore.Slots == slots)
                return;
            var next = seen.Exists ? seen.Semaphore.WithSlots(slots) : GroupSemaphore.Empty(slots);
            if (await _store.SaveAsync(_group, seen, next, cancellationToken).ConfigureAwait(false) is not null)
                return;
        }
    }

    /// <summary>Answers what has queued up, then ends.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await _worker.ConfigureAwait(false);
    }

    private async Task WorkAsync()
    {
        var batch = new List<Pending>();
        while (await _queue.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            batch.Clear();
            while (_queue.Reader.TryRead(out var pending))
            {
                if (pending.Aborted.IsCancellationRequested)
                    pending.Answer.TrySetCanceled(pending.Aborted);
                else
                    batch.Add(pending);
            }

            if (batch.Count > 0)
                await DecideBatchAsync(batch).ConfigureAwait(false);
        }
    }

    private async Task DecideBatchAsync(List<Pending> batch)
    {
        try
        {
            var decisions = new SlotDecision[batch.Count];
            StoredSemaphore? saved = null;
            while (saved is null)
            {
                var seen = _known ?? await _store.LoadAsync(_group, CancellationToken.None).ConfigureAwait(false);
                var next = Apply(batch, seen.Semaphore, decisions);
                saved = await _store.SaveAsync(_group, seen, next, CancellationToken.None).ConfigureAwait(false);
                _known = saved;
            }

            for (var i = 0; i < batch.Count; i++)
                batch[i].Answer.TrySetResult(decisions[i]);
        }
        catch (Exception e)
        {
            // What the store has now is unknown, so it is loaded anew. Whatever the fault, the clients hear of it and the group goes on.
            _known = null;
            var fault = e as SemaphoreStoreException ?? new SemaphoreStoreException($"deciding for group '{_group}' failed: {e.Message}", e);
            foreach (var pending in batch)
                pending.Answer.TrySetException(fault);
        }
    }

    private GroupSemaphore Apply(List<Pending> batch, GroupSemaphore semaphore, SlotDecision[] decisions)
    {
        var now = _clock.GetUtcNow();
        for (var i = 0; i < batch.Count; i++)
        {
            var (next, reply) = batch[i].Operation == FleetLockOperation.Lock
                ? semaphore.Lock(batch[i].Id, now)
                : semaphore.Unlock(batch[i].Id);
            semaphore = next;
            decisions[i] = new SlotDecision(reply, next.Slots);
        }

        return semaphore;
    }

    private sealed record Pending(FleetLockOperation Operation, string Id, CancellationToken Aborted)
    {
        // Continuations run elsewhere: the coordinator's loop is not to be held up by the writing of an answer.
        public TaskCompletionSource<SlotDecision> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
