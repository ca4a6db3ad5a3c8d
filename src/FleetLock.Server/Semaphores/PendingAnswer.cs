namespace FleetLock.Server;

/// <summary>The answer to come of one request, and what ends its wait.</summary>
internal sealed class PendingAnswer(SlotRequest request)
{
    // Continuations run elsewhere: the writing of an answer must not hold up the group.
    private readonly TaskCompletionSource<SlotDecision> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private IDisposable? _deadline;
    private CancellationTokenRegistration _disconnectRegistration;

    internal SlotRequest Request => request;

    /// <summary>Whether the client may still do this; <see langword="null"/> when nobody asks.</summary>
    internal Func<bool>? IsAllowed { get; init; }

    internal Task<SlotDecision> Task => _answer.Task;

    internal void WatchClient(Action disconnected, CancellationToken aborted) =>
        _disconnectRegistration = aborted.UnsafeRegister(static action => ((Action)action!)(), disconnected);

    internal void StartTimer(TimeProvider clock, TimeSpan wait, Action expired) =>
        _deadline = clock.CreateTimer(static action => ((Action)action!)(), expired, wait, Timeout.InfiniteTimeSpan);

    internal void Complete(SlotDecision decision)
    {
        End();
        _answer.TrySetResult(decision);
    }

    internal void Fail(Exception error)
    {
        End();
        _answer.TrySetException(error);
    }

    internal void Drop()
    {
        End();
        _answer.TrySetCanceled(CancellationToken.None);
    }

    private void End()
    {
        _deadline?.Dispose();
        _disconnectRegistration.Dispose();
    }
}
