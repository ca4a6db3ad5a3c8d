namespace FleetLock.Cli.Running;

/// <summary>How a command ended.</summary>
/// <param name="Started">Whether it ran at all.</param>
/// <param name="ExitCode">Its exit code, or the one that says why it did not run.</param>
internal readonly record struct ChildEnd(bool Started, int ExitCode)
{
    internal static ChildEnd NotStarted(int exitCode) => new(false, exitCode);
}
