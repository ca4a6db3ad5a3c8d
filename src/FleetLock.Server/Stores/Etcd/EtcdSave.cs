namespace FleetLock.Server;

/// <summary>A semaphore that is to be saved, and what comes of it.</summary>
internal sealed class EtcdSave(string group, StoredSemaphore seen, GroupSemaphore desired, bool mustWrite)
{
    // Continuations run elsewhere: the saving loop goes on with the next batch.
    private readonly TaskCompletionSource<SaveOutcome> _outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal string Group => group;

    internal StoredSemaphore Seen => seen;

    internal GroupSemaphore Desired => desired;

    internal bool MustWrite => mustWrite;

    /// <summary>Whether it writes, or only compares.</summary>
    internal bool IsWrite { get; set; }

    internal Task<SaveOutcome> Outcome => _outcome.Task;

    internal void Complete(SaveOutcome outcome) => _outcome.TrySetResult(outcome);

    internal void Fail(Exception fault) => _outcome.TrySetException(fault);
}
