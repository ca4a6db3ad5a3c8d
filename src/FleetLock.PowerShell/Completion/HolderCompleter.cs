using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace FleetLock.PowerShell.Completion;

/// <summary>Completes an id from those that hold a slot at the server in force: of the groups that are typed, or of all.</summary>
internal sealed class HolderCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        var groups = LanguagePrimitives.TryConvertTo<string[]>(fakeBoundParameters["Group"], out var typed) && typed is { Length: > 0 } ? typed : null;

        // No id that has to be refused, nor one that would steer the terminal when it is shown.
        return Suggestions.For(
            wordToComplete,
            from known in ServerInForce.Groups(fakeBoundParameters)
            where groups is null || Array.IndexOf(groups, known.Group) >= 0
            from holder in known.Holders
            where ProtocolRules.FaultOfId(holder.Id) is null
            select (holder.Id, $"holds a slot of {ProtocolRules.Show(known.Group)}"));
    }
}
