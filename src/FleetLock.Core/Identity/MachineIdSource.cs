using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Text.RegularExpressions;
using Microsoft.Win32;

namespace FleetLock;

/// <summary>One place where an operating system keeps a machine id.</summary>
/// <param name="Name">The place, for people: a path, a registry key, a command.</param>
/// <param name="Read">Reads it; <see langword="null"/> when it is not there.</param>
public sealed record MachineIdSource(string Name, Func<string?> Read)
{
    private const string IoregArguments = "-rd1 -c IOPlatformExpertDevice";
    private const string CryptographyKey = @"SOFTWARE\Microsoft\Cryptography";

    /// <summary>The sources of the operating system that this runs on.</summary>
    /// <returns>The sources, best first.</returns>
    public static IReadOnlyList<MachineIdSource> OfThisMachine()
    {
        if (RuntimeInformation.IsOSPlatform(OSPlatform.Windows))
            return OfWindows(ReadRegistry);
        return RuntimeInformation.IsOSPlatform(OSPlatform.OSX) ? OfMacOS(RunIoreg) : OfLinux(ReadFile);
    }

    /// <summary>Linux: <c>/etc/machine-id</c>, then D-Bus's older file.</summary>
    /// <param name="readFile">Reads a file, or gives <see langword="null"/>.</param>
    /// <returns>The sources.</returns>
    public static IReadOnlyList<MachineIdSource> OfLinux(Func<string, string?> readFile) =>
    [
        new("/etc/machine-id", () => readFile("/etc/machine-id")),
        new("/var/lib/dbus/machine-id", () => readFile("/var/lib/dbus/machine-id")),
    ];

    /// <summary>Windows: <c>MachineGuid</c>, always from the 64-bit view, where a 32-bit process would not look by itself.</summary>
    /// <param name="readRegistry">Reads a value of the local machine's 64-bit view, by key and name, or gives <see langword="null"/>.</param>
    /// <returns>The source.</returns>
    public static IReadOnlyList<MachineIdSource> OfWindows(Func<string, string, string?> readRegistry) =>
        [new($@"HKLM\{CryptographyKey}\MachineGuid", () => readRegistry(CryptographyKey, "MachineGuid"))];

    /// <summary>macOS: <c>IOPlatformUUID</c>.</summary>
    /// <param name="runIoreg">Runs <c>ioreg</c> with these arguments and gives what it prints, or <see langword="null"/>.</param>
    /// <returns>The source.</returns>
    public static IReadOnlyList<MachineIdSource> OfMacOS(Func<string, string?> runIoreg) =>
        [new("ioreg " + IoregArguments, () => PlatformUuid(runIoreg(IoregArguments)))];

    private static string? PlatformUuid(string? ioreg)
    {
        var match = Regex.Match(ioreg ?? "", "\"IOPlatformUUID\"\\s*=\\s*\"([^\"]*)\"");
        return match.Success ? match.Groups[1].Value : null;
    }

    private static string? ReadFile(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    [SupportedOSPlatform("windows")]
    private static string? ReadRegistry(string key, string name)
    {
        using var machine = RegistryKey.OpenBaseKey(RegistryHive.LocalMachine, RegistryView.Registry64);
        using var opened = machine.OpenSubKey(key);
        return opened?.GetValue(name) as string;
    }

    private static string? RunIoreg(string arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo("/usr/sbin/ioreg", arguments)
            {
                RedirectStandardOutput = true,
                UseShellExecute = false,
            })!;
            var text = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return text;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }
}
