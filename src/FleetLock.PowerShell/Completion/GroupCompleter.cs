using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace FleetLock.PowerShell.Completion;

/// <summary>Completes a group from the groups of the server in force.</summary>
internal sealed class GroupCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters) =>
        Suggestions.For(
            wordToComplete,
            from known in ServerInForce.Groups(fakeBoundParameters)
            where ProtocolRules.FaultOfGroup(known.Group) is null
            select (known.Group, $"{known.Free} of {known.Slots} slots free"));
}
