namespace FleetLock.Cli;

/// <summary>What is said to the person: on standard error, because standard output belongs to results and to the command that is run.</summary>
internal static class Terminal
{
    internal static void Say(string line)
    {
        try
        {
            Console.Error.WriteLine(line);
        }
        catch (IOException)
        {
            // A full disk, or a terminal that was closed. What is said must not change what is done.
        }
    }

    internal static void Error(string line) => Say("Error: " + line);
}
