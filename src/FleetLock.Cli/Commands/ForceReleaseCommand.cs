using System.CommandLine;
using System.Text.Json;
using FleetLock.Cli.Running;

namespace FleetLock.Cli.Commands;

/// <summary><c>force-release</c>: an operator frees the slot of a machine that does not do it itself. Not to be mistaken for <c>unlock-if-held</c>.</summary>
internal static class ForceReleaseCommand
{
    internal static Command Create(ClientOptions before)
    {
        var reason = new Option<string>("--reason") { Description = "Why, for the server's log.", Required = true, HelpName = "TEXT" };
        var output = OutputOption.Create();
        var command = new Command("force-release", "Free the slot of another machine that is broken or gone. Be sure that it is: it may go on as if it held the slot.") { reason, output };
        var options = new ConnectionOptions(before);
        options.DescribeId("The node id of that machine.");
        options.AddTo(command);
        command.SetAction(async (parsed, _) =>
        {
            using var signals = new SignalWatch();

            // Never this machine's own id by default.
            if (options.Id(parsed) is not { } id)
                throw new UsageException("A forced release names the machine: --id ID.");
            var configuration = options.Resolve(parsed);
            using var client = options.Connect(parsed, configuration);
            var result = await client.ForceReleaseAsync(configuration.RequireGroup(), id, parsed.GetValue(reason)!, signals.Interrupted);
            if (result.Holder is not { } holder)
                Terminal.Error(new FleetLockException(result).Message);
            else if (OutputOption.IsJson(parsed, output))
                Console.Out.WriteLine(JsonSerializer.Serialize(holder, GroupJson.Default.FleetHolder));
            else
                GroupTable.Write(holder);
            return ExitCodes.Of(result);
        });
        return command;
    }
}
