using System.Management.Automation;
using FleetLock.PowerShell.Completion;

namespace FleetLock.PowerShell.Commands;

/// <summary><c>Set-FleetGroup</c>: changes a group's number of slots while the server runs, until its configuration says another. No holder is lost.</summary>
[Cmdlet(VerbsCommon.Set, "FleetGroup", SupportsShouldProcess = true)]
[OutputType(typeof(FleetGroup))]
public sealed class SetFleetGroupCommand : FleetServerCommandBase
{
    /// <summary>The groups.</summary>
    [Parameter(Position = 0, Mandatory = true, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    [TextOrProperty("Group")]
    [ArgumentCompleter(typeof(GroupCompleter))]
    public string[] Group { get; set; } = [];

    /// <summary>How many may hold a slot at the same time; 0 grants nobody.</summary>
    [Parameter(Position = 1, Mandatory = true)]
    [ValidateRange(0, int.MaxValue)]
    public int Slots { get; set; }

    /// <summary>Writes each group as it is then.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (var group in Group)
            Resize(group);
    }

    private void Resize(string group)
    {
        try
        {
            var configuration = Resolve(group, null);
            var client = Connect(configuration);
            var name = configuration.RequireGroup();
            if (!ShouldProcess($"group '{name}' at {client.Server}", $"Set the number of slots to {Slots}"))
                return;
            var resized = Await(token => client.ResizeAsync(name, Slots, token));
            WriteVerbose(FormattableString.Invariant($"Group '{name}' at {client.Server}: {resized.Slots} slots, {resized.Free} of them free"));
            if (PassThru)
                WriteObject(resized);
        }
        catch (FleetLockInputException e)
        {
            WriteError(ErrorRecords.From(e));
        }
        catch (FleetGroupsException e)
        {
            WriteError(ErrorRecords.From(e, group));
        }
    }
}
