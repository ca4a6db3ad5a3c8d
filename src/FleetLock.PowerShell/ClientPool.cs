using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;

namespace FleetLock.PowerShell;

/// <summary>
/// One client per set of options for the whole session, so that cmdlets share connections: one that was made and disposed of for each
/// call would leave a trail of closing ports. The clients have no state but their connections, so runspaces may share them.
/// </summary>
internal static class ClientPool
{
    private static readonly ConcurrentDictionary<Key, Lazy<FleetLockClient>> Clients = new();

    /// <summary>The client for these options.</summary>
    /// <param name="options">The options.</param>
    /// <returns>The client; not to be disposed of.</returns>
    /// <exception cref="FleetLockInputException">A header cannot be used.</exception>
    internal static FleetLockClient Get(FleetLockClientOptions options) =>
        Clients.GetOrAdd(Key.Of(options), static (_, made) => new Lazy<FleetLockClient>(() => new FleetLockClient(made)), options).Value;

    /// <summary>The options by value: certificates by their thumbprints, the rest by its text.</summary>
    private sealed record Key(ServerAddress Server, ServerList OtherServers, TimeSpan Timeout, string Trust, string Secrets, string Route)
    {
        internal static Key Of(FleetLockClientOptions options) => new(
            options.Server,
            new ServerList(options.OtherServers),
            options.Timeout,
            $"{Joined(options.CaCertificates?.Cast<X509Certificate2>().Select(authority => authority.Thumbprint))}\n{options.SkipCertificateCheck}",
            $"{options.Token}\n{options.Credential?.UserName}\n{options.Credential?.Password}\n{options.ClientCertificate?.Thumbprint}",
            $"{options.Proxy}\n{options.NoProxy}\n{Joined(options.Headers?.Select(header => $"{header.Key}: {header.Value}"))}");

        /// <summary>Nothing, because there are secrets in it.</summary>
        public override string ToString() => nameof(Key);

        private static string Joined(IEnumerable<string>? texts) => texts is null ? "" : string.Join("\n", texts);
    }

    /// <summary>Servers by value.</summary>
    private sealed class ServerList(IReadOnlyList<ServerAddress> servers) : IEquatable<ServerList>
    {
        private readonly IReadOnlyList<ServerAddress> _servers = servers;

        public bool Equals(ServerList? other) => other is not null && _servers.SequenceEqual(other._servers);

        public override bool Equals(object? obj) => Equals(obj as ServerList);

        public override int GetHashCode() => _servers.Count;
    }
}
