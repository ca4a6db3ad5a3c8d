using System.CommandLine;
using System.Text.Json;
using FleetLock.Cli.Running;

namespace FleetLock.Cli.Commands;

/// <summary><c>status</c>: the groups of a server that can tell.</summary>
internal static class StatusCommand
{
    internal static Command Create(ClientOptions before)
    {
        var output = OutputOption.Create();
        var command = new Command("status", "Show the groups, their slots and who holds them.") { output };
        var options = new ConnectionOptions(before);
        options.HideId();
        options.AddTo(command);
        command.SetAction(async (parsed, _) =>
        {
            using var signals = new SignalWatch();
            var configuration = options.Resolve(parsed);
            var group = options.Group(parsed);
            if (group is not null)
                ProtocolRules.RequireGroup(group);
            using var client = options.Connect(parsed, configuration);
            return await RunAsync(client, group, OutputOption.IsJson(parsed, output), signals.Interrupted);
        });
        return command;
    }

    private static async Task<int> RunAsync(FleetLockClient client, string? group, bool asJson, CancellationToken interrupted)
    {
        FleetGroupList list;
        try
        {
            list = await client.GetGroupsAsync(interrupted);
        }
        catch (FleetGroupsException e)
        {
            Terminal.Error(e.Message);
            return ExitCodes.Of(e.Status);
        }

        if (group is not null)
        {
            list = new FleetGroupList([.. list.Groups.Where(candidate => candidate.Group == group)]);
            if (list.Groups.Count == 0)
            {
                Terminal.Error($"{client.Server} has no group '{group}'.");
                return ExitCodes.NoPermission;
            }
        }

        if (asJson)
            Console.Out.WriteLine(JsonSerializer.Serialize(list, GroupJson.Default.FleetGroupList));
        else
            GroupTable.Write(list.Groups);
        if (Advice.ForRestoredStore(list.Groups) is { } warning)
            Terminal.Say("Warning: " + warning);
        return ExitCodes.Success;
    }
}
