using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Text;

namespace FleetLock.Cli.Running;

/// <summary>
/// What this process was started with before the .NET runtime changed it: the runtime ignores SIGPIPE, handles SIGTERM and SIGCHLD, and
/// raises the soft limit of open files to the hard one. Nothing in this process has the former values, so they are those of its parent.
/// </summary>
[UnsupportedOSPlatform("windows")]
internal static partial class CallerState
{
    /// <summary>Of <see cref="ReadSoftLimit"/>: the limit stays as it is.</summary>
    internal const ulong Unchanged = ulong.MaxValue;

    private const int Quit = 3;
    private const int Pipe = 13;
    private const int Terminate = 15;
    private const int FileSize = 25;

    // As Linux numbers them; macOS has other numbers for these two.
    private static readonly int Child = OperatingSystem.IsMacOS() ? 20 : 17;
    private static readonly int TerminalStop = OperatingSystem.IsMacOS() ? 18 : 20;

    /// <summary>The signals that were ignored, one bit each, signal 1 in the lowest.</summary>
    internal static ulong ReadIgnoredSignals()
    {
        // The runtime leaves a signal ignored that was ignored, except for these.
        var own = ReadOwnIgnored() & ~Bit(Pipe);
        var parent = ReadIgnored(GetParent());
        return own | (parent & LostSignals(parent & ~own));
    }

    /// <summary>
    /// The soft limit of open files. systemd and sudo change their own and give their children another: systemd's default, and that of
    /// sudo's parent.
    /// </summary>
    internal static ulong ReadSoftLimit()
    {
        // macOS has no call for the limits of another process.
        if (!OperatingSystem.IsLinux() || ReadLimits("self") is not (_, var hard))
            return Unchanged;

        var parent = GetParent();
        while (ReadName(parent) == "sudo" && FindParent(parent) is { } next)
            parent = next;
        var isKnown = ReadName(parent) is { } name && name != "systemd";
        return isKnown && ReadLimits(Text(parent)) is (var soft, _) ? Math.Min(soft, hard) : SoftLimitOfService(hard);
    }

    /// <summary>systemd's default hard limit is 512 Ki. Where LimitNOFILE= or a container sets one number, it is both limits.</summary>
    internal static ulong SoftLimitOfService(ulong hard)
    {
        const ulong defaultHard = 512 * 1024;
        const ulong defaultSoft = 1024;
        return hard == defaultHard ? defaultSoft : hard;
    }

    /// <summary>
    /// The signals whose former state is the parent's. For itself alone Python ignores SIGPIPE and SIGXFSZ, and an interactive shell
    /// SIGTERM, SIGQUIT and SIGTSTP: where this process did not inherit the one, it did not inherit the other.
    /// </summary>
    /// <param name="reset">What the parent ignores, and this process does not.</param>
    private static ulong LostSignals(ulong reset)
    {
        var lost = (reset & Bit(FileSize)) == 0 ? Bit(Pipe) : 0;
        return (reset & (Bit(Quit) | Bit(TerminalStop))) == 0 ? lost | Bit(Terminate) | Bit(Child) : lost;
    }

    private static ulong Bit(int signal) => 1UL << (signal - 1);

    private static ulong ReadOwnIgnored()
    {
        const nint ignore = 1;
        const int signals = 64;
        var ignored = 0UL;

        // struct sigaction begins with the handler everywhere.
        Span<nint> action = stackalloc nint[64];
        for (var signal = 1; signal <= signals; signal++)
        {
            if (GetAction(signal, 0, ref MemoryMarshal.GetReference(action)) == 0 && action[0] == ignore)
                ignored |= Bit(signal);
        }

        return ignored;
    }

    private static ulong ReadIgnored(int process)
    {
        if (OperatingSystem.IsMacOS())
            return ReadIgnoredOnMac(process);
        var field = ReadField(process, "SigIgn:");
        return ulong.TryParse(field, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var signals) ? signals : 0;
    }

    /// <summary>sysctl(CTL_KERN, KERN_PROC, KERN_PROC_PID) gives a struct kinfo_proc, which begins with a struct extern_proc.</summary>
    private static ulong ReadIgnoredOnMac(int process)
    {
        const int ignoredOffset = 232;
        Span<int> name = [1, 14, 1, process];
        Span<byte> found = stackalloc byte[1024];
        var length = (nuint)found.Length;
        ref var start = ref MemoryMarshal.GetReference(found);
        var result = Control(ref MemoryMarshal.GetReference(name), (uint)name.Length, ref start, ref length, 0, 0);
        return result == 0 && length > ignoredOffset + sizeof(uint) ? MemoryMarshal.Read<uint>(found[ignoredOffset..]) : 0;
    }

    private static int? FindParent(int process) =>
        int.TryParse(ReadField(process, "PPid:"), NumberStyles.None, CultureInfo.InvariantCulture, out var parent) ? parent : null;

    private static string? ReadName(int process) => ReadField(process, "Name:");

    /// <summary>
    /// A field of a process; <see langword="null"/> when it cannot be seen: the parent of a container's first process, or one of
    /// another user.
    /// </summary>
    private static string? ReadField(int process, string name) => FindLine($"/proc/{Text(process)}/status", name)?.Trim();

    private static (ulong Soft, ulong Hard)? ReadLimits(string process)
    {
        var words = FindLine($"/proc/{process}/limits", "Max open files ")?.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return words is [var soft, var hard, ..] ? (ParseLimit(soft), ParseLimit(hard)) : null;
    }

    private static ulong ParseLimit(string word) =>
        ulong.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) ? limit : Unchanged;

    /// <summary>What follows a name at the beginning of a line.</summary>
    private static string? FindLine(string path, string name) =>
        Array.Find(ReadLines(path), line => line.StartsWith(name, StringComparison.Ordinal))?[name.Length..];

    private static string[] ReadLines(string path)
    {
        try
        {
            // Latin-1: a process may have any name.
            return File.ReadAllLines(path, Encoding.Latin1);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    [LibraryImport("libc", EntryPoint = "getppid")]
    private static partial int GetParent();

    [LibraryImport("libc", EntryPoint = "sigaction")]
    private static partial int GetAction(int signal, nint action, ref nint current);

    [LibraryImport("libc", EntryPoint = "sysctl")]
    private static partial int Control(ref int name, uint nameLength, ref byte old, ref nuint oldLength, nint value, nuint valueLength);
}
