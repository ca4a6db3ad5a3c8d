namespace FleetLock.Cli;

/// <summary>What is said to the person: on standard error, because standard output belongs to results and to the command that is run.</summary>
internal static class Terminal
{
    internal static void Say(string line) => Console.Error.WriteLine(line);

    internal static void Error(string line) => Console.Error.WriteLine("Error: " + line);
}
