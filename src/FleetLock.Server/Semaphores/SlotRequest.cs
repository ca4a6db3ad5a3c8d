using System.Collections.Immutable;

namespace FleetLock.Server;

/// <summary>What a request makes of a semaphore.</summary>
/// <param name="semaphore">The semaphore before.</param>
/// <param name="time">Now.</param>
/// <returns>The semaphore after that, which is the same one if nothing changes, and the reply.</returns>
internal delegate (GroupSemaphore Next, SlotReply Reply) SlotAction(GroupSemaphore semaphore, DateTimeOffset time);

/// <summary>One request to a group's coordinator, and its answer to come.</summary>
/// <param name="id">The node id that it is about; empty when it is about the group.</param>
/// <param name="action">What it does.</param>
/// <param name="aborted">Set when its client has gone.</param>
internal sealed class SlotRequest(string id, SlotAction action, CancellationToken aborted)
{
    // Continuations run elsewhere: the coordinator's loop is not to be held up by the writing of an answer.
    private readonly TaskCompletionSource<SlotDecision> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private IDisposable? _deadline;
    private CancellationTokenRegistration _departure;

    internal string Id => id;

    /// <summary>How long a lock request waits for a slot when all are taken; zero for not at all.</summary>
    internal TimeSpan Wait { get; init; }

    /// <summary>What is to be answered, decided and not yet saved.</summary>
    internal SlotDecision Decision { get; private set; }

    /// <summary>Whether it ends the waits of the same id that came before it.</summary>
    internal bool EndsWaits { get; init; }

    /// <summary>Whether it has a place in the queue.</summary>
    internal bool IsWaiting { get; set; }

    internal bool HasGone => aborted.IsCancellationRequested;

    internal Task<SlotDecision> Answer => _answer.Task;

    /// <summary>Applies it to the semaphore, and keeps what is to be answered if that is saved.</summary>
    internal GroupSemaphore Apply(GroupSemaphore semaphore, DateTimeOffset time)
    {
        var (next, reply) = action(semaphore, time);
        var holder = (reply == SlotReply.Released ? semaphore : next).Holders.GetValueOrDefault(id);
        Decision = new SlotDecision(reply, next.Slots, holder);
        return next;
    }

    /// <summary>Calls back once when the wait is over and once when the client goes, on any thread, until it is answered.</summary>
    internal void StartWaiting(TimeProvider clock, Action<SlotRequest> leave)
    {
        _deadline = clock.CreateTimer(_ => leave(this), null, Wait, Timeout.InfiniteTimeSpan);
        _departure = aborted.UnsafeRegister(_ => leave(this), null);
    }

    /// <summary>Makes "full" the answer, whatever a try that was not saved had made of it.</summary>
    internal void Refuse() => Decision = new SlotDecision(SlotReply.Full, Decision.Slots, null);

    internal void Complete()
    {
        EndWaiting();
        _answer.TrySetResult(Decision);
    }

    internal void Fail(Exception fault)
    {
        EndWaiting();
        _answer.TrySetException(fault);
    }

    internal void Cancel()
    {
        EndWaiting();
        _answer.TrySetCanceled(CancellationToken.None);
    }

    private void EndWaiting()
    {
        _deadline?.Dispose();
        _departure.Dispose();
    }
}
