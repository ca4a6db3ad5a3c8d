using System.Management.Automation;

namespace FleetLock.PowerShell.Commands;

/// <summary>
/// <c>Confirm-FleetStoreRestore</c>: confirms the content of a store that went back to an earlier state, such as a restored backup, so that its servers grant
/// again. An administrator's decision: the machines that were granted a slot after the backup was made are not in it.
/// </summary>
[Cmdlet(VerbsLifecycle.Confirm, "FleetStoreRestore", SupportsShouldProcess = true)]
[OutputType(typeof(void))]
public sealed class ConfirmFleetStoreRestoreCommand : FleetServerCommandBase
{
    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        try
        {
            var client = Connect(Resolve(null, null));
            if (!ShouldProcess($"the store of {client.Server}", "Confirm the restored content"))
                return;
            WriteVerbose(Await(client.ConfirmRestoreAsync)
                ? $"Confirmed the restored store of {client.Server}: its servers grant slots again."
                : $"There was nothing to confirm at {client.Server}: its store is not marked as restored.");
        }
        catch (FleetLockInputException e)
        {
            WriteError(ErrorRecords.From(e));
        }
        catch (FleetGroupsException e)
        {
            WriteError(ErrorRecords.From(e, string.Join(" ", Uri ?? [])));
        }
    }
}
