using System.Globalization;

namespace FleetLock.TestKit;

/// <summary>
/// The signals that this process, and so every process that it starts, was told to ignore: a shell that starts the tests in the background ignores SIGINT
/// and SIGQUIT, and <c>nohup</c> SIGHUP.
/// </summary>
public static class IgnoredSignals
{
    private static readonly string[] Names = ["", "HUP", "INT", "QUIT"];

    /// <summary>Tells whether a signal is ignored, where that can be known.</summary>
    /// <param name="signal">Its name as <c>kill</c> takes it.</param>
    public static bool Contains(string signal)
    {
        const string name = "SigIgn:";
        var number = Array.IndexOf(Names, signal);
        if (number < 0 || !OperatingSystem.IsLinux())
            return false;
        var line = File.ReadLines("/proc/self/status").First(line => line.StartsWith(name, StringComparison.Ordinal));
        return (ulong.Parse(line.AsSpan(name.Length).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture) & (1UL << (number - 1))) != 0;
    }
}
