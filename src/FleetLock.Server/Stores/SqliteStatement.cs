using System.Globalization;
using System.Text;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace FleetLock.Server;

/// <summary>A statement that is prepared once and run many times, by one thread. Parameters are numbered from 1, columns from 0.</summary>
/// <remarks>
/// A command of ADO.NET finds its parameters by name and makes a reader each time it runs, which costs more than most statements here.
/// </remarks>
internal sealed class SqliteStatement : IDisposable
{
    private const int MaxStackBytes = 512;

    private readonly sqlite3 _connection;
    private readonly sqlite3_stmt _statement;

    internal SqliteStatement(SqliteConnection connection, string sql)
    {
        _connection = connection.Handle!;
        Require(raw.sqlite3_prepare_v3(_connection, sql, raw.SQLITE_PREPARE_PERSISTENT, out _statement));
    }

    public void Dispose() => _statement.Dispose();

    internal SqliteStatement Bind(int parameter, long? value)
    {
        Require(value is { } number ? raw.sqlite3_bind_int64(_statement, parameter, number) : raw.sqlite3_bind_null(_statement, parameter));
        return this;
    }

    internal SqliteStatement Bind(int parameter, string? value)
    {
        if (value is null)
        {
            Require(raw.sqlite3_bind_null(_statement, parameter));
        }
        else if (value.Length is 0 or > MaxStackBytes / 3)
        {
            Require(raw.sqlite3_bind_text(_statement, parameter, value));
        }
        else
        {
            Span<byte> text = stackalloc byte[MaxStackBytes];
            Require(raw.sqlite3_bind_text(_statement, parameter, text[..Encoding.UTF8.GetBytes(value, text)]));
        }

        return this;
    }

    /// <summary>Binds a time as ISO 8601 in UTC, to the tick.</summary>
    internal SqliteStatement Bind(int parameter, DateTimeOffset? value)
    {
        if (value is not { } time)
            return Bind(parameter, (string?)null);
        Span<byte> text = stackalloc byte[32];
        time.UtcDateTime.TryFormat(text, out var length, "O", CultureInfo.InvariantCulture);
        Require(raw.sqlite3_bind_text(_statement, parameter, text[..length]));
        return this;
    }

    /// <summary>Runs a statement that has no rows.</summary>
    /// <returns>How many rows were inserted, changed or deleted.</returns>
    internal int Run()
    {
        while (Read())
        {
            // A statement's effect is complete only after its last row.
        }

        return raw.sqlite3_changes(_connection);
    }

    /// <summary>Moves to the next row. After the last one the statement can run again; <see cref="Reset"/> ends it before that.</summary>
    internal bool Read()
    {
        var result = raw.sqlite3_step(_statement);
        if (result == raw.SQLITE_ROW)
            return true;
        try
        {
            if (result != raw.SQLITE_DONE)
                SqliteException.ThrowExceptionForRC(result, _connection);
            return false;
        }
        finally
        {
            Reset();
        }
    }

    internal void Reset() => raw.sqlite3_reset(_statement);

    internal long GetInt64(int column) => raw.sqlite3_column_int64(_statement, column);

    internal string GetString(int column) => raw.sqlite3_column_text(_statement, column).utf8_to_string();

    internal int? FindInt32(int column) => IsNull(column) ? null : (int)GetInt64(column);

    internal string? FindString(int column) => IsNull(column) ? null : GetString(column);

    internal DateTimeOffset? FindTime(int column) =>
        IsNull(column) ? null : DateTimeOffset.Parse(GetString(column), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);

    private bool IsNull(int column) => raw.sqlite3_column_type(_statement, column) == raw.SQLITE_NULL;

    private void Require(int result) => SqliteException.ThrowExceptionForRC(result, _connection);
}
