using System.Reflection;

namespace FleetLock.Server;

/// <summary>The server's version, as its assembly has it.</summary>
internal static class ServerVersion
{
    internal static readonly string Text = typeof(ServerVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;
}
