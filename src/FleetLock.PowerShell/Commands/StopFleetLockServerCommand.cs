using System.Management.Automation;

namespace FleetLock.PowerShell.Commands;

/// <summary><c>Stop-FleetLockServer</c>: stops servers that <c>Start-FleetLockServer</c> started. What is in flight is finished.</summary>
[Cmdlet(VerbsLifecycle.Stop, "FleetLockServer", SupportsShouldProcess = true)]
[OutputType(typeof(void))]
public sealed class StopFleetLockServerCommand : FleetLockCommandBase
{
    /// <summary>The servers. One that has ended already is no fault.</summary>
    [Parameter(Position = 0, Mandatory = true, ValueFromPipeline = true)]
    [ValidateNotNull]
    public LocalServer[] Server { get; set; } = [];

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (var server in Server)
        {
            if (!ShouldProcess($"FleetLock server {server.Uri}, process {server.ProcessId}", "Stop"))
                continue;
            Await(async token =>
            {
                await server.StopAsync(token).ConfigureAwait(false);
                return true;
            });
            WriteVerbose(FormattableString.Invariant($"Server {server.Uri}, process {server.ProcessId}: ended with exit code {server.ExitCode}"));
        }
    }
}
