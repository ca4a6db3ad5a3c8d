using System.Collections;
using System.Management.Automation;

namespace FleetLock.PowerShell.Commands;

/// <summary>
/// <c>Start-FleetLockServer</c>: a server of one's own as a child process, for a lab, a CI job or a first try. It answers when the cmdlet
/// returns, and ends with the session, however that ends, unless it is detached.
/// </summary>
[Cmdlet(
    VerbsLifecycle.Start,
    "FleetLockServer",
    DefaultParameterSetName = OnDisk,
    SupportsShouldProcess = true)]
[OutputType(typeof(LocalServer))]
public sealed class StartFleetLockServerCommand : FleetLockCommandBase
{
    private const string OnDisk = "DataPath";
    private const string OnEtcd = "Etcd";

    /// <summary>The groups and their slots: <c>@{ controllers = 1 }</c>. If not given, those of the configuration file, or <c>default</c> with 1.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true)]
    [ValidateNotNull]
    public IDictionary? Group { get; set; }

    /// <summary>The port of 127.0.0.1; a free one if not given, or where the configuration file says.</summary>
    [Parameter]
    [ValidateRange(0, 65535)]
    public int? Port { get; set; }

    /// <summary>The SQLite file that keeps slots and holders. If not given, nothing is kept: all slots are free again when the server stops.</summary>
    [Parameter(ParameterSetName = OnDisk)]
    [ValidateNotNullOrEmpty]
    public string? DataPath { get; set; }

    /// <summary>The URLs of an etcd that keeps slots and holders.</summary>
    [Parameter(ParameterSetName = OnEtcd, Mandatory = true)]
    [ValidateNotNullOrEmpty]
    public string[]? Etcd { get; set; }

    /// <summary>A configuration file of the server; what is given beside it goes before what it says.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? ConfigPath { get; set; }

    /// <summary>Lets the server outlive the session. It then needs a place that keeps its slots; from another session its process is ended with Stop-Process.</summary>
    [Parameter]
    public SwitchParameter Detached { get; set; }

    private static string Program => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(typeof(StartFleetLockServerCommand).Assembly.Location)!, "..", "server", "fleetlockctl.dll"));

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (Detached && DataPath is null && Etcd is null && ConfigPath is null)
            ThrowTerminatingError(ErrorRecords.From(new FleetLockInputException("data", "A detached server outlives this session, and so must its slots: give -DataPath, -Etcd or -ConfigPath.")));
        var arguments = Arguments().ToList();
        if (!ShouldProcess($"FleetLock server: {string.Join(" ", arguments)}", "Start"))
            return;
        try
        {
            var server = StartServer(new LocalServerOptions { Program = Program, Arguments = arguments, IsDetached = Detached });
            WriteObject(server);
            WriteVerbose(FormattableString.Invariant($"Server {server.Uri}, process {server.ProcessId}: {server.Description}"));
        }
        catch (LocalServerException e)
        {
            ThrowTerminatingError(ErrorRecords.From(e, Program));
        }
    }

    private LocalServer StartServer(LocalServerOptions options)
    {
        LocalServer? server = null;
        try
        {
            return Await(async token => server = await LocalServer.StartAsync(options, token).ConfigureAwait(false));
        }
        catch when (server is not null)
        {
            // Stopped between the start and the return: nobody would know of it.
            Task.Run(() => server.StopAsync(new CancellationToken(canceled: true))).GetAwaiter().GetResult();
            throw;
        }
    }

    private IEnumerable<string> Arguments()
    {
        var options = new List<(string Name, string? Value)>
        {
            ("--config", FullPath(ConfigPath)),
            ("--listen", Port is not null || ConfigPath is null ? FormattableString.Invariant($"http://127.0.0.1:{Port ?? 0}") : null),
            ("--etcd", Etcd is null ? null : string.Join(",", Etcd)),
            ("--data", FullPath(DataPath) ?? (Etcd is null && ConfigPath is null ? ":memory:" : null)),
        };
        foreach (DictionaryEntry group in Group ?? new Hashtable())
            options.Add(("--group", FormattableString.Invariant($"{group.Key}={group.Value}")));
        return options.Where(option => option.Value is not null).SelectMany(option => new[] { option.Name, option.Value! });
    }
}
