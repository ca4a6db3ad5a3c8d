using System.CommandLine;
using FleetLock.Cli.Running;

namespace FleetLock.Cli.Commands;

/// <summary><c>confirm-restore</c>: confirms the content of a store that went back to an earlier state, so that its servers grant again.</summary>
internal static class ConfirmRestoreCommand
{
    internal static Command Create(ClientOptions before)
    {
        var command = new Command(
            "confirm-restore",
            "Let the servers grant again after their store was restored from a backup. A machine that was granted a slot since the backup is not in it: be sure that none is left.");
        var options = new ConnectionOptions(before);
        options.HideId();
        options.HideGroup();
        options.AddTo(command);
        command.SetAction(async (parsed, _) =>
        {
            using var signals = new SignalWatch();
            using var client = options.Connect(parsed, options.Resolve(parsed));
            try
            {
                var confirmed = await client.ConfirmRestoreAsync(signals.Interrupted);
                Console.Out.WriteLine(confirmed
                    ? $"Confirmed the restored store of {client.Server}: its servers grant slots again."
                    : $"There was nothing to confirm at {client.Server}: its store is not marked as restored.");
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
