using System.Management.Automation;

namespace FleetLock.PowerShell.Commands;

/// <summary>
/// <c>Unlock-FleetGroup</c>: gives a slot back. It is a success too when the id holds none, so it is always safe. It takes
/// <c>Lock-FleetGroup</c>'s objects from the pipeline, and writes nothing unless <see cref="PassThru"/> is given.
/// </summary>
[Cmdlet(
    VerbsCommon.Unlock,
    "FleetGroup",
    DefaultParameterSetName = ByGroup,
    SupportsShouldProcess = true)]
[OutputType(typeof(FleetLockResult))]
public sealed class UnlockFleetGroupCommand : SlotCommandBase
{
    /// <summary>Makes the cmdlet.</summary>
    public UnlockFleetGroupCommand()
        : base(FleetLockOperation.Unlock)
    {
    }

    /// <summary>Writes the result of each release.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    private protected override void WriteSuccess(FleetLockResult result)
    {
        if (PassThru)
            WriteObject(result);
    }
}
