using FleetLock.TestKit;

namespace FleetLock.Core.Tests;

/// <summary>The same lock between processes, which are killed.</summary>
public sealed class RunLockProcessTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_lock_of_another_process_is_refused_and_is_free_when_that_is_killed()
    {
        using var other = await LockHolder.StartAsync(_directory.FullName);
        Assert.Equal("taken", other.Report);

        Assert.Null(Take(out var holder));
        Assert.StartsWith($"process {other.ProcessId} (", holder, StringComparison.Ordinal);

        await other.KillAsync();
        using var held = Take(out _);
        Assert.NotNull(held);
    }

    [Fact]
    public async Task The_marker_of_a_killed_process_is_not_named_as_the_holder()
    {
        using (var other = await LockHolder.StartAsync(_directory.FullName))
            await other.KillAsync();

        using var held = Take(out _);

        Assert.Null(Take(out var holder));
        Assert.StartsWith($"process {Environment.ProcessId} (", holder, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_lock_of_this_process_is_refused_to_another_until_it_is_given_back()
    {
        using (Take(out _))
        {
            using var early = await LockHolder.StartAsync(_directory.FullName);
            Assert.StartsWith($"refused: process {Environment.ProcessId} (", early.Report, StringComparison.Ordinal);
            await early.LetGoAsync();
        }

        using var late = await LockHolder.StartAsync(_directory.FullName);
        Assert.Equal("taken", late.Report);
        await late.LetGoAsync();

        using var held = Take(out _);
        Assert.NotNull(held);
    }

    [Fact]
    public async Task Where_files_cannot_be_locked_nobody_is_given_a_lock()
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("On Windows the file system locks, whatever .NET is told.");

        using var other = await LockHolder.StartAsync(_directory.FullName, ("DOTNET_SYSTEM_IO_DISABLEFILELOCKING", "1"));

        Assert.StartsWith("fault: ", other.Report, StringComparison.Ordinal);
        Assert.Contains(_directory.FullName, other.Report, StringComparison.Ordinal);
    }

    private RunLock? Take(out string holder) => RunLock.TryTake(LockHolder.Server, LockHolder.Group, LockHolder.Id, out holder, _directory.FullName);
}
