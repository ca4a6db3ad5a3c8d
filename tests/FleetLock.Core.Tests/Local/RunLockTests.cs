using FleetLock.TestKit;

namespace FleetLock.Core.Tests;

/// <summary>The lock that lets only one run of a machine in, within one process.</summary>
[Trait("Lane", "Fast")]
public sealed class RunLockTests : IDisposable
{
    private const string Server = "http://fleet.example";

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void A_second_run_is_refused_and_told_which_process_has_the_lock()
    {
        using var first = Take(out var nobody);
        using var second = Take(out var holder);

        Assert.NotNull(first);
        Assert.Equal("", nobody);
        Assert.Null(second);
        Assert.Matches($@"^process {Environment.ProcessId} \(.+\), since \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d UTC$", holder);
    }

    [Fact]
    public void The_lock_is_free_again_when_it_is_disposed_of()
    {
        Take(out _)!.Dispose();
        using var second = Take(out _);

        Assert.NotNull(second);
    }

    [Fact]
    public void A_refused_run_does_not_disturb_the_lock()
    {
        using (Take(out _))
        {
            Assert.Null(Take(out _));
            Assert.Null(Take(out _));
        }

        using var later = Take(out _);
        Assert.NotNull(later);
    }

    [Fact]
    public void Disposing_twice_does_not_free_the_next_runs_lock()
    {
        var first = Take(out _)!;
        first.Dispose();
        using var second = Take(out _);

        first.Dispose();

        Assert.Null(Take(out _));
    }

    [Theory]
    [InlineData("http://other.example", "workers", "node1")]
    [InlineData("http://fleet.example/base", "workers", "node1")]
    [InlineData(Server, "other", "node1")]
    [InlineData(Server, "workers", "node2")]
    [InlineData(Server, "workers", "NODE1")]
    [InlineData(Server, "workersn", "ode1")]
    public void Another_server_group_or_id_has_a_lock_of_its_own(string server, string group, string id)
    {
        using var first = Take(out _);
        using var other = RunLock.TryTake(server, group, id, out _, _directory.FullName);

        Assert.NotNull(other);
    }

    [Theory]
    [InlineData("http://fleet.example/")]
    [InlineData("http://fleet.example//")]
    public void Slashes_at_the_servers_end_do_not_matter(string server)
    {
        using var first = Take(out _);

        Assert.Null(RunLock.TryTake(server, "workers", "node1", out _, _directory.FullName));
    }

    [Fact]
    public void The_name_of_a_lock_file_gives_nothing_away()
    {
        using var held = RunLock.TryTake("http://fleet.example", "workers", "secret-node/../..", out _, _directory.FullName);

        Assert.All(Directory.GetFiles(_directory.FullName), path => Assert.Matches(@"^fleetlock-[0-9a-f]{32}\.lock(\.\d+)?$", Path.GetFileName(path)));
    }

    [Fact]
    public void The_marker_goes_with_the_lock()
    {
        Take(out _)!.Dispose();

        Assert.Equal([".lock"], Directory.GetFiles(_directory.FullName).Select(Path.GetExtension));
    }

    [Fact]
    public void A_stale_marker_does_not_keep_the_lock()
    {
        Take(out _)!.Dispose();
        WriteMarker(DeadProcessId);

        using var held = Take(out _);

        Assert.NotNull(held);
    }

    [Fact]
    public void A_stale_marker_is_not_named_as_the_holder()
    {
        using var first = Take(out _);
        WriteMarker(DeadProcessId);
        WriteMarker("nonsense");

        Assert.Null(Take(out var holder));
        Assert.StartsWith($"process {Environment.ProcessId} (", holder, StringComparison.Ordinal);
    }

    [Fact]
    public void A_lock_without_a_marker_is_still_a_lock()
    {
        using var first = Take(out _);
        File.Delete(LockFile + "." + Environment.ProcessId);

        Assert.Null(Take(out var holder));
        Assert.Equal("another process", holder);
    }

    [Fact]
    public void The_folder_is_made_when_it_is_not_there()
    {
        var folder = Path.Combine(_directory.FullName, "not", "yet");

        using var held = RunLock.TryTake(Server, "workers", "node1", out _, folder);

        Assert.NotNull(held);
        Assert.True(Directory.Exists(folder));
    }

    [Fact]
    public void A_folder_that_cannot_be_used_is_an_IOException_that_names_the_lock_file()
    {
        var file = _directory.File("a file");
        File.WriteAllText(file, "");

        var fault = Assert.Throws<IOException>(() => RunLock.TryTake(Server, "workers", "node1", out _, file));

        Assert.Contains(Path.Combine(file, "fleetlock-"), fault.Message, StringComparison.Ordinal);
        Assert.NotNull(fault.InnerException);
    }

    [Fact]
    public void The_default_folder_is_the_same_for_all_users()
    {
        string[] folders = OperatingSystem.IsWindows()
            ? [Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.CommonApplicationData), "FleetLock", "locks")]
            : ["/run/lock", "/tmp"];

        Assert.Contains(RunLock.DefaultDirectory, folders);
    }

    /// <summary>Above the largest that Linux, macOS and Windows give.</summary>
    private static string DeadProcessId => int.MaxValue.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private string LockFile => Directory.GetFiles(_directory.FullName, "*.lock").Single();

    private RunLock? Take(out string holder) => RunLock.TryTake(Server, "workers", "node1", out holder, _directory.FullName);

    private void WriteMarker(string processId) => File.WriteAllText(LockFile + "." + processId, "");
}
