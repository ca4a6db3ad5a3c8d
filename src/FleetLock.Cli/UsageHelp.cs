using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using FleetLock.Cli.Commands;

namespace FleetLock.Cli;

/// <summary>The parser's help, except that it puts the arguments of <c>run</c> before the options and does not know "--".</summary>
internal sealed class UsageHelp(HelpAction inner) : SynchronousCommandLineAction
{
    public override int Invoke(ParseResult parseResult)
    {
        if (parseResult.CommandResult.Command.Name != RunCommand.Name)
            return inner.Invoke(parseResult);

        var output = parseResult.InvocationConfiguration.Output;
        using var text = new StringWriter();
        parseResult.InvocationConfiguration.Output = text;
        var exitCode = inner.Invoke(parseResult);
        parseResult.InvocationConfiguration.Output = output;
        output.Write(text.ToString().Replace("run <command>... [options]", RunCommand.Usage, StringComparison.Ordinal));
        return exitCode;
    }
}
