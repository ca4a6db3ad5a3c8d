using FleetLock.TestKit;
using static FleetLock.Server.Tests.Sample;

namespace FleetLock.Server.Tests;

/// <summary>Files that are not a store in good order: refused with a reason, and not a byte of them is changed.</summary>
public sealed class SqliteFileTests : IDisposable
{

    private static readonly Dictionary<string, Func<string, Task>> Files = new()
    {
        ["a database of another program"] = file => MakeDatabaseAsync(file, "CREATE TABLE notes (text TEXT)"),
        ["a database in WAL mode"] = file => MakeDatabaseAsync(file, "PRAGMA journal_mode = WAL", "CREATE TABLE notes (text TEXT)"),
        ["a database with another mark"] = file => MakeDatabaseAsync(file, "PRAGMA application_id = 77"),
        ["a database with a table of our name"] = file => MakeDatabaseAsync(file, "CREATE TABLE semaphores (name TEXT)"),
        ["a database with our version alone"] = file => MakeDatabaseAsync(file, "PRAGMA user_version = 1"),
        ["a newer version"] = file => AlterStoreAsync(file, "PRAGMA user_version = 4"),
        ["a long text"] = file => WriteAsync(file, [.. Enumerable.Repeat((byte)'x', 10_000)]),
        ["a short text"] = file => WriteAsync(file, "hello\n"u8.ToArray()),
        ["zeros"] = file => WriteAsync(file, new byte[8192]),
        ["a store with zeros in the middle"] = file => DamageAsync(file, bytes => Middle(bytes, new byte[bytes.Length / 2])),
        ["a store with noise in the middle"] = file => DamageAsync(file, bytes => Middle(bytes, Noise(bytes.Length / 2))),
        ["a store without its beginning"] = file => DamageAsync(file, bytes => [.. new byte[4096], .. bytes[4096..]]),
        ["a store without its end"] = file => DamageAsync(file, bytes => bytes[..(bytes.Length / 2)]),
        ["a folder"] = file => Task.FromResult(Directory.CreateDirectory(file)),
    };

    private readonly TemporaryDirectory _folder = new();

    public static TheoryData<string> Contents => [.. Files.Keys];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string DataFile => _folder.File("fleetlock.db");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Contents))]
    public async Task A_file_that_is_no_store_of_ours_is_refused_and_left_as_it_is(string content)
    {
        await Files[content](DataFile);
        var before = await ContentAsync();

        var refusal = await RefusalAsync(DataFile);

        Assert.Contains(DataFile, refusal, StringComparison.Ordinal);
        Assert.Equal(before, await ContentAsync());
    }

    [Fact]
    public async Task The_messages_are_those_of_the_file()
    {
        var messages = new MessageFile("server-store");
        foreach (var (content, make) in Files)
        {
            var file = _folder.File($"{content}.db");
            await make(file);
            messages.Hide(file, "fleetlock.db").Add(content, await RefusalAsync(file));
        }

        messages.Verify();
    }

    [Fact]
    public async Task An_empty_file_becomes_a_store()
    {
        await WriteAsync(DataFile, []);
        await MakeStoreAsync(DataFile);

        await using var reopened = new SqliteStore(DataFile);
        await reopened.OpenAsync(Token);
        Assert.True((await reopened.LoadAsync(Group, Token)).Exists);
    }

    [Fact]
    public async Task A_missing_folder_is_not_made()
    {
        var folder = _folder.File("missing");

        var refusal = await RefusalAsync(Path.Combine(folder, "fleetlock.db"));

        Assert.Contains(folder, refusal, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder));
    }

    [Fact]
    public async Task A_read_only_file_is_refused()
    {
        Assert.SkipWhen(Environment.IsPrivilegedProcess, "To root no file is read-only.");
        await MakeStoreAsync(DataFile);
        File.SetAttributes(DataFile, FileAttributes.ReadOnly);
        try
        {
            Assert.Contains(DataFile, await RefusalAsync(DataFile), StringComparison.Ordinal);
        }
        finally
        {
            File.SetAttributes(DataFile, FileAttributes.Normal);
        }
    }

    /// <remarks>The one test that waits out the store's ten seconds.</remarks>
    [Fact]
    public async Task A_file_that_another_process_keeps_locked_is_a_clear_error_and_usable_again_after_it()
    {
        await using var store = new SqliteStore(DataFile);
        await store.OpenAsync(Token);
        await using var other = await Sqlite.ConnectAsync(DataFile);
        await other.RunAsync("BEGIN IMMEDIATE");

        var fault = await Assert.ThrowsAsync<SemaphoreStoreException>(() => store.SaveAsync(Group, StoredSemaphore.None, Held(1, "a"), Token));
        Assert.Contains(DataFile, fault.Message, StringComparison.Ordinal);
        Assert.False(fault.MayHaveSaved);

        await other.RunAsync("ROLLBACK");
        Assert.True((await store.SaveAsync(Group, StoredSemaphore.None, Held(1, "a"), Token)).IsSaved);
    }

    private static async Task<string> RefusalAsync(string file)
    {
        await using var store = new SqliteStore(file);
        return (await Assert.ThrowsAsync<SemaphoreStoreException>(() => store.OpenAsync(Token))).Message;
    }

    private async Task<string[]> ContentAsync()
    {
        var content = new List<string>();
        foreach (var entry in Directory.GetFileSystemEntries(_folder.FullName).Order(StringComparer.Ordinal))
            content.Add(Directory.Exists(entry) ? entry : entry + " " + Convert.ToHexString(await File.ReadAllBytesAsync(entry, Token)));
        return [.. content];
    }

    private static async Task MakeDatabaseAsync(string file, params string[] statements)
    {
        await using var connection = await Sqlite.ConnectAsync(file);
        foreach (var statement in statements)
            await connection.RunAsync(statement);
    }

    /// <summary>A store of some hundred pages.</summary>
    private static async Task MakeStoreAsync(string file)
    {
        await using var store = new SqliteStore(file);
        await store.OpenAsync(Token);
        var ids = Enumerable.Range(0, 5_000).Select(i => $"machine-{i:D40}").ToArray();
        Assert.True((await store.SaveAsync(Group, StoredSemaphore.None, Held(1, ids), Token)).IsSaved);
    }

    private static async Task AlterStoreAsync(string file, string statement)
    {
        await MakeStoreAsync(file);
        await MakeDatabaseAsync(file, statement);
    }

    private static async Task DamageAsync(string file, Func<byte[], byte[]> damage)
    {
        await MakeStoreAsync(file);
        await WriteAsync(file, damage(await File.ReadAllBytesAsync(file, Token)));
    }

    private static byte[] Middle(byte[] bytes, byte[] middle) =>
        [.. bytes[..(bytes.Length / 4)], .. middle, .. bytes[((bytes.Length / 4) + middle.Length)..]];

    private static byte[] Noise(int length)
    {
        var noise = new byte[length];
        new Random(1).NextBytes(noise);
        return noise;
    }

    private static Task WriteAsync(string file, byte[] bytes) => File.WriteAllBytesAsync(file, bytes, Token);
}
