using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Globalization;
using System.Linq;
using System.Threading.Tasks;
using FleetLock.Cli.Running;
using FleetLock.Server;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace FleetLock.Cli.Commands;

/// <summary><c>serve</c>: a FleetLock server on SQLite.</summary>
internal static class ServeCommand
{
    private const string Memory = ":memory:";

    internal static Command Create()
    {
        var listen = new Option<string>("--listen") { Description = "Where to listen; port 0 takes a free one.", DefaultValueFactory = _ => FleetLockServerOptions.DefaultListenAddress, HelpName = "URL" };
        var groups = new Option<string[]>("--group", "-g") { Description = "A group and its slots; may be repeated. \"default=1\" if none is given.", HelpName = "NAME=SLOTS" };
        var data = new Option<string>("--data") { Description = "The SQLite file; in the state directory if not given. \":memory:\" keeps nothing.", HelpName = "FILE" };
        var command = new Command("serve", "Run a FleetLock server.") { listen, groups, data };
        command.SetAction((parsed, _) => RunAsync(ParseListen(parsed.GetValue(listen)!), ParseGroups(parsed.GetValue(groups) ?? []), parsed.GetValue(data)));
        return command;
    }

    private static async Task<int> RunAsync(Uri listen, Dictionary<string, int> groups, string? data)
    {
        using var signals = new SignalWatch();
        if (data is "")
            throw new UsageException("--data is empty; it takes a file.");
        var path = data ?? StateDirectory.File("fleetlock.db");
        ISemaphoreStore store = path == Memory ? new MemoryStore() : new SqliteStore(path);
        var server = await FleetLockServer.StartAsync(
            new FleetLockServerOptions { Groups = groups, Store = store, Listen = listen, Logging = LogToStandardError },
            signals.Interrupted).ConfigureAwait(false);
        await using (server.ConfigureAwait(false))
        {
            var kept = path == Memory ? "nothing is kept: all slots are free again when this server stops" : "data: " + store.Description;
            Console.Out.WriteLine($"Listening on {server.Address.GetLeftPart(UriPartial.Authority)} (groups: {string.Join(", ", groups.Select(group => $"{group.Key}={group.Value}"))}; {kept}).");
            await signals.WaitAsync().ConfigureAwait(false);
        }

        return ExitCodes.Success;
    }

    private static Uri ParseListen(string text) => Uri.TryCreate(text, UriKind.Absolute, out var listen)
        ? listen
        : throw new UsageException($"The listen address '{ProtocolRules.Show(text)}' is not of the form http://ADDRESS:PORT, with an IP address.");

    private static Dictionary<string, int> ParseGroups(string[] texts)
    {
        var groups = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var text in texts.DefaultIfEmpty(FleetLockProtocol.DefaultGroup + "=1"))
        {
            var (name, count) = text.Split('=', 2) is [var left, var right] ? (left, right) : (text, "");
            if (!int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var slots))
                throw new UsageException($"The group '{ProtocolRules.Show(text)}' is not of the form NAME=SLOTS, with SLOTS a whole number from 0 to {FleetLockServerOptions.MaxSlots}.");
            if (!groups.TryAdd(name, slots))
                throw new UsageException($"The group '{ProtocolRules.Show(name)}' is given twice.");
        }

        return groups;
    }

    private static void LogToStandardError(ILoggingBuilder logging) => logging
        .SetMinimumLevel(LogLevel.Information)
        .AddFilter("Microsoft", LogLevel.Warning)
        .AddFilter("Microsoft.Extensions.Hosting", LogLevel.None) // A failed start is one line of ours, not its stack.
        .AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.UseUtcTimestamp = true;
            console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
            console.ColorBehavior = LoggerColorBehavior.Disabled;
        })
        .Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
}
