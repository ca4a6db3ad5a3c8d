using System.CommandLine;
using FleetLock.Cli.Running;

namespace FleetLock.Cli.Commands;

/// <summary><c>recursive-lock</c> and <c>unlock-if-held</c>: drop-in for the Go tool, silent on success.</summary>
internal static class LockCommand
{
    internal static Command Create(FleetLockOperation operation, ClientOptions before)
    {
        var command = operation == FleetLockOperation.Lock
            ? new Command("recursive-lock", "Take a slot; granted again to an id that holds one.")
            : new Command("unlock-if-held", "Give the slot back; a success too when the id holds none.");
        var options = new ConnectionOptions(before);
        options.AddTo(command);
        command.SetAction(async (parsed, _) =>
        {
            using var signals = new SignalWatch();
            var configuration = options.Resolve(parsed);
            using var client = options.Connect(parsed, configuration);
            return await RunAsync(operation, client, configuration, signals.Interrupted);
        });
        return command;
    }

    private static async Task<int> RunAsync(FleetLockOperation operation, FleetLockClient client, FleetLockConfiguration configuration, CancellationToken interrupted)
    {
        var (group, id) = (configuration.RequireGroup(), configuration.RequireId());
        var result = operation == FleetLockOperation.Lock
            ? await client.LockAsync(group, id, interrupted)
            : await client.UnlockAsync(group, id, interrupted);
        if (!result.IsSuccess)
        {
            var doing = operation == FleetLockOperation.Lock ? "locking" : "unlocking";
            Terminal.Error($"{doing}: fleetlock error: {result.Message} ({result.Kind})");
            if (result.OutcomeUnknown)
                Terminal.Say(Advice.UnknownOutcome(operation));
        }

        return ExitCodes.Of(result.Status);
    }
}
