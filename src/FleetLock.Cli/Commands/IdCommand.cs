using System.CommandLine;

namespace FleetLock.Cli.Commands;

/// <summary><c>id</c>: prints this machine's node id, or another's.</summary>
internal static class IdCommand
{
    internal static Command Create()
    {
        var machineId = new Option<string>("--machine-id") { Description = "The machine id to derive from, 32 hexadecimal digits; this machine's if not given.", HelpName = "HEX" };
        var applicationId = new Option<string>("--application-id") { Description = "The application id to derive with, 32 hexadecimal digits; Zincati's if not given.", HelpName = "HEX" };
        var raw = new Option<bool>("--raw") { Description = "Print the machine id itself. It should not leave the machine (machine-id(5))." };
        var command = new Command("id", "Print this machine's node id, the same as Zincati's.") { machineId, applicationId, raw };
        command.SetAction(parsed =>
        {
            var application = parsed.GetValue(applicationId);
            if (parsed.GetValue(raw) && application is not null)
                throw new UsageException("--raw and --application-id do not go together: a raw machine id is not derived.");

            var machine = parsed.GetValue(machineId) is { } given ? MachineId.Parse(given) : MachineId.Find(MachineIdSource.OfThisMachine()).Id;
            Console.Out.WriteLine(parsed.GetValue(raw) ? machine.ToString() : NodeId.Derive(machine, application));
            return ExitCodes.Success;
        });
        return command;
    }
}
