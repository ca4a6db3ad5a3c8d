namespace FleetLock.Cli;

/// <summary>
/// What is said to the person: on standard error, because standard output belongs to results and to the command that is run.
/// </summary>
internal static class Terminal
{
    internal static void Say(string line) => Say(Console.Error, line);

    /// <summary>The same on another stream, where it is not the result of the command either.</summary>
    internal static void Say(TextWriter stream, string line)
    {
        try
        {
            stream.WriteLine(line);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A full disk, a terminal that was closed, or no stream at all. What is said must not change what is done.
        }
    }

    internal static void Error(string line) => Say("Error: " + line);
}
