using Google.Protobuf;

namespace FleetLock.Server;

/// <summary>A semaphore that is to be saved, and what comes of it.</summary>
internal sealed class EtcdSave(string group, StoredSemaphore seen, GroupSemaphore desired, bool mustWrite)
{
    // Continuations run elsewhere: the saving loop goes on with the next batch.
    private readonly TaskCompletionSource<SaveOutcome> _outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ByteString? _value;
    private ByteString? _companion;
    private EtcdUnknownMembers? _unknown;

    internal string Group => group;

    internal StoredSemaphore Seen => seen;

    internal GroupSemaphore Desired => desired;

    internal bool MustWrite => mustWrite;

    /// <summary>Whether it writes, or only compares.</summary>
    internal bool IsWrite { get; set; }

    /// <summary>The semaphore's value to write.</summary>
    internal ByteString Value => _value ??= EtcdValues.WriteSemaphore(desired);

    /// <summary>The companion's value to write.</summary>
    internal ByteString Companion => _companion ??= EtcdCompanion.Write(desired, Unknown);

    internal Task<SaveOutcome> Outcome => _outcome.Task;

    private EtcdUnknownMembers Unknown => _unknown ??= (seen.Revision as EtcdRevision)?.Unknown.After(seen.Semaphore, desired) ?? EtcdUnknownMembers.None;

    /// <summary>What is stored once etcd has run it.</summary>
    internal StoredSemaphore Stored(long revision) => IsWrite
        ? new StoredSemaphore(desired, new EtcdRevision(revision, Value, revision) { Unknown = Unknown }) { IsRestored = seen.IsRestored }
        : seen;

    internal void Complete(SaveOutcome outcome) => _outcome.TrySetResult(outcome);

    internal void Fail(Exception fault) => _outcome.TrySetException(fault);
}
