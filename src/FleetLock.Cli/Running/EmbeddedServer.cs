using FleetLock.Server;

namespace FleetLock.Cli.Running;

/// <summary>
/// A server in this process, on a SQLite file that other processes may have open too: no server of one's own is needed for a first try or a
/// lab.
/// </summary>
internal static class EmbeddedServer
{
    /// <summary>The store's file when none is named.</summary>
    internal static string DefaultData() => StateDirectory.File("embedded.db");

    /// <summary>The semaphore of a data file: the file itself and not a name of it, or two runs by two names would both get in.</summary>
    /// <param name="data">The SQLite file, which exists.</param>
    internal static RunScope ScopeOf(string data)
    {
        var file = new FileInfo(data);
        return new RunScope(file.ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? file.FullName, SqliteStore.IdentifyFile(data));
    }

    /// <summary>Starts it on a free port of loopback.</summary>
    /// <param name="data">The SQLite file.</param>
    /// <param name="allowNetworkFilesystem">Whether that may be on a network file system.</param>
    /// <param name="group">The one group.</param>
    /// <param name="slots">The group's slots.</param>
    /// <param name="cancellationToken">A token to cancel the operation.</param>
    /// <returns>The server.</returns>
    internal static Task<FleetLockServer> StartAsync(
        string data,
        bool allowNetworkFilesystem,
        string group,
        int slots,
        CancellationToken cancellationToken) => FleetLockServer.StartAsync(
        new FleetLockServerOptions
        {
            Groups = new Dictionary<string, int> { [group] = slots },
            Store = new SqliteStore(data) { AllowNetworkFileSystem = allowNetworkFilesystem },
            Listen = new Uri("http://127.0.0.1:0"),
        },
        cancellationToken);
}
