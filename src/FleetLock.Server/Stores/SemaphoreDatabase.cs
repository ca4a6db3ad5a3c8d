using System.Collections.Immutable;
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
    /// <summary>How long to wait for another process's transaction, in seconds.</summary>
    private const int BusyTimeoutSeconds = 10;

    /// <summary>How many writes ago a process that has not closed the file is taken for dead, and its number forgotten.</summary>
    private const long ForgottenAfter = 1_000_000;

    private readonly string _path;
    private readonly SqliteConnection _connection;
    private readonly SqliteFiles _files;
    private readonly StoreHistory _history;
    private readonly TimeProvider _clock;
    private readonly List<SqliteCommand> _commands = [];
    private readonly SqliteCommand _beginRead;
    private readonly SqliteCommand _beginWrite;
    private readonly SqliteCommand _commit;
    private readonly SqliteCommand _rollback;
    private readonly SqliteCommand _readState;
    private readonly SqliteCommand _advance;
    private readonly SqliteCommand _addWriter;
    private readonly SqliteCommand _mark;
    private readonly SqliteCommand _unmark;
    private readonly SqliteCommand _revision;
    private readonly SqliteCommand _insertSemaphore;
    private readonly SqliteCommand _updateSemaphore;
    private readonly SqliteCommand _insertHolder;
    private readonly SqliteCommand _updateHolder;
    private readonly SqliteCommand _deleteHolder;
    private readonly SqliteCommand _insertCancelled;
    private readonly SqliteCommand _deleteCancelled;
    private readonly Selection _one;
    private readonly Selection _all;

    private SemaphoreDatabase(string path, SqliteConnection connection, SqliteFiles files, StoreHistory history, TimeProvider clock)
    {
        _path = path;
        _connection = connection;
        _files = files;
        _history = history;
        _clock = clock;
        _beginRead = Prepare("BEGIN");
        _beginWrite = Prepare("BEGIN IMMEDIATE");
        _commit = Prepare("COMMIT");
        _rollback = Prepare("ROLLBACK");
        _readState = Prepare("SELECT name, value FROM store WHERE name IN ('sequence', 'restored', $writer)", "$writer");
        _advance = Prepare("UPDATE store SET value = $sequence WHERE name IN ('sequence', $writer)", "$sequence", "$writer");
        _addWriter = Prepare(
            """
            DELETE FROM store WHERE name LIKE 'writer %' AND value < $forgotten;
            INSERT INTO store (name, value) VALUES ($writer, $sequence)
            """,
            "$forgotten",
            "$writer",
            "$sequence");
        _mark = Prepare("INSERT OR IGNORE INTO store (name, value) VALUES ('restored', $time)", "$time");
        _unmark = Prepare("DELETE FROM store WHERE name = 'restored'");
        _revision = Prepare("SELECT revision FROM semaphores WHERE name = $name", "$name");
        _insertSemaphore = Prepare(
            "INSERT OR IGNORE INTO semaphores (name, slots, configured, revision) VALUES ($name, $slots, $configured, $next)",
            "$name",
            "$slots",
            "$configured",
            "$next");
        _updateSemaphore = Prepare(
            "UPDATE semaphores SET slots = $slots, configured = $configured, revision = $next WHERE name = $name AND revision = $seen",
            "$name",
            "$slots",
            "$configured",
            "$next",
            "$seen");
        _insertHolder = Prepare(
            """
            INSERT INTO holders (semaphore, id, since, address, last_seen, grant_id, renewals, shared)
            VALUES ($name, $id, $since, $address, $lastSeen, $grantId, $renewals, $shared)
            """,
            "$name",
            "$id",
            "$since",
            "$address",
            "$lastSeen",
            "$grantId",
            "$renewals",
            "$shared");
        _updateHolder = Prepare(
            "UPDATE holders SET last_seen = $lastSeen, renewals = $renewals, shared = $shared WHERE semaphore = $name AND id = $id",
            "$name",
            "$id",
            "$lastSeen",
            "$renewals",
            "$shared");
        _deleteHolder = Prepare("DELETE FROM holders WHERE semaphore = $name AND id = $id", "$name", "$id");
        _insertCancelled = Prepare(
            "INSERT INTO cancelled_grants (semaphore, id, grant_id, until) VALUES ($name, $id, $grantId, $until)",
            "$name",
            "$id",
            "$grantId",
            "$until");
        _deleteCancelled = Prepare(
            "DELETE FROM cancelled_grants WHERE semaphore = $name AND id = $id AND grant_id = $grantId", "$name", "$id", "$grantId");
        _one = PrepareSelection("WHERE name = $name", "WHERE semaphore = $name", "$name");
        _all = PrepareSelection("", "");
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
    /// <returns>The connection.</returns>
    /// <exception cref="SemaphoreStoreException">It cannot be opened, it is damaged, or it is another program's.</exception>
    internal static SemaphoreDatabase Open(string path, StoreHistory history, TimeProvider clock, bool canCreate)
    {
        var before = FileIdentity.IsSupported(path) ? FileIdentity.Read(path) : null;
        if (before is { Names: > 1 } && !Directory.Exists(path))
            throw new SemaphoreStoreException($"The data file {path} cannot be used: {Describe(SqliteFileChange.Linked)}");
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Mode = canCreate ? SqliteOpenMode.ReadWriteCreate : SqliteOpenMode.ReadWrite,
            Pooling = false,
            DefaultTimeout = BusyTimeoutSeconds,
        }.ToString());
        try
        {
            connection.Open();
            var isNew = IsNew(connection, path);
            if (isNew && !canCreate)
                throw new SemaphoreStoreException($"The data file {path} cannot be used: an empty file has taken its place");

            // SQLite opens what it may not write as read-only, and says so only at the first write.
            if (SQLitePCL.raw.sqlite3_db_readonly(connection.Handle, "main") == 1)
                throw new SemaphoreStoreException($"The data file {path} cannot be used: it is read-only");
            Configure(connection);
            if (isNew)
                SqliteSchema.Create(connection);
            else
                SqliteSchema.Upgrade(connection);
            return new SemaphoreDatabase(path, connection, SqliteFiles.Remember(path, before), history, clock);
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

    /// <summary>What has happened to a file, for people.</summary>
    internal static string Describe(SqliteFileChange change) => change switch
    {
        SqliteFileChange.Missing => "it was removed or moved away; nothing is granted until it is back, or the server is started again",
        SqliteFileChange.Linked =>
            "it has more than one name (a hard link; 'cp -al' and backups with hard links make them), and who opens it by the other name does not see "
            + "what is written here; nothing is granted until the other name is removed",
        SqliteFileChange.Replaced => "another file has taken its place",
        SqliteFileChange.LogLost => "its write-ahead log (-wal, -shm) was removed or replaced",
        _ => throw new ArgumentOutOfRangeException(nameof(change)),
    };

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
            throw new SemaphoreStoreException($"The data file {_path} failed: {Describe(SqliteFileChange.Replaced)}, and another process still uses the old one");
        _files.RemoveLog();
    }

    /// <summary>Runs an action in a transaction, which is durable when this returns.</summary>
    /// <param name="isWrite">Whether the action may write: the lock is then taken at once, so that two processes cannot both read and then write.</param>
    /// <param name="action">The action.</param>
    internal void InTransaction(bool isWrite, Action action)
    {
        try
        {
            var state = Begin(isWrite);
            if (_history.IsLostIn(state) && !isWrite)
            {
                // The mark is durable before anything is answered.
                _rollback.ExecuteNonQuery();
                state = Begin(isWrite = true);
            }

            if (isWrite)
                state = Advance(state);
            IsRestored = state.IsMarked;
            action();
            _commit.ExecuteNonQuery();
            _history.Remember(state);
        }
        catch (Exception e)
        {
            RollBack();
            throw e is SqliteException s ? new SemaphoreStoreException($"The data file {_path} failed: {Reason(s)}", e) : e;
        }
    }

    internal IReadOnlyDictionary<string, StoredSemaphore> LoadAll() => _all.Read(IsRestored);

    internal StoredSemaphore Load(string group)
    {
        _one.Name = group;
        return _one.Read(IsRestored).GetValueOrDefault(group) ?? StoredSemaphore.None with { IsRestored = IsRestored };
    }

    /// <summary>Compares without writing.</summary>
    internal SaveOutcome Confirm(string group, StoredSemaphore seen)
    {
        _revision.Parameters["$name"].Value = group;
        return seen.IsRestored == IsRestored && Equals(_revision.ExecuteScalar(), seen.Revision)
            ? new SaveOutcome(true, seen)
            : new SaveOutcome(false, Load(group));
    }

    /// <summary>Compares and writes what differs.</summary>
    internal SaveOutcome Save(string group, StoredSemaphore seen, GroupSemaphore next)
    {
        var revision = Random.Shared.NextInt64(1, long.MaxValue);
        if (seen.IsRestored != IsRestored || !TrySaveSemaphore(group, seen, next, revision))
            return new SaveOutcome(false, Load(group));
        if (!ReferenceEquals(seen.Semaphore.Holders, next.Holders))
            SaveHolders(group, seen.Semaphore, next);
        if (!ReferenceEquals(seen.Semaphore.Cancelled, next.Cancelled))
            SaveCancelled(group, seen.Semaphore, next);
        return new SaveOutcome(true, new StoredSemaphore(next, revision) { IsRestored = IsRestored });
    }

    /// <summary>Removes the mark of a store that went back to an earlier state.</summary>
    /// <returns>Whether there was one.</returns>
    internal bool ConfirmRestore()
    {
        IsRestored = false;
        return _unmark.ExecuteNonQuery() == 1;
    }

    /// <summary>Takes this process off the list of those that have the file open.</summary>
    internal void RemoveWriter()
    {
        if (!_history.HasWritten)
            return;
        using var command = Prepare("DELETE FROM store WHERE name = $writer", "$writer");
        command.Parameters["$writer"].Value = _history.Writer;
        command.ExecuteNonQuery();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _commands.ForEach(command => command.Dispose());
        _connection.Dispose();
    }

    private StoreState Begin(bool isWrite)
    {
        (isWrite ? _beginWrite : _beginRead).ExecuteNonQuery();
        try
        {
            return ReadState();
        }
        catch (SqliteException e) when (e.SqliteErrorCode == SQLitePCL.raw.SQLITE_ERROR)
        {
            IsAltered = true;
            throw;
        }
    }

    private StoreState ReadState()
    {
        _readState.Parameters["$writer"].Value = _history.Writer;
        var state = default(StoreState);
        using var row = _readState.ExecuteReader();
        while (row.Read())
        {
            state = row.GetString(0) switch
            {
                "sequence" => state with { Sequence = row.GetInt64(1) },
                "restored" => state with { IsMarked = true },
                _ => state with { Written = row.GetInt64(1) },
            };
        }

        return state;
    }

    private StoreState Advance(StoreState state)
    {
        var sequence = _history.Next(state);
        _advance.Parameters["$sequence"].Value = sequence;
        _advance.Parameters["$writer"].Value = _history.Writer;
        _advance.ExecuteNonQuery();
        if (state.Written == 0)
        {
            _addWriter.Parameters["$forgotten"].Value = sequence - ForgottenAfter;
            _addWriter.Parameters["$writer"].Value = _history.Writer;
            _addWriter.Parameters["$sequence"].Value = sequence;
            _addWriter.ExecuteNonQuery();
        }

        var isLost = _history.IsLostIn(state);
        if (isLost && !state.IsMarked)
        {
            _mark.Parameters["$time"].Value = ToText(_clock.GetUtcNow());
            _mark.ExecuteNonQuery();
        }

        return new StoreState(sequence, sequence, state.IsMarked || isLost);
    }

    private bool TrySaveSemaphore(string group, StoredSemaphore seen, GroupSemaphore next, long revision)
    {
        var command = seen.Exists ? _updateSemaphore : _insertSemaphore;
        command.Parameters["$name"].Value = group;
        command.Parameters["$slots"].Value = next.Slots;
        command.Parameters["$configured"].Value = (object?)next.Configured ?? DBNull.Value;
        command.Parameters["$next"].Value = revision;
        if (seen.Exists)
            command.Parameters["$seen"].Value = seen.Revision;
        return command.ExecuteNonQuery() == 1;
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
                ExecuteOnHolder(_deleteHolder, group, before.Current.Key);
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

    private void InsertHolder(string group, string id, SlotHolder holder)
    {
        _insertHolder.Parameters["$since"].Value = ToText(holder.Since);
        _insertHolder.Parameters["$address"].Value = (object?)holder.From ?? DBNull.Value;
        _insertHolder.Parameters["$grantId"].Value = (object?)holder.GrantId ?? DBNull.Value;
        ExecuteWithChanges(_insertHolder, group, id, holder);
    }

    private void ReplaceHolder(string group, string id, SlotHolder before, SlotHolder holder)
    {
        var isSameHold = before.GrantId == holder.GrantId && before.Since == holder.Since && before.From == holder.From;
        if (isSameHold)
        {
            ExecuteWithChanges(_updateHolder, group, id, holder);
            return;
        }

        // Released and granted again within one save: what else was known of the first hold is not true of the second.
        ExecuteOnHolder(_deleteHolder, group, id);
        InsertHolder(group, id, holder);
    }

    private static void ExecuteWithChanges(SqliteCommand command, string group, string id, SlotHolder holder)
    {
        command.Parameters["$lastSeen"].Value = ToText(holder.LastSeen);
        command.Parameters["$renewals"].Value = holder.Renewals;
        command.Parameters["$shared"].Value = holder.IsShared ? 1 : 0;
        ExecuteOnHolder(command, group, id);
    }

    private void SaveCancelled(string group, GroupSemaphore seen, GroupSemaphore next)
    {
        foreach (var grant in seen.Cancelled.Except(next.Cancelled))
            ExecuteOnCancelled(_deleteCancelled, group, grant);
        foreach (var grant in next.Cancelled.Except(seen.Cancelled))
        {
            _insertCancelled.Parameters["$until"].Value = ToText(grant.Until);
            ExecuteOnCancelled(_insertCancelled, group, grant);
        }
    }

    private static void ExecuteOnCancelled(SqliteCommand command, string group, CancelledGrant grant)
    {
        command.Parameters["$grantId"].Value = grant.GrantId;
        ExecuteOnHolder(command, group, grant.Id);
    }

    private static void ExecuteOnHolder(SqliteCommand command, string group, string id)
    {
        command.Parameters["$name"].Value = group;
        command.Parameters["$id"].Value = id;
        command.ExecuteNonQuery();
    }

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
        _commands.Add(command);
        return command;
    }

    private Selection PrepareSelection(string ofSemaphores, string ofTheRest, params ReadOnlySpan<string> parameters) => new(
        Prepare("SELECT name, slots, configured, revision FROM semaphores " + ofSemaphores, parameters),
        Prepare("SELECT semaphore, id, since, address, last_seen, grant_id, renewals, shared FROM holders " + ofTheRest, parameters),
        Prepare($"SELECT semaphore, id, grant_id, until FROM cancelled_grants {ofTheRest} ORDER BY rowid", parameters));

    private static object ToText(DateTimeOffset? time) =>
        time is { } t ? t.UtcDateTime.ToString("O", CultureInfo.InvariantCulture) : DBNull.Value;

    /// <summary>Tells an empty file, to be filled, from one of ours; anything else is refused before a byte of it is changed.</summary>
    private static bool IsNew(SqliteConnection connection, string path)
    {
        // One view of the file for all questions: another process may be filling it just now.
        using var transaction = connection.BeginTransaction(deferred: true);
        var application = Scalar(connection, "PRAGMA application_id");
        var version = Scalar(connection, "PRAGMA user_version");
        if (application == 0 && version == 0 && Scalar(connection, "SELECT count(*) FROM sqlite_master") == 0)
            return true;
        if (application != SqliteSchema.ApplicationId)
            throw new SemaphoreStoreException($"The data file {path} is a database of another program; it is left as it is.");
        if (version is < 1 or > SqliteSchema.Version)
            throw new SemaphoreStoreException($"The data file {path} has version {version}; this program knows versions up to {SqliteSchema.Version}. It is left as it is.");

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

    /// <summary>The statements that read one group, or all.</summary>
    private sealed class Selection(SqliteCommand semaphores, SqliteCommand holders, SqliteCommand cancelled)
    {
        internal string Name
        {
            set
            {
                foreach (var command in (SqliteCommand[])[semaphores, holders, cancelled])
                    command.Parameters["$name"].Value = value;
            }
        }

        internal Dictionary<string, StoredSemaphore> Read(bool isRestored)
        {
            var groups = new Dictionary<string, StoredSemaphore>(StringComparer.Ordinal);
            using (var row = semaphores.ExecuteReader())
            {
                while (row.Read())
                {
                    groups[row.GetString(0)] = new StoredSemaphore(
                        GroupSemaphore.Restore(row.GetInt32(1), row.IsDBNull(2) ? null : row.GetInt32(2), GroupSemaphore.None.Holders),
                        row.GetInt64(3)) { IsRestored = isRestored };
                }
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
            using var row = holders.ExecuteReader();
            while (row.Read())
            {
                var group = row.GetString(0);
                if (!found.TryGetValue(group, out var builder))
                    found[group] = builder = ImmutableSortedDictionary.CreateBuilder<string, SlotHolder>(StringComparer.Ordinal);
                builder[row.GetString(1)] = new SlotHolder(ParseTime(row, 2), ParseText(row, 3), ParseTime(row, 4))
                {
                    GrantId = ParseText(row, 5),
                    Renewals = row.GetInt64(6),
                    IsShared = row.GetInt64(7) != 0,
                };
            }

            return found;
        }

        private Dictionary<string, ImmutableList<CancelledGrant>.Builder> ReadCancelled()
        {
            var found = new Dictionary<string, ImmutableList<CancelledGrant>.Builder>(StringComparer.Ordinal);
            using var row = cancelled.ExecuteReader();
            while (row.Read())
            {
                var group = row.GetString(0);
                if (!found.TryGetValue(group, out var builder))
                    found[group] = builder = ImmutableList.CreateBuilder<CancelledGrant>();
                builder.Add(new CancelledGrant(row.GetString(1), row.GetString(2), ParseTime(row, 3)!.Value));
            }

            return found;
        }

        private static string? ParseText(SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

        private static DateTimeOffset? ParseTime(SqliteDataReader row, int column) =>
            row.IsDBNull(column) ? null : DateTimeOffset.Parse(row.GetString(column), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
    }
}
