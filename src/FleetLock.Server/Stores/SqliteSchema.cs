using System.Globalization;
using Microsoft.Data.Sqlite;

namespace FleetLock.Server;

/// <summary>The tables of <see cref="SemaphoreDatabase"/>: making them, and bringing those of earlier versions up to date.</summary>
internal static class SqliteSchema
{
    /// <summary>The version of the tables. A program refuses a file of a later version than it knows.</summary>
    internal const int Version = 3;

    /// <summary>Marks the file as ours (the ASCII letters "FLCK"), so that a foreign database is never written to.</summary>
    internal const int ApplicationId = 0x464C434B;

    private const string NewTables =
        """
        CREATE TABLE IF NOT EXISTS cancelled_grants (
            semaphore TEXT NOT NULL REFERENCES semaphores (name),
            id        TEXT NOT NULL,
            grant_id  TEXT NOT NULL,
            until     TEXT NOT NULL,
            PRIMARY KEY (semaphore, id, grant_id)
        );
        CREATE TABLE IF NOT EXISTS store (
            name  TEXT NOT NULL PRIMARY KEY,
            value NOT NULL
        ) WITHOUT ROWID;
        INSERT OR IGNORE INTO store (name, value) VALUES ('sequence', 0);
        """;

    private const string NewColumns =
        """
        ALTER TABLE semaphores ADD COLUMN frozen_since TEXT;
        ALTER TABLE semaphores ADD COLUMN frozen_until TEXT;
        ALTER TABLE semaphores ADD COLUMN frozen_by TEXT;
        ALTER TABLE semaphores ADD COLUMN frozen_reason TEXT;
        ALTER TABLE semaphores ADD COLUMN cooldown_until TEXT;
        ALTER TABLE holders ADD COLUMN grant_id TEXT;
        ALTER TABLE holders ADD COLUMN renewals INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE holders ADD COLUMN shared INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE holders ADD COLUMN host TEXT;
        ALTER TABLE holders ADD COLUMN boot_id TEXT;
        ALTER TABLE holders ADD COLUMN note TEXT;
        ALTER TABLE holders ADD COLUMN noted_at TEXT;
        UPDATE semaphores SET revision = (random() & 0x7FFFFFFFFFFFFFFF) | 1;
        """;

    /// <summary>Makes the tables, unless another process has just made them.</summary>
    internal static void Create(SqliteConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText =
            $"""
            BEGIN IMMEDIATE;
            CREATE TABLE IF NOT EXISTS semaphores (
                name           TEXT    NOT NULL PRIMARY KEY,
                slots          INTEGER NOT NULL CHECK (slots >= 0),
                configured     INTEGER,
                revision       INTEGER NOT NULL,
                frozen_since   TEXT,
                frozen_until   TEXT,
                frozen_by      TEXT,
                frozen_reason  TEXT,
                cooldown_until TEXT
            ) WITHOUT ROWID;
            CREATE TABLE IF NOT EXISTS holders (
                semaphore TEXT    NOT NULL REFERENCES semaphores (name),
                id        TEXT    NOT NULL,
                since     TEXT    NOT NULL,
                address   TEXT,
                last_seen TEXT,
                grant_id  TEXT,
                renewals  INTEGER NOT NULL DEFAULT 0,
                shared    INTEGER NOT NULL DEFAULT 0,
                host      TEXT,
                boot_id   TEXT,
                note      TEXT,
                noted_at  TEXT,
                PRIMARY KEY (semaphore, id)
            ) WITHOUT ROWID;
            {NewTables}
            PRAGMA application_id = {ApplicationId};
            PRAGMA user_version = {Version};
            COMMIT;
            """;
        command.ExecuteNonQuery();
    }

    /// <summary>Brings a file of an earlier version to the tables of today; all or nothing.</summary>
    internal static void Upgrade(SqliteConnection connection)
    {
        if (ReadVersion(connection) == Version)
            return;

        // Read again under the lock: another process may be upgrading it just now.
        using var transaction = connection.BeginTransaction(deferred: false);
        var version = ReadVersion(connection);
        if (version == Version)
            return;
        using var command = connection.CreateCommand();
        command.CommandText =
            $"""
            {(version == 1 ? FromVersion1 : FromVersion2)}
            {NewColumns}
            {NewTables}
            PRAGMA user_version = {Version};
            """;
        command.ExecuteNonQuery();
        transaction.Commit();
    }

    /// <summary>Version 1 knew neither the configured slots, nor addresses, nor when a holder last asked.</summary>
    private const string FromVersion1 =
        """
        ALTER TABLE semaphores ADD COLUMN configured INTEGER;
        ALTER TABLE holders ADD COLUMN address TEXT;
        ALTER TABLE holders ADD COLUMN last_seen TEXT;
        """;

    private const string FromVersion2 = "ALTER TABLE holders RENAME COLUMN asked TO last_seen;";

    private static long ReadVersion(SqliteConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA user_version";
        return Convert.ToInt64(command.ExecuteScalar(), CultureInfo.InvariantCulture);
    }
}
