using Microsoft.Data.Sqlite;

namespace FleetLock.Server.Tests;

/// <summary>A connection besides the store's: an operator's, another program's.</summary>
internal static class Sqlite
{
    internal static async Task<SqliteConnection> ConnectAsync(string file)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = file, Pooling = false }.ToString());
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        return connection;
    }

    internal static async Task RunAsync(this SqliteConnection connection, string sql) => await connection.ScalarAsync(sql);

    internal static async Task<object?> ScalarAsync(this SqliteConnection connection, string sql)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        return await command.ExecuteScalarAsync(TestContext.Current.CancellationToken);
    }
}
