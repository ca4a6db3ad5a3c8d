using System;
using System.CommandLine;
using System.Globalization;
using System.Linq;
using System.Net.Http;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
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
        options.AddTo(command);
        command.SetAction(async (parsed, _) =>
        {
            using var signals = new SignalWatch();
            var configuration = options.Resolve(parsed);
            var group = options.Group(parsed);
            if (group is not null)
                ProtocolRules.RequireGroup(group);
            using var client = options.Connect(parsed, configuration);
            return await RunAsync(client, group, OutputOption.IsJson(parsed, output), signals.Interrupted).ConfigureAwait(false);
        });
        return command;
    }

    private static async Task<int> RunAsync(FleetLockClient client, string? group, bool asJson, CancellationToken interrupted)
    {
        var server = client.Server;
        FleetGroupList? list;
        try
        {
            list = await client.GetGroupsAsync(interrupted).ConfigureAwait(false);
        }
        catch (Exception e) when (e is HttpRequestException or TimeoutException)
        {
            Terminal.Error($"{server} cannot be reached: {TerminalText.Clean(e.Message)}");
            return e is TimeoutException ? ExitCodes.TemporaryFailure : ExitCodes.Unavailable;
        }
        catch (FleetGroupsException e)
        {
            Terminal.Error($"{server} does not list its groups: {e.Message}");
            return ExitCodes.Of(e.Status);
        }

        if (list is null)
        {
            Terminal.Error($"{server} cannot list its groups: it is not a server of this project, or not a FleetLock server.");
            return ExitCodes.Protocol;
        }

        if (group is not null)
        {
            list = new FleetGroupList([.. list.Groups.Where(candidate => candidate.Group == group)]);
            if (list.Groups.Count == 0)
            {
                Terminal.Error($"{server} has no group '{group}'.");
                return ExitCodes.NoPermission;
            }
        }

        if (asJson)
            Console.Out.WriteLine(JsonSerializer.Serialize(list, GroupJson.Default.FleetGroupList));
        else
            WriteTable(list);
        return ExitCodes.Success;
    }

    private static void WriteTable(FleetGroupList list)
    {
        const string Row = "{0,-24} {1,6} {2,6}  {3,-40} {4}";
        Console.Out.WriteLine(string.Format(CultureInfo.InvariantCulture, Row, "GROUP", "SLOTS", "FREE", "HOLDER", "SINCE (UTC)").TrimEnd());
        foreach (var group in list.Groups)
        {
            var name = TerminalText.Clean(group.Group);
            if (group.Holders.Count == 0)
                Console.Out.WriteLine(string.Format(CultureInfo.InvariantCulture, Row, name, group.Slots, group.Free, "-", "").TrimEnd());
            for (var i = 0; i < group.Holders.Count; i++)
            {
                // The group's own columns stand on its first line only.
                var (id, since) = (TerminalText.Clean(group.Holders[i].Id), group.Holders[i].Since.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture));
                Console.Out.WriteLine(i == 0
                    ? string.Format(CultureInfo.InvariantCulture, Row, name, group.Slots, group.Free, id, since)
                    : string.Format(CultureInfo.InvariantCulture, Row, "", "", "", id, since));
            }
        }
    }
}
