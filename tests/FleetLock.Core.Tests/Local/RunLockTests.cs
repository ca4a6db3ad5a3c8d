using FleetLock.TestKit;

namespace FleetLock.Core.Tests;

/// <summary>The lock that lets only one run of a machine in, within one process.</summary>
[Trait("Lane", "Fast")]
public sealed class RunLockTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void A_second_run_is_refused_until_the_lock_is_disposed_of()
    {
        using (var first = Take())
        {
            Assert.NotNull(first);
            Assert.Null(Take());
            Assert.Null(Take());
        }

        using var later = Take();
        Assert.NotNull(later);
    }

    [Fact]
    public void Disposing_twice_does_not_free_the_next_runs_lock()
    {
        var first = Take()!;
        first.Dispose();
        using var second = Take();

        first.Dispose();

        Assert.Null(Take());
    }

    [Fact]
    public void A_lock_file_that_is_made_anew_is_the_same_lock_to_this_process()
    {
        using var first = Take();
        if (Environment.OSVersion.Platform != PlatformID.Win32NT)
            File.Delete(LockFile);

        Assert.Null(Take());
    }

    [Fact]
    public void A_lock_file_that_cannot_be_opened_is_named()
    {
        Directory.CreateDirectory(LockFile);

        var error = Assert.Throws<IOException>(Take);

        Assert.Contains(LockFile, error.Message, StringComparison.Ordinal);
        Directory.Delete(LockFile);
        using var later = Take();
        Assert.NotNull(later);
    }

    private string LockFile => _directory.File("slot.lock");

    private RunLock? Take() => RunLock.TryTake(LockFile);
}
