using System.Collections.Immutable;
using System.Globalization;
using Microsoft.Data.Sqlite;

namespace FleetLock.Server;

/// <summary>The tables of <see cref="SqliteStore"/> and the statements on them. Used by one thread.</summary>
/// <remarks>
/// The tables are plain, so that an operator can read them with the <c>sqlite3</c> shell: <c>semaphores(name, slots, configured,
/// revision)</c> and <c>holders(semaphore, id, since, address, asked)</c>.
/// </remarks>
internal sealed class SemaphoreDatabase : IDisposable
{
    /// <summary>Marks the file as ours (the ASCII letters "FLCK"), so that a foreign database is never written to.</summary>
    private const int ApplicationId = 0x464C434B;

    private const int SchemaVersion = 2;

    /// <summary>How long to wait for another process's transaction, in seconds.</summary>
    private const int BusyTimeoutSeconds = 10;

    private readonly string _path;
    private readonly SqliteConnection _connection;
    private readonly SqliteCommand _beginRead;
    private readonly SqliteCommand _beginWrite;
    private readonly SqliteCommand _commit;
    private readonly SqliteCommand _rollback;
    private readonly SqliteCommand _revision;
    private readonly SqliteCommand _insertSemaphore;
    private readonly SqliteCommand _updateSemaphore;
    private readonly SqliteCommand _insertHolder;
    private readonly SqliteCommand _updateHolder;
    private readonly SqliteCommand _deleteHolder;
    private readonly SqliteCommand _select;

    private SemaphoreDatabase(string path, SqliteConnection connection)
    {
        _path = path;
        _connection = connection;
        _beginRead = Prepare("BEGIN");
        _beginWrite = Prepare("BEGIN IMMEDIATE");
        _commit = Prepare("COMMIT");
        _rollback = Prepare("ROLLBACK");
        _revision = Prepare("SELECT revision FROM semaphores WHERE name = $name", "$name");
        _insertSemaphore = Prepare("INSERT OR IGNORE INTO semaphores (name, slots, configured, revision) VALUES ($name, $slots, $configured, 1)", "$name", "$slots", "$configured");
        _updateSemaphore = Prepare(
            "UPDATE semaphores SET slots = $slots, configured = $configured, revision = revision + 1 WHERE name = $name AND revision = $revision",
            "$name",
            "$slots",
            "$configured",
            "$revision");
        _insertHolder = Prepare("INSERT INTO holders (semaphore, id, since, address, asked) VALUES ($name, $id, $since, $address, $asked)", "$name", "$id", "$since", "$address", "$asked");
        _updateHolder = Prepare("UPDATE holders SET asked = $asked WHERE semaphore = $name AND id = $id", "$name", "$id", "$asked");
        _deleteHolder = Prepare("DELETE FROM holders WHERE semaphore = $name AND id = $id", "$name", "$id");
        _select = Prepare(
            """
            SELECT name, slots, configured, revision, id, since, address, asked
            FROM semaphores LEFT JOIN holders ON semaphore = name
            WHERE $name IS NULL OR name = $name
            ORDER BY name
            """,
            "$name");
    }

    /// <summary>Opens the file, and makes it and its tables if there are none.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The connection.</returns>
    /// <exception cref="SemaphoreStoreException">It cannot be opened, it is damaged, or it is another program's.</exception>
    internal static SemaphoreDatabase Open(string path)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Mode = SqliteOpenMode.ReadWriteCreate,
            Pooling = false,
            DefaultTimeout = BusyTimeoutSeconds,
        }.ToString());
        try
        {
            connection.Open();
            var isNew = IsNew(connection, path);

            // SQLite opens what it may not write as read-only, and says so only at the first write.
            if (SQLitePCL.raw.sqlite3_db_readonly(connection.Handle, "main") == 1)
                throw new SemaphoreStoreException($"The data file {path} cannot be used: it is read-only");
            Configure(connection);
            if (isNew)
                CreateTables(connection);
            else
                Upgrade(connection);
            return new SemaphoreDatabase(path, connection);
        }
        catch (SqliteException e)
        {
            connection.Dispose();
            throw new SemaphoreStoreException($"The data file {path} cannot be used: {Reason(e)}", e);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Runs an action in a transaction, which is durable when this returns.</summary>
    /// <param name="isWrite">Whether the action may write: the lock is then taken at once, so that two processes cannot both read and then write.</param>
    /// <param name="action">The action.</param>
    internal void InTransaction(bool isWrite, Action action)
    {
        try
        {
            (isWrite ? _beginWrite : _beginRead).ExecuteNonQuery();
            action();
            _commit.ExecuteNonQuery();
        }
        catch (Exception e)
        {
            RollBack();
            throw e is SqliteException s ? new SemaphoreStoreException($"The data file {_path} failed: {Reason(s)}", e) : e;
        }
    }

    internal IReadOnlyDictionary<string, StoredSemaphore> LoadAll() => Select(null);

    internal StoredSemaphore Load(string group) => Select(group).GetValueOrDefault(group, StoredSemaphore.None);

    /// <summary>Compares without writing.</summary>
    internal SaveOutcome Confirm(string group, StoredSemaphore seen)
    {
        _revision.Parameters["$name"].Value = group;
        return Equals(_revision.ExecuteScalar(), seen.Revision) ? new SaveOutcome(true, seen) : new SaveOutcome(false, Load(group));
    }

    /// <summary>Compares and writes what differs.</summary>
    internal SaveOutcome Save(string group, StoredSemaphore seen, GroupSemaphore next)
    {
        if (!TrySaveSemaphore(group, seen, next))
            return new SaveOutcome(false, Load(group));

        foreach (var id in seen.Semaphore.Holders.Keys)
        {
            if (!next.Holders.ContainsKey(id))
                ExecuteOnHolder(_deleteHolder, group, id);
        }

        foreach (var (id, holder) in next.Holders)
        {
            if (!seen.Semaphore.Holders.TryGetValue(id, out var before))
                InsertHolder(group, id, holder);
            else if (!ReferenceEquals(before, holder))
                ReplaceHolder(group, id, before, holder);
        }

        return new SaveOutcome(true, new StoredSemaphore(next, (seen.Revision as long? ?? 0) + 1));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        SqliteCommand[] commands =
            [_beginRead, _beginWrite, _commit, _rollback, _revision, _insertSemaphore, _updateSemaphore, _insertHolder, _updateHolder, _deleteHolder, _select];
        foreach (var command in commands)
            command.Dispose();
        _connection.Dispose();
    }

    private bool TrySaveSemaphore(string group, StoredSemaphore seen, GroupSemaphore next)
    {
        var command = seen.Exists ? _updateSemaphore : _insertSemaphore;
        command.Parameters["$name"].Value = group;
        command.Parameters["$slots"].Value = next.Slots;
        command.Parameters["$configured"].Value = (object?)next.Configured ?? DBNull.Value;
        if (seen.Exists)
            command.Parameters["$revision"].Value = seen.Revision;
        return command.ExecuteNonQuery() == 1;
    }

    private void InsertHolder(string group, string id, SlotHolder holder)
    {
        _insertHolder.Parameters["$since"].Value = Text(holder.Since);
        _insertHolder.Parameters["$address"].Value = (object?)holder.From ?? DBNull.Value;
        _insertHolder.Parameters["$asked"].Value = Text(holder.LastSeen);
        ExecuteOnHolder(_insertHolder, group, id);
    }

    private void ReplaceHolder(string group, string id, SlotHolder before, SlotHolder holder)
    {
        if (before with { LastSeen = holder.LastSeen } == holder)
        {
            _updateHolder.Parameters["$asked"].Value = Text(holder.LastSeen);
            ExecuteOnHolder(_updateHolder, group, id);
            return;
        }

        // Released and granted again within one save.
        ExecuteOnHolder(_deleteHolder, group, id);
        InsertHolder(group, id, holder);
    }

    private static void ExecuteOnHolder(SqliteCommand command, string group, string id)
    {
        command.Parameters["$name"].Value = group;
        command.Parameters["$id"].Value = id;
        command.ExecuteNonQuery();
    }

    private Dictionary<string, StoredSemaphore> Select(string? group)
    {
        var semaphores = new Dictionary<string, StoredSemaphore>(StringComparer.Ordinal);
        _select.Parameters["$name"].Value = (object?)group ?? DBNull.Value;
        using var row = _select.ExecuteReader();
        for (var isRow = row.Read(); isRow;)
        {
            var name = row.GetString(0);
            var (slots, configured, revision) = (row.GetInt32(1), row.IsDBNull(2) ? (int?)null : row.GetInt32(2), row.GetInt64(3));
            var holders = ImmutableSortedDictionary.CreateBuilder<string, SlotHolder>(StringComparer.Ordinal);
            for (; isRow && row.GetString(0) == name; isRow = row.Read())
            {
                if (!row.IsDBNull(4))
                    holders[row.GetString(4)] = new SlotHolder(Time(row, 5), row.IsDBNull(6) ? null : row.GetString(6), Time(row, 7));
            }

            semaphores[name] = new StoredSemaphore(GroupSemaphore.Restore(slots, configured, holders.ToImmutable()), revision);
        }

        return semaphores;
    }

    private static object Text(DateTimeOffset? time) => time is { } t ? t.UtcDateTime.ToString("O", CultureInfo.InvariantCulture) : DBNull.Value;

    private static DateTimeOffset? Time(SqliteDataReader row, int column) =>
        row.IsDBNull(column) ? null : DateTimeOffset.Parse(row.GetString(column), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);

    private void RollBack()
    {
        try
        {
            _rollback.ExecuteNonQuery();
        }
        catch (SqliteException)
        {
            // A fault such as a full disk has rolled back by itself, and there is no transaction left.
        }
    }

    private SqliteCommand Prepare(string sql, params ReadOnlySpan<string> parameters)
    {
        var command = _connection.CreateCommand();
        command.CommandText = sql;
        foreach (var parameter in parameters)
            command.Parameters.Add(new SqliteParameter { ParameterName = parameter });
        return command;
    }

    /// <summary>Tells an empty file, to be filled, from one of ours; anything else is refused before a byte of it is changed.</summary>
    private static bool IsNew(SqliteConnection connection, string path)
    {
        // One view of the file for all questions: another process may be filling it just now.
        using var transaction = connection.BeginTransaction(deferred: true);
        var application = Scalar(connection, "PRAGMA application_id");
        var version = Scalar(connection, "PRAGMA user_version");
        if (application == 0 && version == 0 && Scalar(connection, "SELECT count(*) FROM sqlite_master") == 0)
            return true;
        if (application != ApplicationId)
            throw new SemaphoreStoreException($"The data file {path} is a database of another program; it is left as it is.");
        if (version is < 1 or > SchemaVersion)
            throw new SemaphoreStoreException($"The data file {path} has version {version}; this program knows versions up to {SchemaVersion}. It is left as it is.");

        using var check = connection.CreateCommand();
        check.Transaction = transaction;
        check.CommandText = "PRAGMA quick_check(1)";
        if (check.ExecuteScalar() is not "ok")
            throw new SemaphoreStoreException($"The data file {path} is damaged; it is left as it is. Restore it from a backup, or name another file.");
        return false;
    }

    private static void Configure(SqliteConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA journal_mode = WAL";
        if (command.ExecuteScalar() is not "wal")
            throw new SemaphoreStoreException($"The data file {connection.DataSource} cannot be used: its file system does not allow a write-ahead log");
        command.CommandText = $"PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = {BusyTimeoutSeconds * 1000}";
        command.ExecuteNonQuery();
    }

    private static void CreateTables(SqliteConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText =
            $"""
            BEGIN IMMEDIATE;
            CREATE TABLE IF NOT EXISTS semaphores (
                name       TEXT    NOT NULL PRIMARY KEY,
                slots      INTEGER NOT NULL CHECK (slots >= 0),
                configured INTEGER,
                revision   INTEGER NOT NULL
            ) WITHOUT ROWID;
            CREATE TABLE IF NOT EXISTS holders (
                semaphore TEXT NOT NULL REFERENCES semaphores (name),
                id        TEXT NOT NULL,
                since     TEXT NOT NULL,
                address   TEXT,
                asked     TEXT,
                PRIMARY KEY (semaphore, id)
            ) WITHOUT ROWID;
            PRAGMA application_id = {ApplicationId};
            PRAGMA user_version = {SchemaVersion};
            COMMIT;
            """;
        command.ExecuteNonQuery();
    }

    /// <summary>Brings a file of version 1, which knew neither addresses nor when a holder last asked, to the tables of today; all or nothing.</summary>
    private static void Upgrade(SqliteConnection connection)
    {
        if (Scalar(connection, "PRAGMA user_version") == SchemaVersion)
            return;

        // Asked again under the lock: another process may be upgrading it just now.
        using var transaction = connection.BeginTransaction(deferred: false);
        if (Scalar(connection, "PRAGMA user_version") == SchemaVersion)
            return;
        using var command = connection.CreateCommand();
        command.CommandText =
            $"""
            ALTER TABLE semaphores ADD COLUMN configured INTEGER;
            ALTER TABLE holders ADD COLUMN address TEXT;
            ALTER TABLE holders ADD COLUMN asked TEXT;
            PRAGMA user_version = {SchemaVersion};
            """;
        command.ExecuteNonQuery();
        transaction.Commit();
    }

    private static long Scalar(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return (long)command.ExecuteScalar()!;
    }

    private static string Reason(SqliteException e) => e.SqliteErrorCode switch
    {
        5 => $"another process has kept it locked for {BusyTimeoutSeconds} s",
        8 => "it is read-only",
        10 => "reading or writing failed (" + e.Message + ")",
        11 => "it is damaged; it is left as it is",
        13 => "the disk is full",
        14 => "it cannot be opened or made (does its folder exist, and may this user write there?)",
        26 => "it is not a SQLite database; it is left as it is",
        _ => e.Message,
    };
}
