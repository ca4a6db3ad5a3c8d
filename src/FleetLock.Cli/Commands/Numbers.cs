using System.CommandLine.Parsing;
using System.Globalization;

namespace FleetLock.Cli.Commands;

/// <summary>Numbers on the command line, with errors for people: the parser's own name the .NET type.</summary>
internal static class Numbers
{
    internal static int Whole(ArgumentResult argument) => Whole(argument, int.MinValue, int.MaxValue);

    /// <summary>A whole number from <paramref name="least"/> to <paramref name="most"/>; the extremes of an int are no limits.</summary>
    internal static int Whole(ArgumentResult argument, int least, int most)
    {
        var text = argument.Tokens[^1].Value;
        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most)
            return number;

        var from = least == int.MinValue ? "" : string.Create(CultureInfo.InvariantCulture, $" from {least}");
        var to = most == int.MaxValue ? "" : string.Create(CultureInfo.InvariantCulture, $" to {most}");
        Refuse(argument, text, $"a whole number{from}{to}");
        return default;
    }

    internal static double? Seconds(ArgumentResult argument)
    {
        var text = argument.Tokens[^1].Value;
        if (!double.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
            Refuse(argument, text, "a number of seconds");
        return number;
    }

    private static void Refuse(ArgumentResult argument, string text, string rule)
    {
        var name = argument.Parent is OptionResult { Option.Name: var option } ? option : argument.Argument.Name;
        argument.AddError($"'{ProtocolRules.Show(text)}' is not a valid value for {name}; it must be {rule}.");
    }
}
