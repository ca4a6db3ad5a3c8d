using System.Management.Automation;
using System.Management.Automation.Language;
using System.Text.RegularExpressions;

namespace FleetLock.PowerShell.Completion;

/// <summary>Values that a server or a configuration tells → what Tab writes: those that fit, quoted where PowerShell needs it.</summary>
internal static class Suggestions
{
    // What PowerShell takes as it is in an argument. A dash at the beginning would be a parameter.
    private static readonly Regex Bare = new(@"^[A-Za-z0-9][A-Za-z0-9./:_-]*$");

    /// <summary>The values that begin with what is typed, or that it fits as a wildcard; case does not matter.</summary>
    /// <param name="typed">What is typed, with its quotes.</param>
    /// <param name="values">The values, each with what is to be said of it.</param>
    /// <returns>The results, each value once.</returns>
    internal static IEnumerable<CompletionResult> For(string typed, IEnumerable<(string Value, string About)> values)
    {
        var word = typed.Trim('\'', '"');
        return values
            .Where(one => Fits(one.Value, word))
            .GroupBy(one => one.Value, one => one.About)
            .Select(one => new CompletionResult(Quoted(one.Key), one.Key, CompletionResultType.ParameterValue, string.Join("; ", one)))
            .ToList();
    }

    private static bool Fits(string value, string word)
    {
        if (value.StartsWith(word, StringComparison.OrdinalIgnoreCase))
            return true;
        try
        {
            return WildcardPattern.Get(word + "*", WildcardOptions.IgnoreCase).IsMatch(value);
        }
        catch (WildcardPatternException)
        {
            // A bracket that is not closed yet.
            return false;
        }
    }

    private static string Quoted(string value) => Bare.IsMatch(value) ? value : $"'{CodeGeneration.EscapeSingleQuotedStringContent(value)}'";
}
