using System.CommandLine;

namespace FleetLock.Cli.Commands;

/// <summary><c>--output table|json</c>, of every command that prints more than a line.</summary>
internal static class OutputOption
{
    internal static Option<string> Create()
    {
        var output = new Option<string>("--output", "-o") { Description = "table or json.", DefaultValueFactory = _ => "table", HelpName = "FORMAT" };
        output.AcceptOnlyFromAmong("table", "json");
        return output;
    }

    internal static bool IsJson(ParseResult parsed, Option<string> output) => parsed.GetValue(output) == "json";
}
