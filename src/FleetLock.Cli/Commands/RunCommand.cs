using System.CommandLine;
using FleetLock.Cli.Running;
using FleetLock.Server;

namespace FleetLock.Cli.Commands;

/// <summary>
/// <c>run</c>: runs a command while a slot is held, and releases afterwards what it has taken, unless it is told to keep the slot of a
/// command that failed.
/// </summary>
internal sealed class RunCommand
{
    private readonly Option<bool> _embedded = new("--embedded")
    {
        Description = "Use a server in this process, on a SQLite file, instead of --url.",
    };
    private readonly Option<string> _data = new("--data")
    {
        Description = "The embedded server's SQLite file; in the state directory if not given.",
        HelpName = "FILE",
    };
    private readonly Option<bool> _network = new("--allow-network-filesystem")
    {
        Description = "Allow that file on NFS or SMB, if no other machine opens it.",
    };
    private readonly Option<int> _slots = new("--slots")
    {
        Description = "The embedded group's slots.",
        DefaultValueFactory = _ => 1,
        HelpName = "N",
        CustomParser = Numbers.Whole,
    };
    private readonly Option<bool> _wait = new("--wait", "-w") { Description = "Wait for a slot instead of giving up at once." };
    private readonly Option<double?> _waitTimeout = new("--wait-timeout")
    {
        Description = "Wait this long at most, in seconds; implies --wait.",
        HelpName = "SEC",
        CustomParser = Numbers.Seconds,
    };
    private readonly Option<int?> _retryInterval = new("--retry-interval")
    {
        Description = "The longest sleep between two tries of a wait; 30 if not given.",
        HelpName = "SEC",
        CustomParser = argument => Numbers.Whole(argument, 1, WaitPolicy.MaxTimeoutSec),
    };
    private readonly Option<bool> _keepOnFailure = new("--keep-on-failure")
    {
        Description = "Keep the slot when the command fails, so that the fleet stops behind a broken machine.",
    };
    private readonly Option<double?> _releaseTimeout = new("--release-timeout")
    {
        Description = "Try this long to release the slot, in seconds; 600 if not given.",
        HelpName = "SEC",
        CustomParser = Numbers.Seconds,
    };
    private readonly Argument<string[]> _words = new("command") { Description = "The command to run. Everything from its first word on is its own.", Arity = ArgumentArity.OneOrMore, HelpName = "COMMAND [ARG]..." };
    private readonly ConnectionOptions _connection;

    private RunCommand(ClientOptions before) => _connection = new ConnectionOptions(before);

    internal const string Name = "run";

    /// <summary>How the command is used: everything from the first word on is the command's own.</summary>
    internal const string Usage = "run [options] [--] COMMAND [ARG]...";

    internal static Command Create(ClientOptions before)
    {
        var run = new RunCommand(before);
        var command = new Command(Name, "Run a command while a slot is held, then release the slot; the exit code is the command's.")
        {
            run._embedded, run._data, run._network, run._slots, run._wait, run._waitTimeout, run._retryInterval, run._keepOnFailure, run._releaseTimeout,
            run._words,
        };
        run._connection.AddTo(command);
        command.SetAction((parsed, _) => run.RunAsync(parsed));
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed)
    {
        using var signals = new SignalWatch();
        var configuration = _connection.Resolve(parsed, parsed.GetValue(_retryInterval));
        var plan = new RunPlan(parsed.GetValue(_words)!, ParseWait(parsed, configuration), parsed.GetValue(_keepOnFailure), ParseReleaseTimeout(parsed));
        if (plan.Command[0].Length == 0)
            throw new UsageException("The command is empty.");

        return parsed.GetValue(_embedded)
            ? await RunEmbeddedAsync(parsed, configuration, plan, signals)
            : await RunOnServerAsync(parsed, configuration, plan, signals);
    }

    private async Task<int> RunOnServerAsync(ParseResult parsed, FleetLockConfiguration configuration, RunPlan plan, SignalWatch signals)
    {
        var isForEmbedded = parsed.GetResult(_data) is not null
            || parsed.GetResult(_network) is { Implicit: false }
            || parsed.GetResult(_slots) is { Implicit: false };
        if (isForEmbedded)
            throw new UsageException("--data, --slots and --allow-network-filesystem go with --embedded only.");

        using var client = _connection.Connect(parsed, configuration);
        var (scope, group) = (new RunScope(client.Servers), configuration.RequireGroup());
        return await new SlotRunner(client, scope, group, [configuration.RequireId()], HowToRelease, plan, signals).RunAsync();

        string HowToRelease(string id) => LockCommand.HowToRelease(client.Server, group, id);
    }

    private async Task<int> RunEmbeddedAsync(ParseResult parsed, FleetLockConfiguration configuration, RunPlan plan, SignalWatch signals)
    {
        if (_connection.Url(parsed) is not null)
            throw new UsageException("--embedded and --url do not go together.");
        if (parsed.GetValue(_data) is "" or ":memory:")
        {
            var value = parsed.GetValue(_data) is "" ? "empty" : "':memory:'";
            throw new UsageException($"--data is {value}; it takes a file, because a file is what two runs share.");
        }

        var slots = parsed.GetValue(_slots);
        if (slots is < 1 or > FleetLockServerOptions.MaxSlots)
            throw new UsageException($"--slots is {slots}; it takes 1 to {FleetLockServerOptions.MaxSlots}.");

        var (group, ids) = (configuration.RequireGroup(), EmbeddedIds(configuration, slots));
        var data = parsed.GetValue(_data) ?? EmbeddedServer.DefaultData();
        var server = await EmbeddedServer.StartAsync(data, parsed.GetValue(_network), group, slots, signals.Interrupted);
        await using (server)
        {
            var address = ServerAddress.Parse(server.Address.ToString());
            using var client = new FleetLockClient(new FleetLockClientOptions { Server = address, NoProxy = true });
            var scope = EmbeddedServer.ScopeOf(data);
            return await new SlotRunner(client, scope, group, ids, _ => "the next run takes it again.", plan, signals).RunAsync();
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

    private TimeSpan ParseReleaseTimeout(ParseResult parsed) => parsed.GetValue(_releaseTimeout) switch
    {
        null => SlotRun.ReleaseTimeout,
        >= 0 and <= WaitPolicy.MaxTimeoutSec and var seconds => TimeSpan.FromSeconds(seconds),
        var seconds => throw BadTimeout("--release-timeout", seconds),
    };

    private WaitPolicy? ParseWait(ParseResult parsed, FleetLockConfiguration configuration)
    {
        var interval = configuration.RequireRetryInterval();
        if (parsed.GetValue(_waitTimeout) is not { } seconds)
            return parsed.GetValue(_wait) ? new WaitPolicy { RetryInterval = interval } : null;

        return seconds is >= 0 and <= WaitPolicy.MaxTimeoutSec
            ? new WaitPolicy { Timeout = TimeSpan.FromSeconds(seconds), RetryInterval = interval }
            : throw BadTimeout("--wait-timeout", seconds);
    }

    private static UsageException BadTimeout(string option, double? seconds) =>
        new(FormattableString.Invariant($"{option} is {seconds}; it takes 0 to {WaitPolicy.MaxTimeoutSec} seconds."));
}
