using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using FleetLock.Cli.Commands;
using FleetLock.Cli.Running;
using FleetLock.Server;

namespace FleetLock.Cli;

internal static class Program
{
    private static int Main(string[] args)
    {
        // Apart, so that a stage does not load the parser.
        if (!OperatingSystem.IsWindows() && args is [CommandStage.Word, ..])
            return CommandStage.Run(args);
        return RunAsync(args).GetAwaiter().GetResult();
    }

    private static async Task<int> RunAsync(string[] args)
    {
        Terminal.LeaveClosedStreams();
        try
        {
            return await InvokeAsync(CreateRoot(), args);
        }
        catch (Exception e) when (e is UsageException or FleetLockInputException)
        {
            Terminal.Error(e.Message);
            return ExitCodes.Usage;
        }
        catch (OperationCanceledException e)
        {
            Terminal.Error(e is TaskCanceledException ? "Interrupted." : e.Message);
            return ExitCodes.Interrupted;
        }
        catch (Exception e) when (e is SemaphoreStoreException or FleetLockServerException or IOException or UnauthorizedAccessException)
        {
            Terminal.Error(IsWorkingFolderGone() ? "The working directory was deleted. Change to another one, or give full paths." : e.Message);
            return ExitCodes.Unavailable;
        }
    }

    /// <summary>Where a relative path leads nowhere, the system's error names no file.</summary>
    private static bool IsWorkingFolderGone()
    {
        try
        {
            return !Directory.Exists(Directory.GetCurrentDirectory());
        }
        catch (IOException)
        {
            return true;
        }
    }

    private static async Task<int> InvokeAsync(RootCommand root, string[] args)
    {
        // No response files: an id or a command may begin with '@'.
        var words = args.Length == 0 ? ["--help"] : CommandWords.Mark(root, args);
        var parsed = root.Parse(words, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Action is ParseErrorAction)
        {
            var command = parsed.CommandResult.Command;
            foreach (var message in Messages(parsed, root))
                Terminal.Error(TerminalText.Clean(message));
            Terminal.Say(command == root ? "See 'fleetlockctl --help'." : $"See 'fleetlockctl {command.Name} --help'.");
            return ExitCodes.Usage;
        }

        // Signals are each command's own business: `run` passes them on to its child.
        return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
    }

    /// <summary>The parser's messages. For an unknown word in the command's place it has two, and neither names a command.</summary>
    private static IEnumerable<string> Messages(ParseResult parsed, RootCommand root)
    {
        if (parsed.CommandResult.Command != root || parsed.UnmatchedTokens is not [var word, ..])
            return parsed.Errors.Select(error => error.Message).Distinct();
        if (word.StartsWith('-'))
            return [$"'{word}' is not an option of fleetlockctl."];

        var similar = root.Subcommands.Select(command => command.Name)
            .Where(name => name.Split('-').Contains(word, StringComparer.OrdinalIgnoreCase));
        return [$"'{word}' is not a command.{string.Concat(similar.Take(1).Select(name => $" Did you mean '{name}'?"))}"];
    }

    private static RootCommand CreateRoot()
    {
        var root = new RootCommand("Keeps a fleet from rebooting all at once: takes a slot of a group before a machine reboots, and gives it back when the machine is healthy again.");

        // The Go tool takes its flags before the command as well as after it.
        var before = new ClientOptions();
        before.AddTo(root);
        root.Subcommands.Add(LockCommand.Create(FleetLockOperation.Lock, before));
        root.Subcommands.Add(LockCommand.Create(FleetLockOperation.Unlock, before));
        root.Subcommands.Add(RunCommand.Create(before));
        root.Subcommands.Add(StatusCommand.Create(before));
        root.Subcommands.Add(ForceReleaseCommand.Create(before));
        root.Subcommands.Add(SetSlotsCommand.Create(before));
        root.Subcommands.Add(ConfirmRestoreCommand.Create(before));
        root.Subcommands.Add(TestCommand.Create(before));
        root.Subcommands.Add(ConfigCommand.Create(before));
        root.Subcommands.Add(IdCommand.Create());
        root.Subcommands.Add(ServeCommand.Create());
        root.Subcommands.Add(TokenCommand.Create());
        var help = root.Options.OfType<HelpOption>().Single();
        help.Action = new UsageHelp((HelpAction)help.Action!);
        return root;
    }
}
