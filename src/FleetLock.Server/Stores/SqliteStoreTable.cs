namespace FleetLock.Server;

/// <summary>
/// The table <c>store</c>: what <see cref="StoreHistory"/> compares, and the mark of a store that went back to an earlier state. Every
/// transaction reads it, and every write changes it. So each statement finds rows by one name: for a list of names, SQLite makes a table
/// in memory each time.
/// </summary>
internal sealed class SqliteStoreTable
{
    /// <summary>How many writes ago a process that has not closed the file is taken for dead, and its number forgotten.</summary>
    private const long ForgottenAfter = 1_000_000;

    private readonly StoreHistory _history;
    private readonly TimeProvider _clock;
    private readonly SqliteStatement _read;
    private readonly SqliteStatement _advance;
    private readonly SqliteStatement _advanceWriter;
    private readonly SqliteStatement _forgetWriters;
    private readonly SqliteStatement _addWriter;
    private readonly SqliteStatement _removeWriter;
    private readonly SqliteStatement _mark;
    private readonly SqliteStatement _unmark;

    internal SqliteStoreTable(SqliteStatements statements, StoreHistory history, TimeProvider clock)
    {
        _history = history;
        _clock = clock;
        _read = statements.Prepare(
            """
            SELECT
                (SELECT value FROM store WHERE name = 'sequence'),
                (SELECT value FROM store WHERE name = ?1),
                EXISTS (SELECT 1 FROM store WHERE name = 'restored')
            """).Bind(1, history.Writer);
        _advance = statements.Prepare("UPDATE store SET value = ?1 WHERE name = 'sequence'");
        _advanceWriter = statements.Prepare("UPDATE store SET value = ?2 WHERE name = ?1").Bind(1, history.Writer);
        _forgetWriters = statements.Prepare("DELETE FROM store WHERE name LIKE 'writer %' AND value < ?1");
        _addWriter = statements.Prepare("INSERT INTO store (name, value) VALUES (?1, ?2)").Bind(1, history.Writer);
        _removeWriter = statements.Prepare("DELETE FROM store WHERE name = ?1").Bind(1, history.Writer);
        _mark = statements.Prepare("INSERT OR IGNORE INTO store (name, value) VALUES ('restored', ?1)");
        _unmark = statements.Prepare("DELETE FROM store WHERE name = 'restored'");
    }

    internal StoreState Read()
    {
        _read.Read();
        var state = new StoreState(_read.GetInt64(0), _read.GetInt64(1), _read.GetInt64(2) != 0);
        _read.Reset();
        return state;
    }

    /// <summary>Notes a write of this process, and marks the store if it went back to an earlier state.</summary>
    /// <param name="state">What the transaction has found.</param>
    /// <returns>What it leaves.</returns>
    internal StoreState Advance(in StoreState state)
    {
        var sequence = _history.Next(state);
        _advance.Bind(1, sequence).Run();
        if (_advanceWriter.Bind(2, sequence).Run() == 0)
        {
            _forgetWriters.Bind(1, sequence - ForgottenAfter).Run();
            _addWriter.Bind(2, sequence).Run();
        }

        var isLost = _history.IsLostIn(state);
        if (isLost && !state.IsMarked)
            _mark.Bind(1, _clock.GetUtcNow()).Run();
        return new StoreState(sequence, sequence, state.IsMarked || isLost);
    }

    /// <summary>Removes the mark.</summary>
    /// <returns>Whether there was one.</returns>
    internal bool Unmark() => _unmark.Run() == 1;

    /// <summary>Takes this process off the list of those that have the file open.</summary>
    internal void RemoveWriter()
    {
        if (_history.HasWritten)
            _removeWriter.Run();
    }
}
