using System.Management.Automation;

namespace FleetLock.PowerShell.Commands;

/// <summary>
/// <c>Lock-FleetGroup</c>: takes a slot of a group. A slot that is granted is an object; anything else is an error and no object, so that
/// <c>if (Lock-FleetGroup …)</c> is safe.
/// </summary>
[Cmdlet(
    VerbsCommon.Lock,
    "FleetGroup",
    DefaultParameterSetName = ByGroup,
    SupportsShouldProcess = true)]
[OutputType(typeof(FleetLockResult))]
public sealed class LockFleetGroupCommand : SlotCommandBase
{
    /// <summary>Makes the cmdlet.</summary>
    public LockFleetGroupCommand()
        : base(FleetLockOperation.Lock)
    {
    }

    private protected override void WriteSuccess(FleetLockResult result) => WriteObject(result);
}
