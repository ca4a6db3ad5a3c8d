using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using FleetLock.Cli.Running;

namespace FleetLock.Cli.Commands;

/// <summary><c>test</c>: the doctor. Exit code 0 when every check passed, and 1 otherwise.</summary>
internal static class TestCommand
{
    private const int NotHealthy = 1;

    internal static Command Create(ClientOptions before)
    {
        var output = OutputOption.Create();
        var command = new Command("test", "Check that a lock would work, without asking for one and without changing a slot.") { output };
        var options = new ConnectionOptions(before);
        options.AddTo(command);
        command.SetAction(async (parsed, _) =>
        {
            using var signals = new SignalWatch();
            var asJson = OutputOption.IsJson(parsed, output);
            var checks = new List<FleetLockCheck>();
            FleetLockClient? client = null;
            try
            {
                var healthy = await new FleetLockDoctor().ExamineAsync(
                    () => options.Resolve(parsed),
                    configuration => client = options.Connect(parsed, configuration),
                    check => Show(check, asJson ? checks : null),
                    signals.Interrupted);
                if (asJson)
                    Console.Out.WriteLine(JsonSerializer.Serialize(checks, OutputJson.Default.ListFleetLockCheck));
                return healthy ? ExitCodes.Success : NotHealthy;
            }
            finally
            {
                client?.Dispose();
            }
        });
        return command;
    }

    private static void Show(FleetLockCheck check, List<FleetLockCheck>? gathered)
    {
        if (gathered is not null)
        {
            gathered.Add(check);
            return;
        }

        Console.Out.WriteLine(string.Format(CultureInfo.InvariantCulture, "{0,-7} {1,-16} {2}", check.Passed ? "ok" : "FAILED", check.Name, check.Message));
        if (!check.Passed)
            Console.Out.WriteLine(string.Format(CultureInfo.InvariantCulture, "{0,-24} {1}", "", check.Advice));
    }
}
