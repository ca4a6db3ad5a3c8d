namespace FleetLock.Server;

/// <summary>Keeps semaphores in memory, for tests and trials: nothing survives the process.</summary>
public sealed class MemoryStore : ISemaphoreStore
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, StoredSemaphore> _semaphores = new(StringComparer.Ordinal);

    /// <summary>Never raised: no other process has this memory.</summary>
    public event Action<string>? Changed
    {
        add { }
        remove { }
    }

    /// <inheritdoc/>
    public string Description => "memory";

    /// <inheritdoc/>
    public bool CanRevoke => true;

    /// <inheritdoc/>
    public bool StartsUnreachable => false;

    /// <inheritdoc/>
    public Task OpenAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task<StoreContents> LoadAllAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return Task.FromResult(new StoreContents(
                new Dictionary<string, StoredSemaphore>(_semaphores, StringComparer.Ordinal),
                new Dictionary<string, string>()));
        }
    }

    /// <inheritdoc/>
    public Task<StoredSemaphore> LoadAsync(string group, CancellationToken cancellationToken)
    {
        lock (_lock)
            return Task.FromResult(_semaphores.GetValueOrDefault(group, StoredSemaphore.None));
    }

    /// <inheritdoc/>
    public Task<SaveOutcome> SaveAsync(
        string group, StoredSemaphore seen, GroupSemaphore desired, bool mustWrite, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(seen);
        lock (_lock)
        {
            var current = _semaphores.GetValueOrDefault(group, StoredSemaphore.None);
            if (current.Revision != seen.Revision)
                return Task.FromResult(new SaveOutcome(false, current));
            if (ReferenceEquals(desired, seen.Semaphore) && !mustWrite)
                return Task.FromResult(new SaveOutcome(true, seen));
            var saved = _semaphores[group] = new StoredSemaphore(desired, new object());
            return Task.FromResult(new SaveOutcome(true, saved));
        }
    }

    /// <summary>Does nothing: memory never goes back to an earlier state.</summary>
    /// <param name="cancellationToken">Not used.</param>
    /// <returns>False.</returns>
    public Task<bool> ConfirmRestoreAsync(CancellationToken cancellationToken) => Task.FromResult(false);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
