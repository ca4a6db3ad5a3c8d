using System.CommandLine;
using System.Text.Json;
using FleetLock.Cli.Running;

namespace FleetLock.Cli.Commands;

/// <summary><c>set-slots</c>: changes a group's number of slots while the server runs.</summary>
internal static class SetSlotsCommand
{
    internal static Command Create(ClientOptions before)
    {
        var slots = new Argument<int>("SLOTS")
        {
            Description = "How many may hold a slot at the same time; 0 grants nobody.",
            CustomParser = argument => Numbers.Whole(argument, 0, int.MaxValue),
        };
        var output = OutputOption.Create();
        var command = new Command("set-slots", "Change a group's number of slots, until the server's configuration says another. No holder is lost.") { slots, output };
        var options = new ConnectionOptions(before);
        options.HideId();
        options.AddTo(command);
        command.SetAction(async (parsed, _) =>
        {
            using var signals = new SignalWatch();
            var configuration = options.Resolve(parsed);
            using var client = options.Connect(parsed, configuration);
            try
            {
                var group = await client.ResizeAsync(configuration.RequireGroup(), parsed.GetValue(slots), signals.Interrupted);
                if (OutputOption.IsJson(parsed, output))
                    Console.Out.WriteLine(JsonSerializer.Serialize(group, GroupJson.Default.FleetGroup));
                else
                    GroupTable.Write([group]);
                return ExitCodes.Success;
            }
            catch (FleetGroupsException e)
            {
                Terminal.Error(e.Message);
                return ExitCodes.Of(e.Status);
            }
        });
        return command;
    }
}
