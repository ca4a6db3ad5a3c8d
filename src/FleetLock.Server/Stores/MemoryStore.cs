using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;

namespace FleetLock.Server;

/// <summary>Keeps semaphores in memory, for tests and trials: nothing survives the process.</summary>
public sealed class MemoryStore : ISemaphoreStore
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, StoredSemaphore> _semaphores = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public string Description => "memory";

    /// <inheritdoc/>
    public Task OpenAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task<IReadOnlyDictionary<string, StoredSemaphore>> LoadAllAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
            return Task.FromResult<IReadOnlyDictionary<string, StoredSemaphore>>(new Dictionary<string, StoredSemaphore>(_semaphores, StringComparer.Ordinal));
    }

    /// <inheritdoc/>
    public Task<StoredSemaphore> LoadAsync(string group, CancellationToken cancellationToken)
    {
        lock (_lock)
            return Task.FromResult(_semaphores.GetValueOrDefault(group, StoredSemaphore.None));
    }

    /// <inheritdoc/>
    public Task<StoredSemaphore?> SaveAsync(string group, StoredSemaphore seen, GroupSemaphore desired, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(seen);
        lock (_lock)
        {
            if (_semaphores.GetValueOrDefault(group, StoredSemaphore.None).Revision != seen.Revision)
                return Task.FromResult<StoredSemaphore?>(null);
            if (!ReferenceEquals(desired, seen.Semaphore))
                seen = _semaphores[group] = new StoredSemaphore(desired, seen.Revision + 1);
            return Task.FromResult<StoredSemaphore?>(seen);
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
