using System.Globalization;
using Microsoft.Data.Sqlite;

namespace FleetLock.Server;

/// <summary>The tables of <see cref="SqliteStore"/> and the statements on them. Used by one thread.</summary>
/// <remarks>
/// The tables are plain, so that an operator can read them with the <c>sqlite3</c> shell. Times are ISO 8601 in UTC.
/// <list type="table">
/// <item><term><c>semaphores</c></term><description><c>name</c>, <c>slots</c>, <c>configured</c> (the number that a configuration last asked for),
/// <c>revision</c> (random, another with every write), <c>frozen_since</c>, <c>frozen_until</c>, <c>frozen_by</c>, <c>frozen_reason</c>,
/// <c>cooldown_until</c></description></item>
/// <item><term><c>holders</c></term><description><c>semaphore</c>, <c>id</c>, <c>since</c>, <c>address</c>, <c>last_seen</c>, <c>grant_id</c>,
/// <c>renewals</c>, <c>shared</c> (0 or 1), <c>host</c>, <c>boot_id</c>, <c>note</c>, <c>noted_at</c></description></item>
/// <item><term><c>cancelled_grants</c></term><description><c>semaphore</c>, <c>id</c>, <c>grant_id</c>, <c>until</c></description></item>
/// <item><term><c>store</c></term><description><c>name</c> and <c>value</c>: <c>sequence</c>, the number of the last write; <c>writer …</c>, that of each
/// process that has the file open; <c>restored</c>, when the store was found to have gone back to an earlier state</description></item>
/// </list>
/// </remarks>
internal sealed class SemaphoreDatabase : IDisposable
{
    private readonly string _path;
    private readonly SqliteConnection _connection;
    private readonly SqliteStatements _statements;
    private readonly SqliteFiles _files;
    private readonly StoreHistory _history;
    private readonly SqliteStatement _beginRead;
    private readonly SqliteStatement _beginWrite;
    private readonly SqliteStatement _commit;
    private readonly SqliteStatement _rollback;
    private readonly SqliteStoreTable _store;
    private readonly SqliteSemaphores _semaphores;

    private SemaphoreDatabase(
        string path, SqliteConnection connection, SqliteStatements statements, SqliteFiles files, StoreHistory history, TimeProvider clock)
    {
        _path = path;
        _connection = connection;
        _statements = statements;
        _files = files;
        _history = history;
        _beginRead = statements.Prepare("BEGIN");
        _beginWrite = statements.Prepare("BEGIN IMMEDIATE");
        _commit = statements.Prepare("COMMIT");
        _rollback = statements.Prepare("ROLLBACK");
        _store = new SqliteStoreTable(statements, history, clock);
        _semaphores = new SqliteSemaphores(statements);
    }

    /// <summary>Whether the store is marked as one that went back to an earlier state, as the last transaction has found or left it.</summary>
    internal bool IsRestored { get; private set; }

    /// <summary>Whether the tables are not the ones that were opened: the file of an older version was restored over them.</summary>
    internal bool IsAltered { get; private set; }

    /// <summary>Opens the file, and makes it and its tables if there are none.</summary>
    /// <param name="path">The file.</param>
    /// <param name="history">What this process knows of the store.</param>
    /// <param name="clock">The clock for the time of a restore.</param>
    /// <param name="canCreate">Whether to make a file where there is none.</param>
    /// <returns>The database.</returns>
    /// <exception cref="SemaphoreStoreException">It cannot be opened, it is damaged, or it is another program's.</exception>
    internal static SemaphoreDatabase Open(string path, StoreHistory history, TimeProvider clock, bool canCreate)
    {
        var (connection, files) = SqliteDataFile.Open(path, canCreate);
        var statements = new SqliteStatements(connection);
        try
        {
            return new SemaphoreDatabase(path, connection, statements, files, history, clock);
        }
        catch (SqliteException e)
        {
            statements.Dispose();
            connection.Dispose();
            throw new SemaphoreStoreException($"The data file {path} cannot be used: {SqliteDataFile.Reason(e)}", e);
        }
    }

    /// <summary>Compares the paths of the files with the open ones.</summary>
    internal SqliteFileChange FindFileChange() => _files.FindChange();

    /// <summary>Completes a file that another one has replaced, and removes its log: SQLite would apply it to the new file.</summary>
    /// <exception cref="SemaphoreStoreException">Another process still reads or writes the old file.</exception>
    internal void Abandon()
    {
        if (!_files.HasLog())
            return;
        using var command = _connection.CreateCommand();
        command.CommandText = "PRAGMA wal_checkpoint(TRUNCATE)";
        if (Convert.ToInt64(command.ExecuteScalar(), CultureInfo.InvariantCulture) != 0)
        {
            var change = SqliteDataFile.Describe(SqliteFileChange.Replaced);
            throw new SemaphoreStoreException($"The data file {_path} failed: {change}, and another process still uses the old one");
        }

        _files.RemoveLog();
    }

    /// <summary>Runs an action in a transaction, which is durable when this returns.</summary>
    /// <param name="isWrite">
    /// Whether the action may write: the lock is then taken at once, so that two processes cannot both read and then write.
    /// </param>
    /// <param name="action">The action.</param>
    internal void InTransaction(bool isWrite, Action action)
    {
        var isCommitting = false;
        try
        {
            var state = Begin(isWrite);
            if (_history.IsLostIn(state) && !isWrite)
            {
                // The mark is durable before anything is answered.
                _rollback.Run();
                state = Begin(isWrite = true);
            }

            if (isWrite)
                state = _store.Advance(state);
            IsRestored = state.IsMarked;
            action();
            isCommitting = true;
            _commit.Run();
            _history.Remember(state);
        }
        catch (Exception e)
        {
            RollBack();
            if (e is not SqliteException s)
                throw;
            throw new SemaphoreStoreException($"The data file {_path} failed: {SqliteDataFile.Reason(s)}", e)
            {
                MayHaveSaved = isCommitting ? null : false,
            };
        }
    }

    internal IReadOnlyDictionary<string, StoredSemaphore> LoadAll() =>
        _semaphores.LoadAll().ToDictionary(group => group.Key, group => Mark(group.Value), StringComparer.Ordinal);

    internal StoredSemaphore Load(string group) => Mark(_semaphores.Load(group));

    /// <summary>Compares without writing.</summary>
    internal SaveOutcome Confirm(string group, StoredSemaphore seen) =>
        seen.IsRestored == IsRestored && _semaphores.HasRevision(group, seen.Revision)
            ? new SaveOutcome(true, seen)
            : new SaveOutcome(false, Load(group));

    /// <summary>Compares and writes what differs.</summary>
    internal SaveOutcome Save(string group, StoredSemaphore seen, GroupSemaphore next)
    {
        var revision = Random.Shared.NextInt64(1, long.MaxValue);
        return seen.IsRestored == IsRestored && _semaphores.TrySave(group, seen, next, revision)
            ? new SaveOutcome(true, Mark(new StoredSemaphore(next, revision)))
            : new SaveOutcome(false, Load(group));
    }

    /// <summary>Removes the mark of a store that went back to an earlier state.</summary>
    /// <returns>Whether there was one.</returns>
    internal bool ConfirmRestore()
    {
        IsRestored = false;
        return _store.Unmark();
    }

    /// <summary>Takes this process off the list of those that have the file open.</summary>
    internal void RemoveWriter() => _store.RemoveWriter();

    /// <inheritdoc/>
    public void Dispose()
    {
        _statements.Dispose();
        _connection.Dispose();
    }

    private StoredSemaphore Mark(StoredSemaphore stored) => IsRestored ? stored with { IsRestored = true } : stored;

    private StoreState Begin(bool isWrite)
    {
        (isWrite ? _beginWrite : _beginRead).Run();
        try
        {
            return _store.Read();
        }
        catch (SqliteException e) when (e.SqliteErrorCode == SQLitePCL.raw.SQLITE_ERROR)
        {
            IsAltered = true;
            throw;
        }
    }

    private void RollBack()
    {
        try
        {
            _rollback.Run();
        }
        catch (SqliteException)
        {
            // A fault such as a full disk has rolled back by itself, and there is no transaction left.
        }
    }
}
