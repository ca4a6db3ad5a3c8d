using Microsoft.Data.Sqlite;

namespace FleetLock.Server;

/// <summary>The prepared statements of a connection, which is not closed before they are.</summary>
internal sealed class SqliteStatements(SqliteConnection connection) : IDisposable
{
    private readonly List<SqliteStatement> _statements = [];

    public void Dispose() => _statements.ForEach(statement => statement.Dispose());

    internal SqliteStatement Prepare(string sql)
    {
        var statement = new SqliteStatement(connection, sql);
        _statements.Add(statement);
        return statement;
    }
}
