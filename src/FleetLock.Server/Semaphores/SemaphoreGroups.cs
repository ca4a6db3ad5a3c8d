using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace FleetLock.Server;

/// <summary>The groups of a server: those of its configuration, and those that are still in its store.</summary>
internal sealed class SemaphoreGroups : IAsyncDisposable
{
    private readonly ISemaphoreStore _store;
    private readonly TimeProvider _clock;
    private readonly ServerMetrics _metrics;
    private readonly ILogger _logger;
    private readonly ConcurrentDictionary<string, GroupCoordinator> _coordinators = new(StringComparer.Ordinal);

    // The groups that are granted. A coordinator that is not among them is of a group that was configured once: its holders can still release.
    private volatile IReadOnlyDictionary<string, int> _configured = new Dictionary<string, int>();

    /// <summary>Makes the groups, none of them configured yet.</summary>
    /// <param name="store">The store, open.</param>
    /// <param name="clock">The clock for "since when" and for waiting.</param>
    /// <param name="metrics">Where conflicts and the store's times are counted.</param>
    /// <param name="logger">The server's log.</param>
    internal SemaphoreGroups(ISemaphoreStore store, TimeProvider clock, ServerMetrics metrics, ILogger logger)
    {
        _store = store;
        _clock = clock;
        _metrics = metrics;
        _logger = logger;
    }

    /// <summary>Confirms that the content of a restored store is right.</summary>
    /// <param name="cancellationToken">A token to cancel the operation.</param>
    /// <returns>Whether there was something to confirm.</returns>
    /// <exception cref="SemaphoreStoreException">The store failed.</exception>
    internal Task<bool> ConfirmRestoreAsync(CancellationToken cancellationToken) => _store.ConfirmRestoreAsync(cancellationToken);

    /// <summary>The configured groups.</summary>
    internal IReadOnlyDictionary<string, int> Configured => _configured;

    /// <summary>Takes over a configuration: its groups are granted from now on, with its slots where they are others than it said before. No holder is lost.</summary>
    /// <param name="slots">The groups and their slots.</param>
    /// <returns>When the slots are saved.</returns>
    /// <exception cref="SemaphoreStoreException">The store failed. Each group's next request tries again.</exception>
    internal Task ConfigureAsync(IReadOnlyDictionary<string, int> slots)
    {
        var before = _configured;
        _configured = slots;
        var removed = before.Keys.Where(group => !slots.ContainsKey(group)).Select(group => Coordinator(group).DecideAsync(new ConfigureRequest(null), CancellationToken.None));
        var changed = slots
            .Where(group => !before.TryGetValue(group.Key, out var count) || count != group.Value)
            .Select(group => Coordinator(group.Key).DecideAsync(new ConfigureRequest(group.Value), CancellationToken.None));
        return Task.WhenAll([.. removed, .. changed]);
    }

    /// <summary>The same, without waiting for the store; a failure is logged.</summary>
    /// <param name="slots">The groups and their slots.</param>
    /// <returns>When the slots are saved, or the failure is logged.</returns>
    internal async Task TryConfigureAsync(IReadOnlyDictionary<string, int> slots)
    {
        try
        {
            await ConfigureAsync(slots);
        }
        catch (SemaphoreStoreException e)
        {
            ServerLog.StoreFailed(_logger, e);
        }
    }

    /// <summary>The coordinator that decides locks of a group.</summary>
    /// <param name="group">The group.</param>
    /// <returns>The coordinator, or <see langword="null"/> when the group is not configured.</returns>
    internal GroupCoordinator? FindConfigured(string group) => _configured.ContainsKey(group) ? Coordinator(group) : null;

    /// <summary>The coordinator that decides releases in a group: it need not be configured any more while somebody holds a slot of it.</summary>
    /// <param name="group">The group.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <returns>The coordinator, or <see langword="null"/> when this server has no such group.</returns>
    /// <exception cref="SemaphoreStoreException">The store failed.</exception>
    internal async ValueTask<GroupCoordinator?> FindAsync(string group, CancellationToken cancellationToken)
    {
        if (_configured.ContainsKey(group) || _coordinators.ContainsKey(group))
            return Coordinator(group);
        var stored = await _store.LoadAsync(group, cancellationToken);
        return stored.Semaphore.Holders.Count > 0 ? Coordinator(group) : null;
    }

    /// <summary>The groups as the store has them now: the configured ones, and any other that has holders.</summary>
    /// <param name="cancellationToken">A token to cancel the operation.</param>
    /// <returns>The groups, by name.</returns>
    /// <exception cref="SemaphoreStoreException">The store failed.</exception>
    internal async Task<FleetGroupList> ListAsync(CancellationToken cancellationToken)
    {
        var contents = await _store.LoadAllAsync(cancellationToken);
        var held = contents.Semaphores.Where(group => group.Value.Semaphore.Holders.Count > 0).Select(group => group.Key);
        return new FleetGroupList(
        [
            .. _configured.Keys.Union(held).Union(contents.Damaged.Keys.Where(_configured.ContainsKey))
                .Order(StringComparer.Ordinal)
                .Select(group => contents.Damaged.TryGetValue(group, out var fault)
                    ? new FleetGroup(group, 0, 0, []) { Fault = fault, StoreRestored = contents.IsRestored }
                    : Describe(group, contents.Semaphores.GetValueOrDefault(group, StoredSemaphore.None), contents.IsRestored)),
        ]);
    }

    /// <summary>Asks the store for the least that it can tell, to see whether it answers.</summary>
    /// <param name="cancellationToken">A token to cancel the operation.</param>
    /// <returns>Nothing of use: no group has an empty name.</returns>
    /// <exception cref="SemaphoreStoreException">The store failed.</exception>
    internal Task<StoredSemaphore> ProbeAsync(CancellationToken cancellationToken) => _store.LoadAsync("", cancellationToken);

    /// <summary>One group as the store has it now.</summary>
    /// <param name="group">The group.</param>
    /// <param name="cancellationToken">A token to cancel the operation.</param>
    /// <returns>The group; <see langword="null"/> when it is neither configured nor held.</returns>
    /// <exception cref="SemaphoreStoreException">The store failed, or what it has for the group is no semaphore.</exception>
    internal async Task<FleetGroup?> ShowAsync(string group, CancellationToken cancellationToken)
    {
        var stored = await _store.LoadAsync(group, cancellationToken);
        return _configured.ContainsKey(group) || stored.Semaphore.Holders.Count > 0 ? Describe(group, stored, stored.IsRestored) : null;
    }

    /// <summary>Ends the waits of clients that are not allowed to lock any more, after a change of credentials.</summary>
    internal void Reauthorize()
    {
        foreach (var coordinator in _coordinators.Values)
            coordinator.Reauthorize();
    }

    /// <summary>Ends all waits, because the server is stopping.</summary>
    internal void StopWaiting()
    {
        foreach (var coordinator in _coordinators.Values)
            coordinator.StopWaiting();
    }

    /// <summary>Answers what has queued up, then ends.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var coordinator in _coordinators.Values)
            await coordinator.DisposeAsync();
    }

    private GroupCoordinator Coordinator(string group)
    {
        if (_coordinators.TryGetValue(group, out var found))
            return found;

        // Not GetOrAdd, whose factory may run twice: a second coordinator would never end.
        lock (_coordinators)
        {
            if (!_coordinators.TryGetValue(group, out found))
                _coordinators[group] = found = new GroupCoordinator(group, _store, _clock, _metrics);
            return found;
        }
    }

    private FleetGroup Describe(string name, StoredSemaphore stored, bool isRestored)
    {
        // Not stored yet: the first request will store what the configuration says.
        var semaphore = !stored.Exists && _configured.TryGetValue(name, out var slots) ? stored.Semaphore.Configure(slots) : stored.Semaphore;
        return new FleetGroup(name, semaphore.Slots, semaphore.Free, [.. semaphore.Holders.Select(holder => Describe(holder.Key, holder.Value))])
        {
            Waiting = _coordinators.TryGetValue(name, out var coordinator) ? coordinator.Waiting : 0,
            StoreRestored = isRestored,
        };
    }

    /// <summary>A holder, as it is shown.</summary>
    /// <param name="id">The node id.</param>
    /// <param name="holder">The holder.</param>
    /// <returns>What is shown.</returns>
    internal static FleetHolder Describe(string id, SlotHolder holder) => new(id, holder.Since) { From = holder.From, LastAsked = holder.LastSeen };
}
