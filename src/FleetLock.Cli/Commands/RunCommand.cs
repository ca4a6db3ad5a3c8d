using System;
using System.Collections.Generic;
using System.CommandLine;
using System.IO;
using System.Threading.Tasks;
using FleetLock.Cli.Running;
using FleetLock.Server;

namespace FleetLock.Cli.Commands;

/// <summary><c>run</c>: runs a command while a slot is held, and always releases.</summary>
internal static class RunCommand
{
    internal static Command Create(ClientOptions before)
    {
        var embedded = new Option<bool>("--embedded") { Description = "Use a server in this process, on a SQLite file, instead of --url." };
        var data = new Option<string>("--data") { Description = "The embedded server's SQLite file; in the state directory if not given.", HelpName = "FILE" };
        var slots = new Option<int>("--slots") { Description = "The embedded group's slots.", DefaultValueFactory = _ => 1, HelpName = "N", CustomParser = Numbers.Whole };
        var wait = new Option<bool>("--wait", "-w") { Description = "Wait for a slot instead of giving up at once." };
        var waitTimeout = new Option<double?>("--wait-timeout") { Description = "Wait this long at most, in seconds; implies --wait.", HelpName = "SEC", CustomParser = Numbers.Seconds };
        var words = new Argument<string[]>("command") { Description = "After \"--\": the command to run, and its arguments.", Arity = ArgumentArity.OneOrMore, HelpName = "COMMAND [ARG]..." };
        var command = new Command("run", "Run a command while a slot is held, then release the slot; the exit code is the command's.") { embedded, data, slots, wait, waitTimeout, words };
        var options = new ClientOptions();
        options.AddTo(command);
        command.SetAction(async (parsed, _) =>
        {
            using var signals = new SignalWatch();
            var configuration = options.Resolve(parsed, before);
            var policy = ParseWait(parsed.GetValue(wait), parsed.GetValue(waitTimeout));
            var toRun = parsed.GetValue(words)!;
            if (toRun[0].Length == 0)
                throw new UsageException("The command is empty.");
            if (!parsed.GetValue(embedded))
            {
                if (parsed.GetResult(data) is not null || parsed.GetResult(slots) is { Implicit: false })
                    throw new UsageException("--data and --slots go with --embedded only.");

                var server = configuration.RequireServer();
                using var client = new FleetLockClient(new FleetLockClientOptions { Server = server });
                var group = configuration.RequireGroup();
                return await new SlotRunner(client, server.ToString(), group, [configuration.RequireId()], HowToRelease, policy, signals).RunAsync(toRun).ConfigureAwait(false);

                string HowToRelease(string id) => $"release it with: fleetlockctl unlock-if-held -u {server} -g {group} -i '{id.Replace("'", @"'\''", StringComparison.Ordinal)}'";
            }

            if (options.Url(parsed) is not null || before.Url(parsed) is not null)
                throw new UsageException("--embedded and --url do not go together.");
            if (parsed.GetValue(data) is "" or ":memory:")
                throw new UsageException($"--data is {(parsed.GetValue(data) is "" ? "empty" : "':memory:'")}; it takes a file, because a file is what two runs share.");
            return await RunEmbeddedAsync(configuration, parsed.GetValue(data) ?? EmbeddedServer.DefaultData(), parsed.GetValue(slots), policy, toRun, signals).ConfigureAwait(false);
        });
        return command;
    }

    private static async Task<int> RunEmbeddedAsync(FleetLockConfiguration configuration, string data, int slots, WaitPolicy? wait, string[] command, SignalWatch signals)
    {
        if (slots is < 1 or > FleetLockServerOptions.MaxSlots)
            throw new UsageException($"--slots is {slots}; it takes 1 to {FleetLockServerOptions.MaxSlots}.");

        var (group, ids) = (configuration.RequireGroup(), EmbeddedIds(configuration, slots));
        var server = await EmbeddedServer.StartAsync(data, group, slots, signals.Interrupted).ConfigureAwait(false);
        await using (server.ConfigureAwait(false))
        {
            using var client = new FleetLockClient(server.Address.ToString());

            // The file itself and not a link to it, or two runs by two names would both get the machine's lock.
            var file = new FileInfo(data);
            var scope = file.ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? file.FullName;
            return await new SlotRunner(client, scope, group, ids, _ => "the next run takes it again.", wait, signals).RunAsync(command).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// An embedded group is one machine's own, whose runs all have the machine's id: so each of its slots gets an id, or N slots would
    /// never let a second run in. An id that is given is used as it is.
    /// </summary>
    private static List<string> EmbeddedIds(FleetLockConfiguration configuration, int slots)
    {
        var id = configuration.RequireId();
        List<string> ids = [id];
        for (var slot = 2; slot <= slots && configuration.IdIsOfThisMachine; slot++)
            ids.Add(FormattableString.Invariant($"{id}-{slot}"));
        return ids;
    }

    private static WaitPolicy? ParseWait(bool wait, double? timeout)
    {
        if (timeout is not { } seconds)
            return wait ? new WaitPolicy() : null;

        // A month: longer than anyone waits, and short of where timers end.
        const double Longest = 31 * 24 * 3600;
        return seconds is >= 0 and <= Longest
            ? new WaitPolicy { Timeout = TimeSpan.FromSeconds(seconds) }
            : throw new UsageException(FormattableString.Invariant($"--wait-timeout is {seconds}; it takes 0 to {Longest} seconds."));
    }
}
