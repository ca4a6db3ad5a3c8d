using System.Diagnostics;
using FleetLock.TestKit;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using static FleetLock.Server.Tests.Sample;

namespace FleetLock.Server.Tests;

/// <summary>The data file is removed, moved, replaced or linked under a running server. SQLite alone goes on with what it has open.</summary>
public sealed class SqliteFileChangeTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _folder = new();
    private readonly FakeTimeProvider _clock = new(Since);
    private SqliteStore _store = null!;
    private StoredSemaphore _held = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string Folder => _folder.File("data");

    private string DataFile => Path.Combine(Folder, "fleetlock.db");

    public async ValueTask InitializeAsync()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows does not let go of a file that is open.");
        Directory.CreateDirectory(Folder);
        _store = await OpenAsync();
        _held = await SaveAsync(_store, StoredSemaphore.None, Held(2, "a"));
    }

    public async ValueTask DisposeAsync()
    {
        if (_store is not null)
            await _store.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_file_that_is_moved_away_fails_every_call_until_it_is_back()
    {
        File.Move(DataFile, DataFile + ".away");
        await AssertFailsAsync("removed or moved away");

        File.Move(DataFile + ".away", DataFile);

        await AssertGoesOnAsync();
    }

    [Fact]
    public async Task A_file_that_is_removed_is_not_made_again()
    {
        foreach (var file in Directory.GetFiles(Folder))
            File.Delete(file);

        await AssertFailsAsync("removed or moved away");
        await AssertFailsAsync("removed or moved away");
        Assert.Empty(Directory.GetFiles(Folder));
    }

    [Fact]
    public async Task A_folder_that_is_moved_away_fails_every_call_until_it_is_back()
    {
        Directory.Move(Folder, Folder + ".away");
        await AssertFailsAsync("removed or moved away");

        Directory.Move(Folder + ".away", Folder);

        await AssertGoesOnAsync();
    }

    [Theory]
    [InlineData("ln", "data/fleetlock.db", "data/other.db")]
    [InlineData("cp", "-al", "data", "copy")]
    public async Task A_file_with_a_second_name_fails_every_call_until_that_is_removed(string program, params string[] arguments)
    {
        await RunAsync(program, arguments);
        await AssertFailsAsync("hard link");

        var other = _folder.File(arguments[^1]);
        if (Directory.Exists(other))
            Directory.Delete(other, recursive: true);
        else
            File.Delete(other);

        await AssertGoesOnAsync();
    }

    [Fact]
    public async Task A_file_with_a_second_name_is_not_opened()
    {
        await _store.DisposeAsync();
        await RunAsync("ln", "data/fleetlock.db", "data/other.db");
        await using var other = new SqliteStore(Path.Combine(Folder, "other.db"));

        var refusal = await Assert.ThrowsAsync<SemaphoreStoreException>(() => other.OpenAsync(Token));

        Assert.Contains("hard link", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_symbolic_link_that_leads_elsewhere_or_nowhere_is_a_file_that_is_gone(bool isRemoved)
    {
        var link = _folder.File("current.db");
        File.CreateSymbolicLink(link, DataFile);
        await using var linked = new SqliteStore(link);
        await linked.OpenAsync(Token);
        await linked.LoadAsync(Group, Token);

        File.Delete(link);
        if (!isRemoved)
            File.CreateSymbolicLink(link, Path.Combine(Folder, "nowhere.db"));

        var error = await Assert.ThrowsAsync<SemaphoreStoreException>(() => linked.SaveAsync(Group, _held, Held(2, "a", "b"), Token));
        Assert.Contains("removed or moved away", error.Message, StringComparison.Ordinal);
        Assert.Equal(["a"], (await _store.LoadAsync(Group, Token)).Semaphore.Holders.Keys);
    }

    [Fact]
    public async Task A_symbolic_link_is_no_second_name()
    {
        var link = _folder.File("link.db");
        File.CreateSymbolicLink(link, DataFile);
        await using var other = new SqliteStore(link);
        await other.OpenAsync(Token);

        Assert.Equal(_held.Revision, (await other.LoadAsync(Group, Token)).Revision);
        await AssertGoesOnAsync();
    }

    [Fact]
    public async Task A_backup_that_is_moved_into_its_place_is_opened_and_marked_as_restored()
    {
        await using (var connection = await Sqlite.ConnectAsync(DataFile))
            await connection.RunAsync($"VACUUM INTO '{_folder.File("backup.db")}'");
        _held = await SaveAsync(_store, _held, Held(2, "a", "b"));
        File.Move(_folder.File("backup.db"), DataFile, overwrite: true);

        var loaded = await _store.LoadAsync(Group, Token);

        Assert.True(loaded.IsRestored);
        Assert.Equal(["a"], loaded.Semaphore.Holders.Keys);
        Assert.False((await _store.SaveAsync(Group, _held, Held(2, "a", "c"), Token)).IsSaved);
        await AssertSoundAsync();
    }

    [Fact]
    public async Task The_file_that_was_replaced_is_complete_where_it_was_moved_to()
    {
        await using (var connection = await Sqlite.ConnectAsync(DataFile))
            await connection.RunAsync($"VACUUM INTO '{_folder.File("backup.db")}'");
        _held = await SaveAsync(_store, _held, Held(2, "a", "b"));
        File.Move(DataFile, _folder.File("old.db"));
        File.Move(_folder.File("backup.db"), DataFile);
        Assert.True((await _store.LoadAsync(Group, Token)).IsRestored);

        await using var old = new SqliteStore(_folder.File("old.db"));
        await old.OpenAsync(Token);

        Assert.Equal(["a", "b"], (await old.LoadAsync(Group, Token)).Semaphore.Holders.Keys);
    }

    [Fact]
    public async Task Two_servers_never_grant_on_the_old_and_the_new_file()
    {
        await using var second = await OpenAsync();
        foreach (var file in Directory.GetFiles(Folder))
            File.Delete(file);
        await using var third = await OpenAsync();
        var empty = await third.LoadAsync(Group, Token);
        Assert.False(empty.Exists);
        var granted = await SaveAsync(third, empty, Held(1, "c"));

        Assert.False((await _store.SaveAsync(Group, _held, Held(2, "a", "b"), Token)).IsSaved);
        Assert.False((await second.SaveAsync(Group, _held, Held(2, "a", "b"), Token)).IsSaved);

        var (isSaved, current) = await third.SaveAsync(Group, granted, granted.Semaphore, Token);
        Assert.False(isSaved);
        Assert.True(current.IsRestored);
        Assert.Equal(["c"], current.Semaphore.Holders.Keys);
        await AssertSoundAsync();
    }

    [Fact]
    public async Task A_checkpoint_and_a_vacuum_of_an_operator_change_nothing()
    {
        await using var connection = await Sqlite.ConnectAsync(DataFile);
        for (var i = 0; i < 5; i++)
        {
            _held = await SaveAsync(_store, _held, Held(2, "a", "id" + i));
            await connection.RunAsync(i % 2 == 0 ? "PRAGMA wal_checkpoint(TRUNCATE)" : "VACUUM");
            Assert.False((await _store.LoadAsync(Group, Token)).IsRestored);
        }

        await AssertGoesOnAsync();
    }

    [Fact]
    public async Task A_file_of_another_program_in_its_place_fails_every_call()
    {
        File.Delete(DataFile);
        await File.WriteAllTextAsync(DataFile, "hello", Token);

        await AssertFailsAsync("it is not a SQLite database");
        Assert.Equal("hello", await File.ReadAllTextAsync(DataFile, Token));
    }

    [Fact]
    public async Task An_empty_file_in_its_place_does_not_become_a_store()
    {
        File.Delete(DataFile);
        await File.WriteAllTextAsync(DataFile, "", Token);

        await AssertFailsAsync("an empty file has taken its place");
        Assert.Equal(0, new FileInfo(DataFile).Length);
    }

    [Theory]
    [InlineData("-wal")]
    [InlineData("-shm")]
    [InlineData("-wal", "-shm")]
    public async Task A_log_that_is_removed_loses_nothing_when_nobody_else_has_the_file_open(params string[] endings)
    {
        foreach (var ending in endings)
            File.Delete(DataFile + ending);

        var loaded = await _store.LoadAsync(Group, Token);

        Assert.False(loaded.IsRestored);
        Assert.Equal(_held.Revision, loaded.Revision);
        await AssertGoesOnAsync();
        await AssertSoundAsync();
    }

    [Fact]
    public async Task A_log_that_is_removed_under_two_stores_loses_nothing_once_both_have_left_it()
    {
        await using var second = await OpenAsync();
        File.Delete(DataFile + "-wal");
        File.Delete(DataFile + "-shm");

        // While the second still has the log, the first may not be able to open the file. It tries with each call.
        await Record.ExceptionAsync(() => _store.LoadAsync(Group, Token));
        await second.LoadAsync(Group, Token);

        foreach (var store in new[] { _store, second })
        {
            var loaded = await store.LoadAsync(Group, Token);
            Assert.False(loaded.IsRestored);
            Assert.Equal(_held.Revision, loaded.Revision);
        }

        await AssertSoundAsync();
    }

    [Fact]
    public async Task An_idle_server_leaves_a_file_that_was_replaced()
    {
        await using (var connection = await Sqlite.ConnectAsync(DataFile))
            await connection.RunAsync($"VACUUM INTO '{_folder.File("backup.db")}'");
        var noticed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _store.RestoreDetected += noticed.SetResult;
        File.Move(_folder.File("backup.db"), DataFile, overwrite: true);

        _clock.Advance(TimeSpan.FromSeconds(1));

        await noticed.Task.WaitAsync(TimeSpan.FromSeconds(30), Token);
    }

    [Fact]
    public async Task The_server_says_what_has_happened_and_is_not_ready_until_it_is_over()
    {
        var log = new CapturedLog();
        var options = TestServer.Options(new SqliteStore(DataFile), (Group, 2)) with { Logging = logging => logging.AddProvider(log) };
        await using var server = await TestServer.StartAsync(options);
        File.Move(DataFile, DataFile + ".away");

        Answers.AssertRefused(503, "store_unavailable", "nothing was done", await server.LockAsync("b"));
        Answers.AssertRefused(503, "store_unavailable", "nothing was done", await server.UnlockAsync("a"));
        Assert.Equal(503, (await ReadyAsync()).Status);

        File.Move(DataFile + ".away", DataFile);
        Assert.Equal(200, (await ReadyAsync()).Status);
        Answers.AssertDone(await server.LockAsync("b"));
        var line = Assert.Single(log.Lines, line => line.Text.Contains("removed or moved away", StringComparison.Ordinal));
        Assert.Contains(DataFile, line.Text, StringComparison.Ordinal);

        Task<RawResponse> ReadyAsync() => server.AskAsync(RawClient.Head("GET /readyz"));
    }

    private async Task<SqliteStore> OpenAsync()
    {
        var store = new SqliteStore(DataFile) { Clock = _clock };
        await store.OpenAsync(Token);
        return store;
    }

    private async Task AssertFailsAsync(string reason)
    {
        Func<Task>[] uses =
        [
            () => _store.LoadAsync(Group, Token),
            () => _store.LoadAllAsync(Token),
            () => _store.SaveAsync(Group, _held, _held.Semaphore, Token),
            () => _store.SaveAsync(Group, _held, Held(2, "a", "b"), Token),
            () => _store.ConfirmRestoreAsync(Token),
        ];
        foreach (var use in uses)
        {
            var failure = await Assert.ThrowsAsync<SemaphoreStoreException>(use);
            Assert.Contains(DataFile, failure.Message, StringComparison.Ordinal);
            Assert.Contains(reason, failure.Message, StringComparison.Ordinal);
        }
    }

    private async Task AssertGoesOnAsync()
    {
        var saved = await SaveAsync(_store, _held, Held(2, "a", "b"));
        Assert.False(saved.IsRestored);
        Assert.Equal(["a", "b"], (await _store.LoadAsync(Group, Token)).Semaphore.Holders.Keys);
    }

    private async Task AssertSoundAsync()
    {
        await using var connection = await Sqlite.ConnectAsync(DataFile);
        Assert.Equal("ok", await connection.ScalarAsync("PRAGMA integrity_check"));
    }

    private static async Task<StoredSemaphore> SaveAsync(SqliteStore store, StoredSemaphore seen, GroupSemaphore desired)
    {
        var (isSaved, current) = await store.SaveAsync(Group, seen, desired, Token);
        Assert.True(isSaved);
        return current;
    }

    private async Task RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { WorkingDirectory = _folder.FullName })!;
        await process.WaitForExitAsync(Token);
        Assert.Equal(0, process.ExitCode);
    }
}
