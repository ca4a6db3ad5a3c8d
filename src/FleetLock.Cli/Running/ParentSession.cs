namespace FleetLock.Cli.Running;

/// <summary>
/// The session that started this server (<c>Start-FleetLockServer</c>) and has the other end of its standard input. The end of that stream is the
/// end of the session, even when it was killed: no process can leave it open by dying.
/// </summary>
internal static class ParentSession
{
    /// <summary>The server ends with its session.</summary>
    internal const string Attached = "attached";

    /// <summary>The server outlives its session.</summary>
    internal const string Detached = "detached";

    private const string StopWord = "stop";

    /// <summary>Listens to the session, and leaves its terminal: Ctrl+C there is not meant for this server.</summary>
    /// <param name="kind"><see cref="Attached"/> or <see cref="Detached"/>.</param>
    /// <param name="stop">Stops the server.</param>
    internal static void Follow(string kind, Action stop)
    {
        if (!OperatingSystem.IsWindows())
            UnixProcess.LeaveTerminal();
        _ = Task.Factory.StartNew(() => Listen(kind, stop), TaskCreationOptions.LongRunning);
    }

    private static void Listen(string kind, Action stop)
    {
        using var input = new StreamReader(Console.OpenStandardInput());
        for (; ; )
        {
            var line = ReadLine(input);
            if (line == StopWord || (line is null && kind == Attached))
                stop();
            if (line is null or StopWord)
                return;
        }
    }

    private static string? ReadLine(StreamReader input)
    {
        try
        {
            return input.ReadLine();
        }
        catch (IOException)
        {
            return null;
        }
    }
}
