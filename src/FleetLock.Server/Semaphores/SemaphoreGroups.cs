using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;

namespace FleetLock.Server;

/// <summary>The groups of a server: those of its configuration, and those that are still in its store.</summary>
internal sealed class SemaphoreGroups : IAsyncDisposable
{
    private readonly ISemaphoreStore _store;
    private readonly Dictionary<string, GroupCoordinator> _configured = new(StringComparer.Ordinal);

    // Groups that are no longer configured and still have holders: they are not granted any more, but their holders can release.
    private readonly Dictionary<string, GroupCoordinator> _retired = new(StringComparer.Ordinal);

    private SemaphoreGroups(ISemaphoreStore store) => _store = store;

    /// <summary>Makes the coordinators, and makes the stored slots those of the configuration.</summary>
    /// <param name="slots">The configured groups and their slots.</param>
    /// <param name="store">The store, open.</param>
    /// <param name="clock">The clock for "since when".</param>
    /// <param name="cancellationToken">Ends the try.</param>
    /// <returns>The groups.</returns>
    /// <exception cref="SemaphoreStoreException">The store failed.</exception>
    internal static async Task<SemaphoreGroups> StartAsync(IReadOnlyDictionary<string, int> slots, ISemaphoreStore store, TimeProvider clock, CancellationToken cancellationToken)
    {
        var groups = new SemaphoreGroups(store);
        foreach (var (group, count) in slots)
        {
            var coordinator = new GroupCoordinator(group, store, clock);
            groups._configured.Add(group, coordinator);
            await coordinator.ResizeAsync(count, cancellationToken).ConfigureAwait(false);
        }

        foreach (var (group, stored) in await store.LoadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            if (!groups._configured.ContainsKey(group) && stored.Semaphore.Holders.Count > 0)
                groups._retired.Add(group, new GroupCoordinator(group, store, clock));
        }

        return groups;
    }

    /// <summary>The coordinator that decides an operation on a group.</summary>
    /// <param name="group">The group.</param>
    /// <param name="operation">The operation.</param>
    /// <returns>The coordinator, or <see langword="null"/> when this server has no such group.</returns>
    internal GroupCoordinator? Find(string group, FleetLockOperation operation)
    {
        if (_configured.TryGetValue(group, out var coordinator))
            return coordinator;
        return operation == FleetLockOperation.Unlock ? _retired.GetValueOrDefault(group) : null;
    }

    /// <summary>The groups as the store has them now: the configured ones, and any other that has holders.</summary>
    /// <param name="cancellationToken">Ends the try.</param>
    /// <returns>The groups, by name.</returns>
    /// <exception cref="SemaphoreStoreException">The store failed.</exception>
    internal async Task<FleetGroupList> ListAsync(CancellationToken cancellationToken)
    {
        var stored = await _store.LoadAllAsync(cancellationToken).ConfigureAwait(false);
        return new FleetGroupList(
        [
            .. stored
                .Where(group => _configured.ContainsKey(group.Key) || group.Value.Semaphore.Holders.Count > 0)
                .OrderBy(group => group.Key, StringComparer.Ordinal)
                .Select(group => Describe(group.Key, group.Value.Semaphore)),
        ]);
    }

    private static FleetGroup Describe(string name, GroupSemaphore semaphore) =>
        new(name, semaphore.Slots, semaphore.Free, [.. semaphore.Holders.Select(holder => new FleetHolder(holder.Key, holder.Value))]);

    /// <summary>Answers what has queued up, then ends.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var coordinator in _configured.Values.Concat(_retired.Values))
            await coordinator.DisposeAsync().ConfigureAwait(false);
    }
}
