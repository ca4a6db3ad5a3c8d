using System.Collections.Immutable;

namespace FleetLock.Server;

/// <summary>The statements that read one group, or all.</summary>
internal sealed class SqliteSelection
{
    private readonly SqliteStatement _semaphores;
    private readonly SqliteStatement _holders;
    private readonly SqliteStatement _cancelled;

    /// <summary>Prepares them.</summary>
    /// <param name="statements">The connection's statements.</param>
    /// <param name="ofSemaphores">The condition for semaphores; the group is parameter 1.</param>
    /// <param name="ofTheRest">The condition for what belongs to a semaphore.</param>
    internal SqliteSelection(SqliteStatements statements, string ofSemaphores, string ofTheRest)
    {
        _semaphores = statements.Prepare("SELECT name, slots, configured, revision FROM semaphores " + ofSemaphores);
        _holders = statements.Prepare(
            "SELECT semaphore, id, since, address, last_seen, grant_id, renewals, shared FROM holders " + ofTheRest);
        _cancelled = statements.Prepare($"SELECT semaphore, id, grant_id, until FROM cancelled_grants {ofTheRest} ORDER BY rowid");
    }

    internal SqliteSelection Bind(string group)
    {
        foreach (var statement in (SqliteStatement[])[_semaphores, _holders, _cancelled])
            statement.Bind(1, group);
        return this;
    }

    internal Dictionary<string, StoredSemaphore> Read()
    {
        try
        {
            return ReadAll();
        }
        finally
        {
            // A value that cannot be read ends them early.
            _semaphores.Reset();
            _holders.Reset();
            _cancelled.Reset();
        }
    }

    private Dictionary<string, StoredSemaphore> ReadAll()
    {
        var groups = new Dictionary<string, StoredSemaphore>(StringComparer.Ordinal);
        while (_semaphores.Read())
        {
            var semaphore = GroupSemaphore.Restore((int)_semaphores.GetInt64(1), _semaphores.FindInt32(2), GroupSemaphore.None.Holders);
            groups[_semaphores.GetString(0)] = new StoredSemaphore(semaphore, _semaphores.GetInt64(3));
        }

        var holdersOf = ReadHolders();
        var cancelledOf = ReadCancelled();
        foreach (var name in holdersOf.Keys.Union(cancelledOf.Keys))
        {
            var stored = groups[name];
            groups[name] = stored with
            {
                Semaphore = GroupSemaphore.Restore(
                    stored.Semaphore.Slots,
                    stored.Semaphore.Configured,
                    holdersOf.GetValueOrDefault(name)?.ToImmutable() ?? GroupSemaphore.None.Holders,
                    cancelledOf.GetValueOrDefault(name)?.ToImmutable()),
            };
        }

        return groups;
    }

    private Dictionary<string, ImmutableSortedDictionary<string, SlotHolder>.Builder> ReadHolders()
    {
        var found = new Dictionary<string, ImmutableSortedDictionary<string, SlotHolder>.Builder>(StringComparer.Ordinal);
        while (_holders.Read())
        {
            var group = _holders.GetString(0);
            if (!found.TryGetValue(group, out var builder))
                found[group] = builder = ImmutableSortedDictionary.CreateBuilder<string, SlotHolder>(StringComparer.Ordinal);
            builder[_holders.GetString(1)] = new SlotHolder(_holders.FindTime(2), _holders.FindString(3), _holders.FindTime(4))
            {
                GrantId = _holders.FindString(5),
                Renewals = _holders.GetInt64(6),
                IsShared = _holders.GetInt64(7) != 0,
            };
        }

        return found;
    }

    private Dictionary<string, ImmutableList<CancelledGrant>.Builder> ReadCancelled()
    {
        var found = new Dictionary<string, ImmutableList<CancelledGrant>.Builder>(StringComparer.Ordinal);
        while (_cancelled.Read())
        {
            var group = _cancelled.GetString(0);
            if (!found.TryGetValue(group, out var builder))
                found[group] = builder = ImmutableList.CreateBuilder<CancelledGrant>();
            builder.Add(new CancelledGrant(_cancelled.GetString(1), _cancelled.GetString(2), _cancelled.FindTime(3)!.Value));
        }

        return found;
    }
}
