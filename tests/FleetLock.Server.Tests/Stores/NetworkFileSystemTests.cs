using FleetLock.TestKit;

namespace FleetLock.Server.Tests;

/// <summary>A data file on NFS or SMB, where SQLite's locks do not reach other machines.</summary>
public sealed class NetworkFileSystemTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_file_on_it_is_refused_and_not_made()
    {
        await using var store = new SqliteStore(_folder.File("fleetlock.db")) { FindNetworkFileSystem = _ => "nfs4" };

        var refusal = await Assert.ThrowsAsync<SemaphoreStoreException>(() => store.OpenAsync(Token));

        Assert.Contains("nfs4", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("--allow-network-filesystem", refusal.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_folder.FullName));
    }

    [Fact]
    public async Task A_file_on_it_is_opened_when_that_is_allowed()
    {
        await using var store = new SqliteStore(_folder.File("fleetlock.db")) { FindNetworkFileSystem = _ => "nfs4", AllowNetworkFileSystem = true };

        await store.OpenAsync(Token);

        Assert.False((await store.LoadAsync(Sample.Group, Token)).Exists);
    }

    [Fact]
    public void A_local_disk_is_none() => Assert.Null(NetworkFileSystem.Find(_folder.File("fleetlock.db")));

    [Fact]
    public void A_folder_that_is_not_there_is_none() => Assert.Null(NetworkFileSystem.Find(_folder.File("missing/fleetlock.db")));

    [Theory]
    [InlineData("nfs", true)]
    [InlineData("nfs4", true)]
    [InlineData("cifs", true)]
    [InlineData("smb3", true)]
    [InlineData("smb2", true)]
    [InlineData("fuse.sshfs", true)]
    [InlineData("ext4", false)]
    [InlineData("overlay", false)]
    [InlineData("tmpfs", false)]
    [InlineData("NTFS", false)]
    [InlineData("apfs", false)]
    public void It_is_known_by_its_name(string format, bool isNetwork) => Assert.Equal(isNetwork, NetworkFileSystem.IsNetwork(format));

    [Theory]
    [InlineData(true, true)]
    [InlineData(false, false)]
    [InlineData(null, false)]
    public void The_configuration_says_whether_it_is_allowed(bool? setting, bool isAllowed)
    {
        var configuration = ServerConfiguration.From(new ServerSettings { Data = "x.db", AllowNetworkFilesystem = setting });

        Assert.Equal(isAllowed, Assert.IsType<SqliteStore>(configuration.CreateStore(() => "")).AllowNetworkFileSystem);
    }
}
