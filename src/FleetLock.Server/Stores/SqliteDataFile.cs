using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;

namespace FleetLock.Server;

/// <summary>Opens a data file of ours, and refuses any other; and what is said of a file that cannot be used.</summary>
internal static class SqliteDataFile
{
    /// <summary>How long to wait for another process's transaction, in seconds.</summary>
    private const int BusyTimeoutSeconds = 10;

    /// <summary>Opens the file, and makes it and its tables if there are none.</summary>
    /// <param name="path">The file.</param>
    /// <param name="canCreate">Whether to make a file where there is none.</param>
    /// <returns>The connection, and the files that it has open.</returns>
    /// <exception cref="SemaphoreStoreException">It cannot be opened, it is damaged, or it is another program's.</exception>
    internal static (SqliteConnection Connection, SqliteFiles Files) Open(string path, bool canCreate)
    {
        var before = FileIdentity.IsSupported(path) ? FileIdentity.Read(path) : null;
        if (before is { Names: > 1 } && !Directory.Exists(path))
            throw new SemaphoreStoreException($"The data file {path} cannot be used: {Describe(SqliteFileChange.Linked)}");
        var connection = Create(path, canCreate);
        try
        {
            connection.Open();
            Prepare(connection, path, canCreate);
            return (connection, SqliteFiles.Remember(path, before));
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

    private static SqliteConnection Create(string path, bool canCreate)
    {
        try
        {
            return new SqliteConnection(new SqliteConnectionStringBuilder
            {
                DataSource = path,
                Mode = canCreate ? SqliteOpenMode.ReadWriteCreate : SqliteOpenMode.ReadWrite,
                Pooling = false,
                DefaultTimeout = BusyTimeoutSeconds,
            }.ToString());
        }
        catch (TypeInitializationException e)
        {
            // Loaded once for the process, by the first connection.
            throw new SemaphoreStoreException(
                $"SQLite (e_sqlite3) cannot be loaded. This installation is not complete, or not for this platform ({RuntimeInformation.RuntimeIdentifier}).", e);
        }
    }

    /// <summary>What has happened to a file, for people.</summary>
    internal static string Describe(SqliteFileChange change) => change switch
    {
        SqliteFileChange.Missing => "it was removed or moved away; nothing is granted until it is back, or the server is started again",
        SqliteFileChange.Linked =>
            "it has more than one name (a hard link; 'cp -al' and backups with hard links make them), and who opens it by the other name does "
            + "not see what is written here; nothing is granted until the other name is removed",
        SqliteFileChange.Replaced => "another file has taken its place",
        SqliteFileChange.LogLost => "its write-ahead log (-wal, -shm) was removed or replaced",
        _ => throw new ArgumentOutOfRangeException(nameof(change)),
    };

    /// <summary>Why SQLite has failed, for people.</summary>
    internal static string Reason(SqliteException e) => e.SqliteErrorCode switch
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

    private static void Prepare(SqliteConnection connection, string path, bool canCreate)
    {
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
    }

    /// <summary>Tells an empty file, to be filled, from one of ours. Anything else is refused before a byte of it is changed.</summary>
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
        {
            throw new SemaphoreStoreException(
                $"The data file {path} has version {version}; this program knows versions up to {SqliteSchema.Version}. It is left as it is.");
        }

        using var check = connection.CreateCommand();
        check.Transaction = transaction;
        check.CommandText = "PRAGMA quick_check(1)";
        if (check.ExecuteScalar() is not "ok")
        {
            throw new SemaphoreStoreException(
                $"The data file {path} is damaged; it is left as it is. Restore it from a backup, or name another file.");
        }

        return false;
    }

    private static void Configure(SqliteConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA journal_mode = WAL";
        if (command.ExecuteScalar() is not "wal")
        {
            throw new SemaphoreStoreException(
                $"The data file {connection.DataSource} cannot be used: its file system does not allow a write-ahead log");
        }

        command.CommandText = $"PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = {BusyTimeoutSeconds * 1000}";
        command.ExecuteNonQuery();
    }

    private static long Scalar(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return (long)command.ExecuteScalar()!;
    }
}
