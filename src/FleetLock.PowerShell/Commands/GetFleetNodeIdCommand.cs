using System.Management.Automation;

namespace FleetLock.PowerShell.Commands;

/// <summary><c>Get-FleetNodeId</c>: this machine's node id, the same as Zincati's; or another machine's, from its machine id.</summary>
[Cmdlet(
    VerbsCommon.Get,
    "FleetNodeId",
    DefaultParameterSetName = Derived)]
[OutputType(typeof(string))]
public sealed class GetFleetNodeIdCommand : FleetLockCommandBase
{
    private const string Derived = "Derived";
    private const string Unchanged = "Raw";

    /// <summary>The machine ids to derive from, 32 hexadecimal digits each; this machine's if not given.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNull]
    [TextOrProperty("MachineId")]
    public string[]? MachineId { get; set; }

    /// <summary>The application id to derive with, 32 hexadecimal digits; Zincati's if not given.</summary>
    [Parameter(ParameterSetName = Derived, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNull]
    public string? ApplicationId { get; set; }

    /// <summary>Writes the machine id itself, which should not leave the machine (machine-id(5)).</summary>
    [Parameter(ParameterSetName = Unchanged, Mandatory = true)]
    public SwitchParameter Raw { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (var given in MachineId ?? [null!])
        {
            if (TryGet(given) is { } id)
                WriteObject(id);
        }
    }

    private string? TryGet(string? given)
    {
        try
        {
            var machineId = given is null ? FleetLock.MachineId.Find(MachineIdSource.OfThisMachine()).Id : FleetLock.MachineId.Parse(given);
            return Raw ? machineId.ToString() : NodeId.Derive(machineId, ApplicationId);
        }
        catch (FleetLockInputException e)
        {
            WriteError(ErrorRecords.From(e));
            return null;
        }
    }
}
