using System.Collections.Immutable;

namespace FleetLock.Server;

/// <summary>Reads and writes semaphores, their holders and their cancelled grants.</summary>
internal sealed class SqliteSemaphores
{
    private readonly SqliteStatement _revision;
    private readonly SqliteStatement _insert;
    private readonly SqliteStatement _update;
    private readonly SqliteStatement _insertHolder;
    private readonly SqliteStatement _updateHolder;
    private readonly SqliteStatement _deleteHolder;
    private readonly SqliteStatement _insertCancelled;
    private readonly SqliteStatement _deleteCancelled;
    private readonly SqliteSelection _one;
    private readonly SqliteSelection _all;

    internal SqliteSemaphores(SqliteStatements statements)
    {
        _revision = statements.Prepare("SELECT revision FROM semaphores WHERE name = ?1");
        _insert = statements.Prepare("INSERT OR IGNORE INTO semaphores (name, slots, configured, revision) VALUES (?1, ?2, ?3, ?4)");
        _update = statements.Prepare(
            "UPDATE semaphores SET slots = ?2, configured = ?3, revision = ?4 WHERE name = ?1 AND revision = ?5");
        _insertHolder = statements.Prepare(
            """
            INSERT INTO holders (semaphore, id, last_seen, renewals, shared, since, address, grant_id)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
            """);
        _updateHolder = statements.Prepare(
            "UPDATE holders SET last_seen = ?3, renewals = ?4, shared = ?5 WHERE semaphore = ?1 AND id = ?2");
        _deleteHolder = statements.Prepare("DELETE FROM holders WHERE semaphore = ?1 AND id = ?2");
        _insertCancelled = statements.Prepare("INSERT INTO cancelled_grants (semaphore, id, grant_id, until) VALUES (?1, ?2, ?3, ?4)");
        _deleteCancelled = statements.Prepare("DELETE FROM cancelled_grants WHERE semaphore = ?1 AND id = ?2 AND grant_id = ?3");
        _one = new SqliteSelection(statements, "WHERE name = ?1", "WHERE semaphore = ?1");
        _all = new SqliteSelection(statements, "", "");
    }

    internal IReadOnlyDictionary<string, StoredSemaphore> LoadAll() => _all.Read();

    internal StoredSemaphore Load(string group) => _one.Bind(group).Read().GetValueOrDefault(group, StoredSemaphore.None);

    internal bool HasRevision(string group, object? revision)
    {
        var isThere = _revision.Bind(1, group).Read();
        var isSame = isThere ? revision is long seen && seen == _revision.GetInt64(0) : revision is null;
        _revision.Reset();
        return isSame;
    }

    /// <summary>Compares and writes what differs.</summary>
    /// <param name="group">The group.</param>
    /// <param name="seen">What the store is thought to have.</param>
    /// <param name="next">What it shall have.</param>
    /// <param name="revision">The revision that it shall have.</param>
    /// <returns>Whether it was written; otherwise the store has another revision.</returns>
    internal bool TrySave(string group, StoredSemaphore seen, GroupSemaphore next, long revision)
    {
        if (!TrySaveSemaphore(group, seen, next, revision))
            return false;
        if (!ReferenceEquals(seen.Semaphore.Holders, next.Holders))
            SaveHolders(group, seen.Semaphore, next);
        if (!ReferenceEquals(seen.Semaphore.Cancelled, next.Cancelled))
            SaveCancelled(group, seen.Semaphore, next);
        return true;
    }

    private bool TrySaveSemaphore(string group, StoredSemaphore seen, GroupSemaphore next, long revision)
    {
        var statement = (seen.Exists ? _update : _insert).Bind(1, group).Bind(2, next.Slots).Bind(3, next.Configured).Bind(4, revision);
        if (seen.Exists)
            statement.Bind(5, (long)seen.Revision!);
        return statement.Run() == 1;
    }

    /// <summary>Walks both in their common order: a look-up for each of 100,000 holders would take ten times as long.</summary>
    private void SaveHolders(string group, GroupSemaphore seen, GroupSemaphore next)
    {
        using var before = seen.Holders.GetEnumerator();
        using var after = next.Holders.GetEnumerator();
        var (isBefore, isAfter) = (before.MoveNext(), after.MoveNext());
        while (isBefore || isAfter)
        {
            var order = !isBefore ? 1 : !isAfter ? -1 : Compare(before.Current.Key, after.Current.Key);
            if (order < 0)
                _deleteHolder.Bind(1, group).Bind(2, before.Current.Key).Run();
            else if (order > 0)
                InsertHolder(group, after.Current.Key, after.Current.Value);
            else if (!ReferenceEquals(before.Current.Value, after.Current.Value))
                ReplaceHolder(group, after.Current.Key, before.Current.Value, after.Current.Value);
            if (order <= 0)
                isBefore = before.MoveNext();
            if (order >= 0)
                isAfter = after.MoveNext();
        }
    }

    private static int Compare(string one, string other) => ReferenceEquals(one, other) ? 0 : string.CompareOrdinal(one, other);

    private void InsertHolder(string group, string id, SlotHolder holder) =>
        BindHolder(_insertHolder, group, id, holder).Bind(6, holder.Since).Bind(7, holder.From).Bind(8, holder.GrantId).Run();

    private void ReplaceHolder(string group, string id, SlotHolder before, SlotHolder holder)
    {
        var isSameHold = before.GrantId == holder.GrantId && before.Since == holder.Since && before.From == holder.From;
        if (isSameHold)
        {
            BindHolder(_updateHolder, group, id, holder).Run();
            return;
        }

        // Released and granted again within one save: what else was known of the first hold is not true of the second.
        _deleteHolder.Bind(1, group).Bind(2, id).Run();
        InsertHolder(group, id, holder);
    }

    private static SqliteStatement BindHolder(SqliteStatement statement, string group, string id, SlotHolder holder) =>
        statement.Bind(1, group).Bind(2, id).Bind(3, holder.LastSeen).Bind(4, holder.Renewals).Bind(5, holder.IsShared ? 1 : 0);

    private void SaveCancelled(string group, GroupSemaphore seen, GroupSemaphore next)
    {
        foreach (var grant in seen.Cancelled.Except(next.Cancelled))
            _deleteCancelled.Bind(1, group).Bind(2, grant.Id).Bind(3, grant.GrantId).Run();
        foreach (var grant in next.Cancelled.Except(seen.Cancelled))
            _insertCancelled.Bind(1, group).Bind(2, grant.Id).Bind(3, grant.GrantId).Bind(4, grant.Until).Run();
    }
}
