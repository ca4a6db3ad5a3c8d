using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace FleetLock.Cli.Running;

/// <summary>The few calls of POSIX that .NET has no name for.</summary>
[UnsupportedOSPlatform("windows")]
internal static partial class UnixProcess
{
    private const int StandardInput = 0;

    /// <summary>Sends a signal; a process that has ended is no fault.</summary>
    /// <param name="processId">The process.</param>
    /// <param name="signal">The signal.</param>
    internal static void Signal(int processId, PosixSignal signal) => _ = Kill(processId, Number(signal));

    /// <summary>Tells whether the terminal sends its signals (Ctrl+C) to this process's group, and so to its child as well.</summary>
    /// <returns>True when standard input is the terminal and this process is in its foreground.</returns>
    internal static bool IsInForeground() => GetForegroundGroup(StandardInput) == GetGroup();

    /// <summary>Makes this process the first of a session of its own, away from the terminal and its signals. If it is the first of a group already, nothing changes.</summary>
    internal static void LeaveTerminal() => _ = SetSession();

    /// <summary>Whether a descriptor was open when this process was started: what it opens itself is closed when it executes another.</summary>
    internal static bool IsInherited(int descriptor)
    {
        const int closeOnExecute = 1;
        return GetDescriptorFlags(descriptor) is >= 0 and var flags && (flags & closeOnExecute) == 0;
    }

    private static int GetDescriptorFlags(int descriptor)
    {
        const int getFlags = 1;
        return ControlDescriptor(descriptor, getFlags);
    }

    private static int Number(PosixSignal signal) => signal switch
    {
        PosixSignal.SIGHUP => 1,
        PosixSignal.SIGINT => 2,
        PosixSignal.SIGQUIT => 3,
        PosixSignal.SIGTERM => 15,
        _ => (int)signal,
    };

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int processId, int signal);

    [LibraryImport("libc", EntryPoint = "tcgetpgrp")]
    private static partial int GetForegroundGroup(int descriptor);

    [LibraryImport("libc", EntryPoint = "setsid")]
    private static partial int SetSession();

    // This command of fcntl takes no third argument, which not every platform passes to a variadic function as to any other.
    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int ControlDescriptor(int descriptor, int command);

    [LibraryImport("libc", EntryPoint = "getpgrp")]
    private static partial int GetGroup();
}
