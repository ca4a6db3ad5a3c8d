using System.Management.Automation;
using FleetLock.PowerShell.Completion;

namespace FleetLock.PowerShell.Commands;

/// <summary><c>Get-FleetGroup</c>: the groups of a server that can tell, with their slots and who holds them.</summary>
[Cmdlet(VerbsCommon.Get, "FleetGroup")]
[OutputType(typeof(FleetGroup))]
public sealed class GetFleetGroupCommand : FleetServerCommandBase
{
    /// <summary>The groups, in the protocol's exact case, wildcards allowed; all that the server has if not given.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [TextOrProperty("Group")]
    [ArgumentCompleter(typeof(GroupCompleter))]
    public string[]? Group { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        try
        {
            var client = Connect(Resolve(null, null));
            var list = Await(client.GetGroupsAsync);
            WriteVerbose(FormattableString.Invariant($"Groups at {client.Server}: {list.Groups.Count}"));
            if (Advice.ForRestoredStore(list.Groups) is { } warning)
                WriteWarning(warning);
            foreach (var name in Group ?? ["*"])
            {
                var found = list.Groups.Where(IsNamed(name)).ToList();
                if (found.Count == 0 && !WildcardPattern.ContainsWildcardCharacters(name))
                    WriteError(ErrorRecords.NoSuchGroup(name, client.Server));
                else
                    WriteObject(found, enumerateCollection: true);
            }
        }
        catch (FleetLockInputException e)
        {
            WriteError(ErrorRecords.From(e));
        }
        catch (FleetGroupsException e)
        {
            WriteError(ErrorRecords.From(e, Group ?? ["*"]));
        }
    }

    private static Func<FleetGroup, bool> IsNamed(string name)
    {
        if (!WildcardPattern.ContainsWildcardCharacters(name))
            return group => group.Group == name;
        var pattern = WildcardPattern.Get(name, WildcardOptions.None);
        return group => pattern.IsMatch(group.Group);
    }
}
