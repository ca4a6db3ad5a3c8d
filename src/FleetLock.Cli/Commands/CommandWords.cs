using System.CommandLine;

namespace FleetLock.Cli.Commands;

/// <summary>
/// Finds where the command of <c>run</c> begins, which the parser does not: it looks for its own options behind the first word as well.
/// </summary>
internal static class CommandWords
{
    private const string End = "--";

    /// <summary>Puts "--" before the command of <c>run</c>, unless it is there.</summary>
    /// <param name="root">The program.</param>
    /// <param name="args">The command line.</param>
    /// <returns>The command line for the parser.</returns>
    /// <exception cref="UsageException">The command begins like an option, and not after "--".</exception>
    internal static string[] Mark(RootCommand root, string[] args)
    {
        var position = SkipOptions(root.Options, args, 0);
        if (position == args.Length || args[position] != RunCommand.Name)
            return args;
        var run = root.Subcommands.Single(command => command.Name == RunCommand.Name);
        position = SkipOptions([.. run.Options, .. root.Options.Where(option => option.Recursive)], args, position + 1);
        if (position == args.Length || args[position] == End)
            return args;
        if (!LooksLikeOption(args[position]))
            return [.. args[..position], End, .. args[position..]];
        var shown = ProtocolRules.Show(args[position]);
        throw new UsageException($"'{shown}' is not an option of {RunCommand.Name}. If it is the command, put -- before it.");
    }

    private static int SkipOptions(IList<Option> options, string[] args, int position)
    {
        while (position < args.Length && Find(options, args[position]) is var (option, hasValue))
        {
            position++;
            var isValueNext = option.Arity.MinimumNumberOfValues > 0 && !hasValue;
            if (isValueNext && position < args.Length && args[position] != End && Find(options, args[position]) is null)
                position++;
        }

        return position;
    }

    private static bool LooksLikeOption(string word) => word.Length > 1 && word[0] == '-' && word != End;

    /// <summary>The option that a word is, and whether its value is in the same word.</summary>
    private static (Option Option, bool HasValue)? Find(IList<Option> options, string word)
    {
        if (!LooksLikeOption(word))
            return null;
        if (FindExact(options, word) is { } exact)
            return (exact, false);
        if (word.IndexOfAny(['=', ':']) is > 0 and var end && FindExact(options, word[..end]) is { } named)
            return (named, true);
        if (word[1] == '-' || FindExact(options, word[..2]) is not { } first)
            return null;

        // Letters in one word: the rest is the first one's value, or more letters.
        return first.Arity.MinimumNumberOfValues > 0 ? (first, true) : Find(options, $"-{word[2..]}");
    }

    private static Option? FindExact(IList<Option> options, string name) =>
        options.FirstOrDefault(option => option.Name == name || option.Aliases.Contains(name));
}
