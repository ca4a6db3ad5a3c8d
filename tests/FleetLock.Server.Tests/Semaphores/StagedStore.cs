using System.Collections.Concurrent;
using FleetLock.TestKit;

namespace FleetLock.Server.Tests;

/// <summary>A memory store that counts the saves, and in which a test stages what happens at the next of them.</summary>
internal sealed class StagedStore : ISemaphoreStore
{
    private readonly MemoryStore _inner = new();
    private readonly ConcurrentQueue<Func<Func<Task<SaveOutcome>>, Task<SaveOutcome>>> _stages = new();
    private int _saves;
    private Exception? _loadFault;

    public event Action<string>? Changed;

    public string Description => "staged";

    public bool CanRevoke { get; init; } = true;

    public bool StartsUnreachable => false;

    /// <summary>How many saves the coordinator has asked for.</summary>
    internal int Saves => Volatile.Read(ref _saves);

    /// <summary>Holds the next save back.</summary>
    /// <param name="fault">Makes it fail after it has saved; <see langword="null"/> for none.</param>
    /// <returns>The held save.</returns>
    internal HeldSave HoldNextSave(Exception? fault = null)
    {
        var held = new HeldSave();
        _stages.Enqueue(async save =>
        {
            held.SetBegun();
            await held.Released;
            var outcome = await save();
            return fault is null ? outcome : throw fault;
        });
        return held;
    }

    /// <summary>Lets another server write just before the next save.</summary>
    /// <param name="change">What the other one does.</param>
    internal void ConflictWithNextSave(Func<GroupSemaphore, GroupSemaphore> change) => _stages.Enqueue(async save =>
    {
        await WriteBehindItsBackAsync(change);
        return await save();
    });

    /// <summary>Makes the next save fail.</summary>
    /// <param name="fault">The fault.</param>
    internal void FailNextSave(Exception fault) => _stages.Enqueue(_ => throw fault);

    /// <summary>Makes the next load of one group fail.</summary>
    /// <param name="fault">The fault.</param>
    internal void FailNextLoad(Exception fault) => _loadFault = fault;

    /// <summary>Makes the next save fail after it has saved, as when the answer of a remote store is lost.</summary>
    /// <param name="fault">The fault.</param>
    internal void FailAfterNextSave(Exception fault) => _stages.Enqueue(async save =>
    {
        await save();
        throw fault;
    });

    /// <summary>Writes as another server on the same store does.</summary>
    /// <param name="change">What the other one does.</param>
    internal async Task WriteBehindItsBackAsync(Func<GroupSemaphore, GroupSemaphore> change)
    {
        var seen = await LoadAsync(Sample.Group, TestContext.Current.CancellationToken);
        Assert.True((await _inner.SaveAsync(Sample.Group, seen, change(seen.Semaphore), false, TestContext.Current.CancellationToken)).IsSaved);
    }

    /// <summary>Reports a change, as a store does that watches.</summary>
    internal void ReportChange() => Changed?.Invoke(Sample.Group);

    public Task OpenAsync(CancellationToken cancellationToken) => _inner.OpenAsync(cancellationToken);

    public Task<StoreContents> LoadAllAsync(CancellationToken cancellationToken) =>
        _inner.LoadAllAsync(cancellationToken);

    public Task<StoredSemaphore> LoadAsync(string group, CancellationToken cancellationToken) =>
        Interlocked.Exchange(ref _loadFault, null) is { } fault ? throw fault : _inner.LoadAsync(group, cancellationToken);

    public Task<SaveOutcome> SaveAsync(string group, StoredSemaphore seen, GroupSemaphore desired, bool mustWrite, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _saves);
        Task<SaveOutcome> Save() => _inner.SaveAsync(group, seen, desired, mustWrite, cancellationToken);
        return _stages.TryDequeue(out var stage) ? stage(Save) : Save();
    }

    public Task<bool> ConfirmRestoreAsync(CancellationToken cancellationToken) => _inner.ConfirmRestoreAsync(cancellationToken);

    public ValueTask DisposeAsync() => _inner.DisposeAsync();

    /// <summary>A save that waits for the test.</summary>
    internal sealed class HeldSave
    {
        private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Ends when the coordinator has asked for the save.</summary>
        internal Task Begun => _begun.Task.WaitAsync(TestTimeout.Hang);

        internal Task Released => _released.Task;

        internal void SetBegun() => _begun.SetResult();

        /// <summary>Lets the save go on.</summary>
        internal void Release() => _released.SetResult();
    }
}
