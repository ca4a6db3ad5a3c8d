using System.Text;

namespace FleetLock.Core.Tests;

/// <summary>Surroundings made of a few variables and files.</summary>
internal sealed class FileSystem
{
    internal const string Home = "/home/op";
    internal const string UserFile = "/home/op/.config/fleetlock/config.json";
    internal const string MachineFile = "/etc/fleetlock/config.json";

    public Dictionary<string, string> Variables { get; } = new() { ["HOME"] = Home };

    public Dictionary<string, byte[]> Files { get; } = [];

    public List<string> Asked { get; } = [];

    public Surroundings Surroundings => new()
    {
        Environment = name => Variables.GetValueOrDefault(name),
        ReadFile = Read,
        MachineId = () => (MachineId.Parse("dfd7882acda64c34aca76193c46f5d4e"), "/etc/machine-id"),
    };

    public FileSystem With(string path, string text)
    {
        Files[path] = Encoding.UTF8.GetBytes(text);
        return this;
    }

    public FleetLockConfiguration Resolve(FleetLockSettings? given = null) => FleetLockConfiguration.Resolve(given ?? new FleetLockSettings(), Surroundings);

    private byte[]? Read(string path)
    {
        Asked.Add(path);
        return path.EndsWith("unreadable", StringComparison.Ordinal) ? throw new UnauthorizedAccessException("Permission denied.") : Files.GetValueOrDefault(path);
    }
}
