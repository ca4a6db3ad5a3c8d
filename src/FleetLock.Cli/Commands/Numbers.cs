using System.CommandLine.Parsing;
using System.Globalization;

namespace FleetLock.Cli.Commands;

/// <summary>Numbers on the command line, with errors for people: the parser's own name the .NET type.</summary>
internal static class Numbers
{
    internal static int Whole(ArgumentResult argument)
    {
        var text = argument.Tokens[^1].Value;
        if (!int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
            Refuse(argument, text, "a whole number");
        return number;
    }

    internal static double? Seconds(ArgumentResult argument)
    {
        var text = argument.Tokens[^1].Value;
        if (!double.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
            Refuse(argument, text, "a number of seconds");
        return number;
    }

    private static void Refuse(ArgumentResult argument, string text, string takes) =>
        argument.AddError($"'{ProtocolRules.Show(text)}' is no value for {((OptionResult)argument.Parent!).Option.Name}; it takes {takes}.");
}
