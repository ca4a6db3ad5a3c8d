using System.Runtime.InteropServices;

namespace FleetLock;

/// <summary>What a configuration is read from beside the caller's own settings: the environment, files, the machine. Injected by tests.</summary>
public sealed record Surroundings
{
    /// <summary>The environment variable that names the one configuration file to read.</summary>
    public const string FileVariable = "FLEETLOCK_CONFIG";

    private const string FileName = "config.json";

    /// <summary>Reads an environment variable. An empty one counts as not set.</summary>
    public Func<string, string?> Environment { get; init; } = System.Environment.GetEnvironmentVariable;

    /// <summary>Reads a file; <see langword="null"/> when it is not there.</summary>
    /// <exception cref="IOException">It is there and cannot be read.</exception>
    public Func<string, byte[]?> ReadFile { get; init; } = ReadIfThere;

    /// <summary>Finds this machine's id, and where it came from.</summary>
    public Func<(MachineId Id, string Source)> MachineId { get; init; } = () => FleetLock.MachineId.Find(MachineIdSource.OfThisMachine());

    /// <summary>The configuration files of this platform when <see cref="FileVariable"/> names none: the user's own first, then the machine's.</summary>
    /// <returns>The paths.</returns>
    public IReadOnlyList<string> Files()
    {
        if (RuntimeInformation.IsOSPlatform(OSPlatform.Windows))
        {
            return
            [
                Path.Combine(System.Environment.GetFolderPath(System.Environment.SpecialFolder.ApplicationData), "FleetLock", FileName),
                Path.Combine(System.Environment.GetFolderPath(System.Environment.SpecialFolder.CommonApplicationData), "FleetLock", FileName),
            ];
        }

        var files = new List<string>();
        if (Variable("XDG_CONFIG_HOME") is { } folder)
            files.Add(Path.Combine(folder, "fleetlock", FileName));
        else if (Variable("HOME") is { } home)
            files.Add(Path.Combine(home, ".config", "fleetlock", FileName));
        files.Add("/etc/fleetlock/" + FileName);
        return files;
    }

    internal string? Variable(string name) => Environment(name) is { Length: > 0 } value ? value : null;

    private static byte[]? ReadIfThere(string path)
    {
        // Asked first, because on most machines there is none, and an exception costs more than a request.
        if (!File.Exists(path))
            return null;

        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }
}
