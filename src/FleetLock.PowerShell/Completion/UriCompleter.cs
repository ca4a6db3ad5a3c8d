using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace FleetLock.PowerShell.Completion;

/// <summary>Completes a server's address from the configuration: the environment or a file.</summary>
internal sealed class UriCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        try
        {
            // As it may be shown: a password in it is not written to a command line.
            var url = FleetLockConfiguration.Resolve().Url;
            return url.Shown is { } shown && TerminalText.IsPrintable(shown) ? Suggestions.For(wordToComplete, [(shown, url.Source)]) : [];
        }
        catch (FleetLockInputException)
        {
            return [];
        }
    }
}
