using System.CommandLine;
using FleetLock.Cli.Running;
using FleetLock.Server;

namespace FleetLock.Cli.Commands;

/// <summary><c>serve</c>: a FleetLock server on SQLite or etcd.</summary>
internal static class ServeCommand
{
    internal static Command Create()
    {
        var command = new Command("serve", "Run a FleetLock server.");
        var options = new ServeOptions();
        options.AddTo(command);
        var session = new Option<string>("--session") { Description = "How the server follows the session that has its standard input.", Hidden = true };
        session.AcceptOnlyFromAmong(ParentSession.Attached, ParentSession.Detached);
        command.Options.Add(session);
        command.SetAction((parsed, _) => RunAsync(options.Source(parsed), parsed.GetValue(session)));
        return command;
    }

    private static async Task<int> RunAsync(ServerConfigurationSource source, string? session)
    {
        using var signals = new SignalWatch();
        if (session is not null)
            ParentSession.Follow(session, signals.Interrupt);
        var configuration = source.Load();
        var store = configuration.CreateStore(() => StateDirectory.File("fleetlock.db"));
        var options = configuration.ToOptions(store) with
        {
            Logging = logging => logging.AddLines(Terminal.OpenErrors(), FormatOf(configuration.Log)),
        };
        var server = await FleetLockServer.StartAsync(options, signals.Interrupted);
        await using (server)
        {
            Announce(server, configuration, store);
            using var notice = SystemdNotice.Ready($"Listening on {server.Address.GetLeftPart(UriPartial.Authority)}.");
            if (source.Path is null)
            {
                await signals.WaitAsync();
                return ExitCodes.Success;
            }

            var watch = ConfigurationWatch.Start(server, options, source, configuration);
            await using (watch)
            {
                signals.SendHangupTo(() => _ = watch.ReloadAsync());
                await signals.WaitAsync();
            }
        }

        return ExitCodes.Success;
    }

    private static void Announce(FleetLockServer server, ServerConfiguration configuration, ISemaphoreStore store)
    {
        var addresses = string.Join(", ", server.Addresses.Select(address => address.GetLeftPart(UriPartial.Authority)));
        var groups = string.Join(", ", configuration.Groups.Select(group => $"{group.Key}={group.Value}"));
        var kept = store is MemoryStore ? "nothing is kept: all slots are free again when this server stops" : "data: " + store.Description;
        Terminal.Say(Console.Out, $"Listening on {addresses} (groups: {groups}; {kept}).");
    }

    /// <summary>Text goes to systemd's journal in its own way.</summary>
    private static LogFormat FormatOf(string log)
    {
        if (log == "json")
            return LogFormat.Json;
        return Journal.HasStandardError() ? LogFormat.Journal : LogFormat.Text;
    }
}
