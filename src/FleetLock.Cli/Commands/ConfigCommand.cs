using System.CommandLine;
using System.Globalization;
using System.Text.Json;

namespace FleetLock.Cli.Commands;

/// <summary><c>config</c>: the settings in force, and where each came from. A secret is only "set".</summary>
internal static class ConfigCommand
{
    internal static Command Create(ClientOptions before)
    {
        var output = OutputOption.Create();
        var command = new Command("config", "Show the settings in force, and where each came from.") { output };
        var options = new ConnectionOptions(before);
        options.AddTo(command);
        command.SetAction(parsed =>
        {
            var configuration = options.Resolve(parsed);
            var settings = configuration.All().Select(setting => new ShownSetting(setting.Name.ToString(), setting.Shown, setting.Source)).ToList();
            if (OutputOption.IsJson(parsed, output))
            {
                Console.Out.WriteLine(JsonSerializer.Serialize(settings, OutputJson.Default.ListShownSetting));
            }
            else
            {
                foreach (var setting in settings)
                    Console.Out.WriteLine(string.Format(CultureInfo.InvariantCulture, "{0,-18} {1,-44} {2}", setting.Name, TerminalText.Clean(setting.Value ?? "-"), setting.Source));
            }

            // After the list, which says where the invalid value came from.
            configuration.RequireValid();
            return ExitCodes.Success;
        });
        return command;
    }
}
