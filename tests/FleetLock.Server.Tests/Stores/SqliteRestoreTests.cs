using FleetLock.TestKit;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using static FleetLock.Server.Tests.Sample;

namespace FleetLock.Server.Tests;

/// <summary>A backup is restored under running servers: grants since the backup are lost, so nobody is granted a slot until that is confirmed.</summary>
public sealed class SqliteRestoreTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _folder = new();
    private readonly FakeTimeProvider _clock = new(Since);
    private SqliteStore _first = null!;
    private SqliteStore _second = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string DataFile => _folder.File("fleetlock.db");

    private string Backup => _folder.File("backup.db");

    public async ValueTask InitializeAsync()
    {
        _first = await OpenAsync();
        _second = await OpenAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _first.DisposeAsync();
        await _second.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_save_by_the_process_whose_write_was_lost_is_a_conflict()
    {
        var before = await SaveAsync(_first, StoredSemaphore.None, Held(1));
        await BackUpAsync();
        var granted = await SaveAsync(_first, before, Held(1, "a"));
        await RestoreAsync();

        var (isSaved, current) = await _first.SaveAsync(Group, granted, granted.Semaphore, Token);

        Assert.False(isSaved);
        Assert.True(current.IsRestored);
        Assert.Equal(before.Revision, current.Revision);
        Assert.Empty(current.Semaphore.Holders);
    }

    [Fact]
    public async Task A_value_that_was_seen_before_the_restore_cannot_be_saved_although_its_revision_is_back()
    {
        var before = await SaveAsync(_first, StoredSemaphore.None, Held(1));
        await BackUpAsync();
        await SaveAsync(_first, before, Held(1, "a"));
        await RestoreAsync();

        var (isSaved, current) = await _first.SaveAsync(Group, before, Held(1, "b"), Token);

        Assert.False(isSaved);
        Assert.True(current.IsRestored);
        Assert.Empty((await _second.LoadAsync(Group, Token)).Semaphore.Holders);
    }

    [Fact]
    public async Task Every_process_sees_the_mark_in_whatever_it_loads()
    {
        await LoseAWriteAsync();
        Assert.True((await _first.LoadAsync(Group, Token)).IsRestored);

        Assert.True((await _second.LoadAsync(Group, Token)).IsRestored);
        Assert.True((await _second.LoadAsync("none", Token)).IsRestored);
        Assert.False((await _second.LoadAsync("none", Token)).Exists);
        var all = await _second.LoadAllAsync(Token);
        Assert.Equal((true, true), (all.IsRestored, all.Semaphores[Group].IsRestored));
    }

    [Fact]
    public async Task A_lost_write_is_noticed_also_when_another_process_has_written_on()
    {
        var seen = await LoseAWriteAsync();
        for (var i = 0; i < 5; i++)
            seen = (await _second.SaveAsync(Group, seen, Held(1, "id" + i), Token)).Current;
        Assert.False(seen.IsRestored);

        Assert.True((await _first.LoadAsync(Group, Token)).IsRestored);

        Assert.False((await _second.SaveAsync(Group, seen, Held(1, "c"), Token)).IsSaved);
    }

    [Fact]
    public async Task An_idle_process_notices_too()
    {
        await LoseAWriteAsync();
        var noticed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _first.RestoreDetected += noticed.SetResult;

        _clock.Advance(TimeSpan.FromSeconds(1));

        await noticed.Task.WaitAsync(TimeSpan.FromSeconds(30), Token);
        Assert.True((await _second.LoadAsync(Group, Token)).IsRestored);
    }

    [Fact]
    public async Task A_restart_does_not_remove_the_mark()
    {
        await LoseAWriteAsync();
        Assert.True((await _first.LoadAsync(Group, Token)).IsRestored);
        await _first.DisposeAsync();
        await _second.DisposeAsync();

        _first = await OpenAsync();

        Assert.True(_first.IsRestored);
        Assert.True((await _first.LoadAsync(Group, Token)).IsRestored);
    }

    [Fact]
    public async Task Confirming_removes_the_mark_for_all_and_what_was_seen_with_it_is_a_conflict()
    {
        await LoseAWriteAsync();
        var marked = await _first.LoadAsync(Group, Token);
        Assert.True((await _second.LoadAsync(Group, Token)).IsRestored);

        Assert.True(await _second.ConfirmRestoreAsync(Token));

        Assert.False(await _second.ConfirmRestoreAsync(Token));
        var (isSaved, current) = await _first.SaveAsync(Group, marked, Held(1, "b"), Token);
        Assert.False(isSaved);
        Assert.False(current.IsRestored);
        Assert.True((await _first.SaveAsync(Group, current, Held(1, "b"), Token)).IsSaved);
        Assert.False((await _second.LoadAsync(Group, Token)).IsRestored);
    }

    [Fact]
    public async Task Releases_are_saved_while_the_mark_is_there()
    {
        var held = await SaveAsync(_first, StoredSemaphore.None, Held(1, "a"));
        await BackUpAsync();
        await SaveAsync(_first, held, held.Semaphore.WithSlots(2));
        await RestoreAsync();
        var marked = await _first.LoadAsync(Group, Token);

        var released = await SaveAsync(_first, marked, marked.Semaphore.Unlock("a").Next);

        Assert.True(released.IsRestored);
        Assert.Empty((await _second.LoadAsync(Group, Token)).Semaphore.Holders);
    }

    [Fact]
    public async Task A_backup_of_an_older_version_is_noticed_too()
    {
        await SaveAsync(_first, StoredSemaphore.None, Held(1, "a"));
        await using (var old = await Sqlite.ConnectAsync(Backup))
        {
            await old.RunAsync(
                """
                CREATE TABLE semaphores (name TEXT NOT NULL PRIMARY KEY, slots INTEGER NOT NULL, revision INTEGER NOT NULL) WITHOUT ROWID;
                CREATE TABLE holders (
                    semaphore TEXT NOT NULL REFERENCES semaphores (name), id TEXT NOT NULL, since TEXT NOT NULL, PRIMARY KEY (semaphore, id)) WITHOUT ROWID;
                PRAGMA application_id = 1179403083;
                PRAGMA user_version = 1;
                INSERT INTO semaphores VALUES ('workers', 1, 1);
                """);
        }

        await RestoreAsync();

        await Assert.ThrowsAsync<SemaphoreStoreException>(() => _first.LoadAsync(Group, Token));
        var loaded = await _first.LoadAsync(Group, Token);
        Assert.True(loaded.IsRestored);
        Assert.Empty(loaded.Semaphore.Holders);
    }

    [Fact]
    public async Task The_server_grants_nothing_until_it_is_confirmed_and_says_so_once()
    {
        var log = new CapturedLog();
        var options = TestServer.Options(new SqliteStore(DataFile), (Group, 1)) with { Logging = logging => logging.AddProvider(log) };
        await using var server = await TestServer.StartAsync(options);
        await BackUpAsync();
        Answers.AssertDone(await server.LockAsync("a"));
        await RestoreAsync();

        Assert.Equal(503, (await server.LockAsync("b")).Status);
        Assert.Equal(503, (await server.LockAsync("a")).Status);
        Answers.AssertDone(await server.UnlockAsync("a"));
        Assert.Equal((1, """{"status":"ok","storeRestored":true}"""), await StateAsync());

        Assert.True(await _second.ConfirmRestoreAsync(Token));
        Answers.AssertDone(await server.LockAsync("b"));
        Assert.Equal((0, """{"status":"ok"}"""), await StateAsync());
        Assert.Single(log.Lines, line => line.Text.Contains("went back to an earlier state", StringComparison.Ordinal));

        // A load balancer keeps the server, because releases need it.
        async Task<(double Metric, string Ready)> StateAsync()
        {
            var metrics = await server.AskAsync(RawClient.Head("GET /metrics"));
            var ready = await server.AskAsync(RawClient.Head("GET /readyz"));
            Assert.Equal(200, ready.Status);
            return (Scrape.Parse(metrics.Body)["fleetlock_store_restored"], ready.Body);
        }
    }

    private async Task<SqliteStore> OpenAsync()
    {
        var store = new SqliteStore(DataFile) { Clock = _clock };
        await store.OpenAsync(Token);
        return store;
    }

    /// <summary>The first process's last write is after the backup, which is restored.</summary>
    /// <returns>What the second process sees then: nothing of it.</returns>
    private async Task<StoredSemaphore> LoseAWriteAsync()
    {
        var before = await SaveAsync(_first, StoredSemaphore.None, Held(1));
        await BackUpAsync();
        await SaveAsync(_first, before, Held(1, "a"));
        await RestoreAsync();
        return before;
    }

    private static async Task<StoredSemaphore> SaveAsync(SqliteStore store, StoredSemaphore seen, GroupSemaphore desired)
    {
        var (isSaved, current) = await store.SaveAsync(Group, seen, desired, Token);
        Assert.True(isSaved);
        return current;
    }

    private Task BackUpAsync() => CopyAsync(DataFile, Backup);

    private Task RestoreAsync() => CopyAsync(Backup, DataFile);

    /// <summary>As the shell's <c>.backup</c> and <c>.restore</c> do it.</summary>
    private static async Task CopyAsync(string from, string to)
    {
        await using var source = await Sqlite.ConnectAsync(from);
        await using var destination = await Sqlite.ConnectAsync(to);
        source.BackupDatabase(destination);
    }
}
