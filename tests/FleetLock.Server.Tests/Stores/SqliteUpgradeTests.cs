using FleetLock.TestKit;
using static FleetLock.Server.Tests.Answers;
using static FleetLock.Server.Tests.Sample;

namespace FleetLock.Server.Tests;

/// <summary>
/// Files of version 1, which knew neither the configured slots, nor addresses, nor when a holder last asked, and of version 2, which knew no grants.
/// </summary>
public sealed class SqliteUpgradeTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string DataFile => _folder.File("fleetlock.db");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Holders_and_slots_are_kept(int version)
    {
        await MakeVersionAsync(version, DataFile);

        await using var store = await OpenAsync(DataFile);

        var contents = await store.LoadAllAsync(Token);
        Assert.Equal(["none", Group], contents.Semaphores.Keys.Order(StringComparer.Ordinal));
        var stored = contents.Semaphores[Group];
        Assert.Equal((2, null), (stored.Semaphore.Slots, stored.Semaphore.Configured));
        Assert.Equal(["a", "b"], stored.Semaphore.Holders.Keys);
        Assert.All(stored.Semaphore.Holders.Values, holder => Assert.Equal(new SlotHolder(Since, null, null), holder));
        Assert.False(stored.IsRestored);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task What_is_new_is_kept_from_then_on(int version)
    {
        await MakeVersionAsync(version, DataFile);
        var later = Since.AddHours(1);
        await using (var store = await OpenAsync(DataFile))
        {
            var seen = await store.LoadAsync(Group, Token);
            var next = seen.Semaphore.Configure(3).Lock("b", "192.0.2.8", later).Next.Lock("c", From, later).Next.Unlock("a").Next;
            Assert.True((await store.SaveAsync(Group, seen, next, Token)).IsSaved);
        }

        await using var reopened = await OpenAsync(DataFile);
        var semaphore = (await reopened.LoadAsync(Group, Token)).Semaphore;
        Assert.Equal((3, 3), (semaphore.Slots, semaphore.Configured));
        Assert.Equal(["b", "c"], semaphore.Holders.Keys);
        Assert.Equal(
            [new SlotHolder(Since, null, later) { Renewals = 1 }, new SlotHolder(later, From, later) { GrantId = Grant }],
            semaphore.Holders.Values);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task The_file_is_of_the_new_version_then(int version)
    {
        await MakeVersionAsync(version, DataFile);
        await (await OpenAsync(DataFile)).DisposeAsync();

        await using var operatorsConnection = await Sqlite.ConnectAsync(DataFile);
        Assert.Equal(3L, await operatorsConnection.ScalarAsync("PRAGMA user_version"));
        Assert.Equal("ok", await operatorsConnection.ScalarAsync("PRAGMA integrity_check"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_server_goes_on_with_its_holders(int version)
    {
        await MakeVersionAsync(version, DataFile);

        await using var server = await TestServer.StartAsync(new SqliteStore(DataFile), (Group, 2));

        Assert.Equal([new FleetHolder("a", Since), new FleetHolder("b", Since)], (await server.GroupAsync()).Holders);
        AssertRefused(409, "failed_lock_semaphore_full", "2", await server.LockAsync("c"));
        AssertDone(await server.LockAsync("a"));
        AssertDone(await server.UnlockAsync("a"));
        AssertDone(await server.LockAsync("c"));
        Assert.Equal(["b", "c"], await server.HoldersAsync());
    }

    [Fact]
    public async Task An_upgrade_that_fails_changes_nothing()
    {
        await MakeFirstVersionAsync(DataFile);
        await using (var operatorsConnection = await Sqlite.ConnectAsync(DataFile))
            await operatorsConnection.RunAsync("ALTER TABLE holders ADD COLUMN last_seen TEXT");

        await using (var store = new SqliteStore(DataFile))
            await Assert.ThrowsAsync<SemaphoreStoreException>(() => store.OpenAsync(Token));

        await using var after = await Sqlite.ConnectAsync(DataFile);
        Assert.Equal(1L, await after.ScalarAsync("PRAGMA user_version"));
        Assert.Equal(0L, await after.ScalarAsync("SELECT count(*) FROM pragma_table_info('semaphores') WHERE name = 'configured'"));
        Assert.Equal(2L, await after.ScalarAsync("SELECT count(*) FROM holders"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Several_can_upgrade_a_file_at_the_same_time(int version)
    {
        for (var round = 0; round < 25; round++)
        {
            var file = _folder.File($"round{round}.db");
            await MakeVersionAsync(version, file);
            var start = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var openers = Enumerable.Range(0, 4).Select(async _ =>
            {
                await start.Task;
                await using var store = await OpenAsync(file);
                return (await store.LoadAsync(Group, Token)).Semaphore.Holders.Count;
            }).ToArray();
            start.SetResult();

            Assert.All(await Task.WhenAll(openers), holders => Assert.Equal(2, holders));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Two_processes_can_upgrade_a_file_at_the_same_time(int version)
    {
        await MakeVersionAsync(version, DataFile);

        var servers = await Task.WhenAll(Enumerable.Range(0, 2).Select(_ =>
            ServerProcess.StartListeningAsync("--listen", "http://127.0.0.1:0", "--group", Group + "=2", "--data", DataFile)));

        foreach (var server in servers)
        {
            AssertRefused(409, "failed_lock_semaphore_full", "2", await RawClient.AskAsync(server.Address, TestServer.Request(TestServer.PreReboot, Group, "c")));
            await server.DisposeAsync();
        }
    }

    private static async Task<SqliteStore> OpenAsync(string file)
    {
        var store = new SqliteStore(file);
        await store.OpenAsync(Token);
        return store;
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task The_tables_are_those_of_a_new_file_then(int version)
    {
        await MakeVersionAsync(version, DataFile);
        await (await OpenAsync(DataFile)).DisposeAsync();
        var made = _folder.File("new.db");
        await (await OpenAsync(made)).DisposeAsync();

        Assert.Equal(await ColumnsAsync(made), await ColumnsAsync(DataFile));
    }

    [Fact]
    public async Task A_holder_of_version_2_keeps_its_address_and_when_it_was_last_seen()
    {
        await MakeVersionAsync(2, DataFile);
        await using (var operatorsConnection = await Sqlite.ConnectAsync(DataFile))
            await operatorsConnection.RunAsync("UPDATE holders SET address = '192.0.2.7', asked = since; UPDATE semaphores SET configured = slots");

        await using var store = await OpenAsync(DataFile);

        var semaphore = (await store.LoadAsync(Group, Token)).Semaphore;
        Assert.Equal(2, semaphore.Configured);
        Assert.All(semaphore.Holders.Values, holder => Assert.Equal(Holder, holder));
    }

    private static async Task<string?> ColumnsAsync(string file)
    {
        await using var connection = await Sqlite.ConnectAsync(file);
        return (string?)await connection.ScalarAsync(
            """
            SELECT group_concat(line, char(10)) FROM (
                SELECT t.name || ' ' || c.name || ' ' || c.type || ' ' || c."notnull" || ' ' || coalesce(c.dflt_value, '') || ' ' || c.pk AS line
                FROM sqlite_master AS t, pragma_table_info(t.name) AS c WHERE t.type = 'table' ORDER BY line)
            """);
    }

    private static async Task MakeVersionAsync(int version, string file)
    {
        await MakeFirstVersionAsync(file);
        if (version == 1)
            return;
        await using var connection = await Sqlite.ConnectAsync(file);
        await connection.RunAsync(
            """
            ALTER TABLE semaphores ADD COLUMN configured INTEGER;
            ALTER TABLE holders ADD COLUMN address TEXT;
            ALTER TABLE holders ADD COLUMN asked TEXT;
            PRAGMA user_version = 2;
            """);
    }

    /// <summary>As the first version made it, with two holders in a group of two slots, and a group that nobody holds.</summary>
    private static async Task MakeFirstVersionAsync(string file)
    {
        await using var connection = await Sqlite.ConnectAsync(file);
        await connection.RunAsync(
            """
            PRAGMA journal_mode = WAL;
            BEGIN IMMEDIATE;
            CREATE TABLE semaphores (
                name     TEXT    NOT NULL PRIMARY KEY,
                slots    INTEGER NOT NULL CHECK (slots >= 0),
                revision INTEGER NOT NULL
            ) WITHOUT ROWID;
            CREATE TABLE holders (
                semaphore TEXT NOT NULL REFERENCES semaphores (name),
                id        TEXT NOT NULL,
                since     TEXT NOT NULL,
                PRIMARY KEY (semaphore, id)
            ) WITHOUT ROWID;
            PRAGMA application_id = 1179403083;
            PRAGMA user_version = 1;
            INSERT INTO semaphores VALUES ('workers', 2, 7), ('none', 0, 1);
            INSERT INTO holders VALUES ('workers', 'a', '2026-01-02T03:04:05.6789012Z'), ('workers', 'b', '2026-01-02T03:04:05.6789012Z');
            COMMIT;
            """);
    }
}
