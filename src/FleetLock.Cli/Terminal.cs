using System.Text;
using FleetLock.Cli.Running;

namespace FleetLock.Cli;

/// <summary>
/// What is said to the person: on standard error, because standard output belongs to results and to the command that is run.
/// </summary>
internal static class Terminal
{
    private const int Output = 1;
    private const int Errors = 2;

    /// <summary>
    /// Writes nothing to a standard stream that this process was started without. Its number then belongs to a file or a pipe of the
    /// process itself, such as the one by which the runtime learns of signals. A result that nobody gets is an error.
    /// </summary>
    internal static void LeaveClosedStreams()
    {
        if (!IsOpen(Output))
            Console.SetOut(new ClosedWriter("output"));
        if (!IsOpen(Errors))
            Console.SetError(new ClosedWriter("error"));
    }

    /// <summary>Standard error for a log.</summary>
    internal static Stream OpenErrors() => IsOpen(Errors) ? Console.OpenStandardError() : Stream.Null;

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

    private static bool IsOpen(int descriptor) => OperatingSystem.IsWindows() || UnixProcess.IsInherited(descriptor);

    private sealed class ClosedWriter(string name) : TextWriter
    {
        public override Encoding Encoding => Encoding.UTF8;

        public override void Write(char value) => throw new IOException($"Standard {name} is closed.");
    }
}
