using System.CommandLine;
using System.Text.Json;
using FleetLock.Cli.Running;

namespace FleetLock.Cli.Commands;

/// <summary><c>recursive-lock</c> and <c>unlock-if-held</c>: drop-in for the Go tool, silent on success.</summary>
internal static class LockCommand
{
    internal static Command Create(FleetLockOperation operation, ClientOptions before) => operation == FleetLockOperation.Lock ? CreateLock(before) : CreateUnlock(before);

    /// <summary>The end of a sentence with the command that releases a slot.</summary>
    internal static string HowToRelease(ServerAddress server, string group, string id) =>
        $"release it with: fleetlockctl unlock-if-held -u {server} -g {group} -i '{id.Replace("'", @"'\''", StringComparison.Ordinal)}'";

    private static Command CreateLock(ClientOptions before)
    {
        var output = OutputOption.CreateSilent("Print the grant, as table or json. Nothing is printed if it is not given.");
        var command = new Command("recursive-lock", "Take a slot; granted again to an id that holds one.") { output };
        var options = new ConnectionOptions(before);
        options.AddTo(command);
        command.SetAction(async (parsed, _) =>
        {
            using var signals = new SignalWatch();
            var configuration = options.Resolve(parsed);
            using var client = options.Connect(parsed, configuration);
            var operation = new LockOperation(client, configuration.RequireGroup(), configuration.RequireId());
            return await LockAsync(operation, client.Server, parsed.GetValue(output), signals.Interrupted);
        });
        return command;
    }

    private static Command CreateUnlock(ClientOptions before)
    {
        var grantId = new Option<string>("--grant-id")
        {
            Description = "Release the slot only if no other lock was granted it; otherwise release nothing and fail.",
            HelpName = "GRANT-ID",
        };
        var command = new Command(
            "unlock-if-held",
            "Release the slot that the id holds, no matter which client took it. Without --grant-id it is a success too when the id holds none.") { grantId };
        var options = new ConnectionOptions(before);
        options.AddTo(command);
        command.SetAction(async (parsed, _) =>
        {
            using var signals = new SignalWatch();
            var configuration = options.Resolve(parsed);
            using var client = options.Connect(parsed, configuration);
            var (group, id) = (configuration.RequireGroup(), configuration.RequireId());
            var result = parsed.GetValue(grantId) is { } grant
                ? await client.ReleaseGrantAsync(group, id, grant, signals.Interrupted)
                : await client.UnlockAsync(group, id, signals.Interrupted);
            return Report(result, "unlocking", null);
        });
        return command;
    }

    private static async Task<int> LockAsync(LockOperation operation, ServerAddress server, string? output, CancellationToken interrupted)
    {
        PossibleLeak? leak = null;
        string? Leak() => leak?.Describe(HowToRelease(server, operation.Group, operation.Id));
        try
        {
            var result = await operation.AcquireAsync(new SlotWaiter(), null, null, found => leak = found, interrupted);
            if (result.IsSuccess && output is not null)
                await PrintAsync(operation, result, output == OutputOption.Json, found => leak = found);
            return Report(result, "locking", Leak());
        }
        catch (OperationCanceledException)
        {
            Terminal.Error($"Interrupted. {Leak()}".TrimEnd());
            return ExitCodes.Interrupted;
        }
        catch (IOException e) when (leak is not null)
        {
            throw new IOException($"{e.Message} {Leak()}", e);
        }
    }

    /// <summary>Prints the grant. A grant that cannot be printed is undone, because its caller gets an error.</summary>
    private static async Task PrintAsync(LockOperation operation, FleetLockResult result, bool asJson, Action<PossibleLeak> onLeak)
    {
        try
        {
            var grant = new ShownGrant(result.Group, result.Id, result.Server, result.GrantId, result.IsNewGrant);
            await Console.Out.WriteLineAsync(asJson ? JsonSerializer.Serialize(grant, OutputJson.Default.ShownGrant) : Table(grant));
            await Console.Out.FlushAsync();
        }
        catch (IOException)
        {
            if (await operation.UndoAsync(LockOperation.UndoTimeLimit) is { } leak)
                onLeak(leak);
            throw;
        }
    }

    private static string Table(ShownGrant grant)
    {
        var isNew = grant.IsNewGrant switch { true => "yes", false => "no", null => "unknown" };
        return Row("GROUP", "HOLDER", "GRANT", "NEW") + Environment.NewLine + Row(grant.Group, grant.Id, grant.GrantId ?? "unknown", isNew);

        static string Row(string group, string holder, string grantId, string isNew) => $"{group,-24} {holder,-40} {grantId,-32}  {isNew}";
    }

    private static int Report(FleetLockResult result, string doing, string? leak)
    {
        if (!result.IsSuccess)
        {
            Terminal.Error($"{doing}: fleetlock error: {result.Message} ({result.Kind})");
            if (leak is not null)
                Terminal.Say(leak);
            else if (result.OutcomeUnknown)
                Terminal.Say(Advice.UnknownOutcome(result.Operation));
        }

        return ExitCodes.Of(result);
    }
}
