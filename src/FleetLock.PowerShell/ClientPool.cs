using System;
using System.Collections.Concurrent;

namespace FleetLock.PowerShell;

/// <summary>
/// One client per server and time-out for the whole session, so that cmdlets share connections: one that was made and disposed of for each
/// call would leave a trail of closing ports. The clients have no state but their connections, so runspaces may share them.
/// </summary>
internal static class ClientPool
{
    private static readonly ConcurrentDictionary<(ServerAddress Server, TimeSpan Timeout), Lazy<FleetLockClient>> Clients = new();

    internal static FleetLockClient Get(ServerAddress server, TimeSpan timeout) => Clients.GetOrAdd(
        (server, timeout),
        static key => new Lazy<FleetLockClient>(() => new FleetLockClient(new FleetLockClientOptions { Server = key.Server, Timeout = key.Timeout }))).Value;
}
