using System.CommandLine;

namespace FleetLock.Cli.Commands;

/// <summary><c>--output table|json</c>, of every command that prints more than a line.</summary>
internal static class OutputOption
{
    internal const string Json = "json";

    private const string Table = "table";

    internal static Option<string> Create()
    {
        var output = CreateSilent("table or json.");
        output.DefaultValueFactory = _ => Table;
        return output;
    }

    /// <summary>The same for a command that prints nothing unless it is told to.</summary>
    internal static Option<string> CreateSilent(string description)
    {
        var output = new Option<string>("--output", "-o") { Description = description, HelpName = "FORMAT" };
        output.AcceptOnlyFromAmong(Table, Json);
        return output;
    }

    internal static bool IsJson(ParseResult parsed, Option<string> output) => parsed.GetValue(output) == Json;
}
