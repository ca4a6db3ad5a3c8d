using System.Runtime.CompilerServices;
using FleetLock.TestKit;
using Microsoft.Data.Sqlite;
using static FleetLock.Server.Tests.Sample;

namespace FleetLock.Server.Tests;

/// <summary>What the SQLite store promises beyond <see cref="StoreContractTests"/>: durability, and company on the same file.</summary>
public sealed class SqliteStoreTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string DataFile => _folder.File("fleetlock.db");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_file_has_a_write_ahead_log()
    {
        await using var store = await OpenAsync();
        await using var operatorsConnection = await Sqlite.ConnectAsync(DataFile);

        Assert.Equal("wal", await operatorsConnection.ScalarAsync("PRAGMA journal_mode"));
    }

    [Fact]
    public void Every_commit_is_synced_to_the_disk()
    {
        // The setting belongs to the connection, so no other connection can tell.
        using var database = SemaphoreDatabase.Open(DataFile, new StoreHistory(), TimeProvider.System, canCreate: true);
        using var command = ConnectionOf(database).CreateCommand();
        command.CommandText = "PRAGMA synchronous";

        const long full = 2;
        Assert.Equal(full, command.ExecuteScalar());
    }

    [Fact]
    public async Task A_closed_store_leaves_one_file()
    {
        await using (var store = await OpenAsync())
            await store.SaveAsync(Group, StoredSemaphore.None, Held(1, "a"), Token);

        Assert.Equal([DataFile], Directory.GetFiles(_folder.FullName));
    }

    [Fact]
    public async Task What_was_saved_is_there_when_the_file_is_opened_again()
    {
        await using (var store = await OpenAsync())
            await store.SaveAsync(Group, StoredSemaphore.None, Held(2, "a", "b"), Token);

        await using var reopened = await OpenAsync();
        var loaded = await reopened.LoadAsync(Group, Token);
        Assert.Equal(2, loaded.Semaphore.Slots);
        Assert.Equal(Held(2, "a", "b").Holders, loaded.Semaphore.Holders);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(170)]
    [InlineData(171)]
    [InlineData(2000)]
    public async Task An_id_of_any_length_and_script_is_found_again(int length)
    {
        string[] ids = [new('a', length), new('é', length), new('中', length), string.Concat(Enumerable.Repeat("😀", length))];
        await using var store = await OpenAsync();
        var held = (await store.SaveAsync(Group, StoredSemaphore.None, Held(4, ids), Token)).Current;
        Assert.Equal(ids.Order(StringComparer.Ordinal), (await store.LoadAsync(Group, Token)).Semaphore.Holders.Keys);

        var released = ids.Aggregate(held.Semaphore, (semaphore, id) => semaphore.Unlock(id).Next);

        Assert.True((await store.SaveAsync(Group, held, released, Token)).IsSaved);
        Assert.Empty((await store.LoadAsync(Group, Token)).Semaphore.Holders);
    }

    [Fact]
    public async Task An_operator_can_read_the_tables()
    {
        await using var store = await OpenAsync();
        await store.SaveAsync(Group, StoredSemaphore.None, Held(2).Lock("a", Grant, From, Since).Next.CancelGrant("b", OtherGrant, Since).Next, Token);

        await using var operatorsConnection = await Sqlite.ConnectAsync(DataFile);
        Assert.Equal("workers|2|2", await operatorsConnection.ScalarAsync("SELECT name || '|' || slots || '|' || configured FROM semaphores"));
        Assert.Equal(
            $"workers|a|2026-01-02T03:04:05.6789012Z|192.0.2.7|2026-01-02T03:04:05.6789012Z|{Grant}|0|0",
            await operatorsConnection.ScalarAsync(
                """
                SELECT semaphore || '|' || id || '|' || since || '|' || address || '|' || last_seen || '|' || grant_id || '|' || renewals || '|' || shared
                FROM holders
                """));
        Assert.Equal(
            $"workers|b|{OtherGrant}|2026-01-02T04:04:05.6789012Z",
            await operatorsConnection.ScalarAsync("SELECT semaphore || '|' || id || '|' || grant_id || '|' || until FROM cancelled_grants"));
        Assert.Equal(1L, await operatorsConnection.ScalarAsync("SELECT value FROM store WHERE name = 'sequence'"));
    }

    [Fact]
    public async Task What_this_version_does_not_use_is_kept_while_the_hold_lasts()
    {
        await using var store = await OpenAsync();
        var seen = (await store.SaveAsync(Group, StoredSemaphore.None, Held(2).Lock("a", Grant, From, Since).Next, Token)).Current;
        await using var operatorsConnection = await Sqlite.ConnectAsync(DataFile);
        await operatorsConnection.RunAsync("UPDATE semaphores SET frozen_reason = 'why'; UPDATE holders SET note = 'what'");

        var renewed = (await store.SaveAsync(Group, seen, seen.Semaphore.Lock("a", OtherGrant, From, Since.AddHours(1)).Next, Token)).Current;

        Assert.Equal("why", await operatorsConnection.ScalarAsync("SELECT frozen_reason FROM semaphores"));
        Assert.Equal("what", await operatorsConnection.ScalarAsync("SELECT note FROM holders"));
        var again = renewed.Semaphore.Unlock("a").Next.Lock("a", OtherGrant, From, Since).Next;
        Assert.True((await store.SaveAsync(Group, renewed, again, Token)).IsSaved);
        Assert.Equal(DBNull.Value, await operatorsConnection.ScalarAsync("SELECT note FROM holders"));
    }

    [Fact]
    public void One_group_is_read_by_its_name_alone()
    {
        using var database = SemaphoreDatabase.Open(DataFile, new StoreHistory(), TimeProvider.System, canCreate: true);
        var connection = ConnectionOf(database);
        var statements = new List<string>();
        SQLitePCL.raw.sqlite3_trace(connection.Handle, (_, statement) => statements.Add(statement), null);

        database.Load(Group);

        SQLitePCL.raw.sqlite3_trace(connection.Handle, (SQLitePCL.strdelegate_trace?)null, null);
        Assert.NotEmpty(statements);
        Assert.All(statements, statement =>
        {
            var plan = PlanOf(connection, statement);
            Assert.Contains(plan, step => step.StartsWith("SEARCH", StringComparison.Ordinal));
            Assert.DoesNotContain(plan, step => step.StartsWith("SCAN", StringComparison.Ordinal));
        });
    }

    [Fact]
    public async Task A_closed_store_is_taken_off_the_list_of_those_that_have_it_open()
    {
        await using var operatorsConnection = await Sqlite.ConnectAsync(DataFile);
        await using (var store = await OpenAsync())
        {
            await store.SaveAsync(Group, StoredSemaphore.None, Held(1), Token);
            Assert.Equal(1L, await operatorsConnection.ScalarAsync("SELECT count(*) FROM store WHERE name LIKE 'writer %'"));
        }

        Assert.Equal(0L, await operatorsConnection.ScalarAsync("SELECT count(*) FROM store WHERE name LIKE 'writer %'"));
    }

    [Fact]
    public async Task What_has_queued_up_is_saved_before_the_file_is_closed()
    {
        var store = await OpenAsync();
        var saves = Enumerable.Range(0, 100).Select(i => store.SaveAsync("group" + i, StoredSemaphore.None, Held(1, "a"), Token)).ToArray();
        await store.DisposeAsync();

        Assert.All(await Task.WhenAll(saves), outcome => Assert.True(outcome.IsSaved));
        await using var reopened = await OpenAsync();
        Assert.Equal(100, (await reopened.LoadAllAsync(Token)).Semaphores.Count);
    }

    [Fact]
    public async Task A_closed_store_says_so()
    {
        var store = await OpenAsync();
        await store.DisposeAsync();

        foreach (var use in Uses(store))
            Assert.Contains("closed", (await Assert.ThrowsAsync<SemaphoreStoreException>(use)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_that_could_not_be_opened_does_not_keep_anyone_waiting()
    {
        await using var store = new SqliteStore(_folder.FullName);
        await Assert.ThrowsAsync<SemaphoreStoreException>(() => store.OpenAsync(Token));

        foreach (var use in Uses(store))
            await Assert.ThrowsAsync<SemaphoreStoreException>(() => use().WaitAsync(TestTimeout.Hang, Token));
    }

    [Fact]
    public async Task A_fault_in_one_save_saves_nothing_of_it_and_the_store_goes_on()
    {
        await using var store = await OpenAsync();
        await using var operatorsConnection = await Sqlite.ConnectAsync(DataFile);
        await operatorsConnection.RunAsync(
            "CREATE TRIGGER refuse BEFORE INSERT ON holders WHEN new.id = 'b' BEGIN SELECT RAISE(ABORT, 'refused by the test'); END");

        var fault = await Assert.ThrowsAsync<SemaphoreStoreException>(() => store.SaveAsync(Group, StoredSemaphore.None, Held(2, "a", "b"), Token));
        Assert.Contains("refused by the test", fault.Message, StringComparison.Ordinal);
        Assert.False((await store.LoadAsync(Group, Token)).Exists);

        Assert.True((await store.SaveAsync(Group, StoredSemaphore.None, Held(1, "a"), Token)).IsSaved);
    }

    [Fact]
    public async Task A_new_file_can_be_opened_by_several_at_the_same_time()
    {
        for (var round = 0; round < 25; round++)
        {
            var file = _folder.File($"round{round}.db");
            var start = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var openers = Enumerable.Range(0, 4).Select(async _ =>
            {
                await using var store = new SqliteStore(file);
                await start.Task;
                await store.OpenAsync(Token);
            }).ToArray();
            start.SetResult();

            await Task.WhenAll(openers);
        }
    }

    [Fact]
    public async Task Two_stores_on_one_file_never_overwrite_each_other()
    {
        const int slots = 3;
        await using var first = await OpenAsync();
        await using var second = await OpenAsync();
        Assert.True((await first.SaveAsync(Group, StoredSemaphore.None, Held(slots), Token)).IsSaved);

        await Task.WhenAll(Enumerable.Range(0, 6).Select(i => Task.Run(() => LockAndUnlockAsync(i % 2 == 0 ? first : second, "id" + i))));

        var end = await first.LoadAsync(Group, Token);
        Assert.Empty(end.Semaphore.Holders);
        Assert.Equal(end.Revision, (await second.LoadAsync(Group, Token)).Revision);

        async Task LockAndUnlockAsync(SqliteStore store, string id)
        {
            for (var i = 0; i < 50; i++)
            {
                await ChangeAsync(store, semaphore => semaphore.Lock(id, From, Since));
                await ChangeAsync(store, semaphore => semaphore.Unlock(id));
            }
        }

        // Tries until the change is made, by compare-and-swap alone.
        async Task ChangeAsync(SqliteStore store, Func<GroupSemaphore, (GroupSemaphore Next, SlotReply Reply)> change)
        {
            for (; ; )
            {
                var seen = await store.LoadAsync(Group, Token);
                Assert.InRange(seen.Semaphore.Holders.Count, 0, slots);
                var (next, reply) = change(seen.Semaphore);
                if (reply == SlotReply.Full || await store.SaveAsync(Group, seen, next, Token) is not { IsSaved: true } outcome)
                    continue;
                Assert.NotEqual(seen.Revision, outcome.Current.Revision);
                return;
            }
        }
    }

    private async Task<SqliteStore> OpenAsync()
    {
        var store = new SqliteStore(DataFile);
        await store.OpenAsync(Token);
        return store;
    }

    private static Func<Task>[] Uses(SqliteStore store) =>
    [
        () => store.LoadAllAsync(Token),
        () => store.LoadAsync(Group, Token),
        () => store.SaveAsync(Group, StoredSemaphore.None, StoredSemaphore.None.Semaphore, Token),
        () => store.SaveAsync(Group, StoredSemaphore.None, Held(1), Token),
    ];

    private static List<string> PlanOf(SqliteConnection connection, string statement)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "EXPLAIN QUERY PLAN " + statement;
        using var row = command.ExecuteReader();
        var steps = new List<string>();
        while (row.Read())
            steps.Add(row.GetString(3));
        return steps;
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_connection")]
    private static extern ref SqliteConnection ConnectionOf(SemaphoreDatabase database);
}
