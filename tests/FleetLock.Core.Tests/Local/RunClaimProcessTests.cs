using System.Diagnostics;
using System.Runtime.Versioning;
using FleetLock.TestKit;

namespace FleetLock.Core.Tests;

/// <summary>Runs of several processes, which are killed, and of several users.</summary>
public sealed class RunClaimProcessTests : IDisposable
{
    private const string Nobody = "65534";
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode Readable =
        Private | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_run_of_another_process_is_refused_and_its_grant_is_adopted_when_that_is_killed()
    {
        using var other = await LockHolder.StartAsync(_directory.FullName);
        Assert.StartsWith("taken: ", other.Report, StringComparison.Ordinal);
        using var claim = Claim();
        Assert.StartsWith($"process {other.ProcessId} (", claim.TryTake(), StringComparison.Ordinal);

        await other.KillAsync();

        Assert.Null(claim.TryTake());
        Assert.Equal(("taken: " + claim.GrantId, true), (other.Report, claim.IsAdopted));
    }

    [Fact]
    public async Task A_run_of_this_process_is_refused_to_another_until_it_ends()
    {
        using (var claim = Claim())
        {
            Assert.Null(claim.TryTake());
            using var early = await LockHolder.StartAsync(_directory.FullName);
            Assert.StartsWith($"refused: process {Environment.ProcessId} (", early.Report, StringComparison.Ordinal);
            await early.LetGoAsync();
        }

        using var late = await LockHolder.StartAsync(_directory.FullName);
        Assert.StartsWith("taken: ", late.Report, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_lock_file_that_is_replaced_while_it_is_locked_lets_nobody_in()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows does not let an open file be deleted.");
        using var other = await LockHolder.StartAsync(_directory.FullName);
        File.Delete(Directory.GetFiles(_directory.FullName, "*.lock").Single());
        using var claim = Claim();

        Assert.StartsWith($"process {other.ProcessId} (", claim.TryTake(), StringComparison.Ordinal);

        await other.KillAsync();
        Assert.Null(claim.TryTake());
    }

    [Fact]
    public void A_lock_file_that_is_a_symbolic_link_is_not_followed()
    {
        var target = _directory.File("target");
        File.WriteAllText(target, "");
        AssertLockFileRefused(path => File.CreateSymbolicLink(path, target));
    }

    [Fact]
    public void A_lock_file_that_is_a_dangling_link_makes_no_file()
    {
        var target = _directory.File("target");

        AssertLockFileRefused(path => File.CreateSymbolicLink(path, target));

        Assert.False(File.Exists(target));
    }

    [Fact]
    public void A_lock_file_that_is_a_pipe_is_refused_and_not_waited_for() => AssertLockFileRefused(path => RunProgram("mkfifo", path));

    [Fact]
    public void A_lock_file_of_another_user_is_refused()
    {
        RequireRoot();
        AssertLockFileRefused(path =>
        {
            File.WriteAllText(path, "");
            RunProgram("chown", Nobody, path);
        });
    }

    [Theory]
    [InlineData(UnixFileMode.GroupWrite)]
    [InlineData(UnixFileMode.OtherWrite)]
    [InlineData(UnixFileMode.OtherWrite | UnixFileMode.StickyBit)]
    [UnsupportedOSPlatform("windows")]
    public void A_folder_that_others_may_write_to_is_refused(UnixFileMode added)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no such modes.");
        File.SetUnixFileMode(_directory.FullName, Readable | added);

        Assert.Contains(_directory.FullName, Assert.Throws<IOException>(Claim).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_that_is_a_symbolic_link_is_refused()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "On Windows a link takes rights to make.");
        var link = _directory.File("link");
        Directory.CreateSymbolicLink(link, _directory.FullName);

        Assert.Throws<IOException>(() => new RunClaim(link, LockHolder.Scope, LockHolder.Group, [LockHolder.Id], null));
    }

    [Fact]
    public void A_folder_of_another_user_is_refused()
    {
        RequireRoot();
        RunProgram("chown", Nobody, _directory.FullName);

        Assert.Throws<IOException>(Claim);
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public void Only_this_user_may_read_the_notes_unless_it_is_root()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no such modes.");
        var folder = _directory.File("runs");
        using var claim = new RunClaim(folder, LockHolder.Scope, LockHolder.Group, [LockHolder.Id], null);
        Assert.Null(claim.TryTake());

        const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.OtherRead;
        var expected = Environment.IsPrivilegedProcess ? Others : default;
        var note = Directory.GetFiles(folder, "*.note").Single();
        Assert.Equal(expected, File.GetUnixFileMode(folder) & Others);
        Assert.Equal(expected, File.GetUnixFileMode(note) & Others);
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public async Task Another_user_respects_a_live_run_of_root_and_never_opens_its_lock_file()
    {
        RequireRoot();
        var (roots, users) = (_directory.File("root"), _directory.File("user"));
        OpenTo(Nobody, users);
        using var claim = new RunClaim(roots, LockHolder.Scope, LockHolder.Group, [LockHolder.Id], null);
        Assert.Null(claim.TryTake());

        using (var user = await StartAsNobodyAsync(users, roots))
            Assert.StartsWith($"refused: process {Environment.ProcessId}", user.Report, StringComparison.Ordinal);

        claim.Dispose();
        using var later = await StartAsNobodyAsync(users, roots);
        Assert.StartsWith("taken: ", later.Report, StringComparison.Ordinal);
        Assert.NotEqual("taken: " + claim.GrantId, later.Report);
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public async Task A_folder_that_this_user_may_not_write_to_is_named()
    {
        RequireRoot();
        var folder = _directory.File("read-only");
        OpenTo("0", folder);

        using var user = await StartAsNobodyAsync(folder, null);

        Assert.StartsWith("fault: ", user.Report, StringComparison.Ordinal);
        Assert.Contains(folder, user.Report, StringComparison.Ordinal);
    }

    private static void RequireRoot() =>
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "Only root can give files away and be another user.");

    private static Task<LockHolder> StartAsNobodyAsync(string directory, string? rootDirectory) =>
        LockHolder.StartAsync(directory, rootDirectory, "setpriv", "--reuid", Nobody, "--regid", Nobody, "--clear-groups");

    private static void RunProgram(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments))!;
        Assert.True(process.WaitForExit(TestTimeout.Hang));
        Assert.Equal(0, process.ExitCode);
    }

    [UnsupportedOSPlatform("windows")]
    private void OpenTo(string owner, string folder)
    {
        File.SetUnixFileMode(_directory.FullName, Readable);
        Directory.CreateDirectory(folder, Readable);
        RunProgram("chown", owner, folder);
    }

    private void AssertLockFileRefused(Action<string> make)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The files are those of a Unix.");
        var path = new SlotFiles(_directory.FullName, LockHolder.Scope, LockHolder.Group, LockHolder.Id).LockPath;
        make(path);
        using var claim = Claim();

        Assert.Contains(path, Assert.Throws<IOException>(claim.TryTake).Message, StringComparison.Ordinal);
    }

    private RunClaim Claim() => new(_directory.FullName, LockHolder.Scope, LockHolder.Group, [LockHolder.Id], null);
}
