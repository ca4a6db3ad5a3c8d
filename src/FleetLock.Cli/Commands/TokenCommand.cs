using System.CommandLine;
using System.Text.Json;
using FleetLock.Server;

namespace FleetLock.Cli.Commands;

/// <summary><c>token</c>: makes a bearer token, and what a server is told of it.</summary>
internal static class TokenCommand
{
    internal static Command Create()
    {
        var name = new Option<string>("--name") { Description = "The token's name, for the server's log; with --own-id-only also the node id.", HelpName = "NAME", Required = true };
        var role = new Option<string>("--role") { Description = "node locks and unlocks, observer sees, admin may do everything.", DefaultValueFactory = _ => "node", HelpName = "ROLE" };
        role.AcceptOnlyFromAmong("node", "observer", "admin");
        var ids = new Option<string[]>("--id", "-i") { Description = "An id that a node may lock and unlock for; may be repeated; any if not given.", HelpName = "ID" };
        var groups = new Option<string[]>("--group", "-g") { Description = "A group that a node may lock and unlock in; may be repeated; any if not given.", HelpName = "GROUP" };
        var ownIdOnly = new Option<bool>("--own-id-only") { Description = "The node may lock and unlock only for the id that is the token's name." };
        var command = new Command("token", "Make a bearer token, and print it with its entry for the server's configuration file. It is kept nowhere.") { name, role, ids, groups, ownIdOnly };
        command.SetAction(parsed =>
        {
            var token = Credential.NewToken();
            var entry = new CredentialSettings
            {
                Name = parsed.GetValue(name),
                Role = parsed.GetValue(role),
                Sha256 = Credential.HashOf(token),
                Ids = parsed.GetValue(ids) is { Length: > 0 } given ? given : null,
                Groups = parsed.GetValue(groups) is { Length: > 0 } named ? named : null,
                OwnIdOnly = parsed.GetValue(ownIdOnly) ? true : null,
            };

            // Whoever reads the entry back is the judge of it.
            ServerConfigurationSource.RequireToken(entry);
            Console.Out.WriteLine(token);
            Console.Out.WriteLine(JsonSerializer.Serialize(entry, ServerSettingsJson.Default.CredentialSettings));
            return ExitCodes.Success;
        });
        return command;
    }
}
