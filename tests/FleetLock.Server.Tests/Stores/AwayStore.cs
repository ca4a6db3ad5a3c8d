namespace FleetLock.Server.Tests;

/// <summary>A memory store that a test takes away, to fail or to hang, and brings back.</summary>
internal sealed class AwayStore : ISemaphoreStore
{
    private readonly MemoryStore _inner = new();
    private int _calls;

    public event Action<string>? Changed
    {
        add { }
        remove { }
    }

    public string Description => "away";

    public bool CanRevoke => true;

    public bool StartsUnreachable => false;

    /// <summary>What every call waits for; it fails or hangs as this does.</summary>
    internal Task Way { get; set; } = Task.CompletedTask;

    /// <summary>How many calls there were since it was made.</summary>
    internal int Calls => Volatile.Read(ref _calls);

    internal static Task Failing => Task.FromException(new SemaphoreStoreException("the store is away"));

    internal static Task Hanging => new TaskCompletionSource().Task;

    public Task OpenAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task<StoreContents> LoadAllAsync(CancellationToken cancellationToken) => AskAsync(() => _inner.LoadAllAsync(cancellationToken));

    public Task<StoredSemaphore> LoadAsync(string group, CancellationToken cancellationToken) => AskAsync(() => _inner.LoadAsync(group, cancellationToken));

    public Task<SaveOutcome> SaveAsync(string group, StoredSemaphore seen, GroupSemaphore desired, bool mustWrite, CancellationToken cancellationToken) =>
        AskAsync(() => _inner.SaveAsync(group, seen, desired, mustWrite, cancellationToken));

    public Task<bool> ConfirmRestoreAsync(CancellationToken cancellationToken) => _inner.ConfirmRestoreAsync(cancellationToken);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private async Task<T> AskAsync<T>(Func<Task<T>> ask)
    {
        Interlocked.Increment(ref _calls);
        await Way;
        return await ask();
    }
}
