using System.Buffers;
using System.Text;
using Microsoft.Extensions.Logging;

namespace FleetLock.Server;

/// <summary>Makes a line of an event. It may be called on any thread.</summary>
internal abstract class LineFormatter
{
    private const int MaxLength = 8000;

    /// <summary>Writes the event, and the line's end.</summary>
    /// <param name="line">Where to.</param>
    /// <param name="logEvent">The event.</param>
    internal abstract void Write(IBufferWriter<byte> line, in LogEvent logEvent);

    protected static string Name(LogLevel level) => level switch
    {
        LogLevel.Trace => "trace",
        LogLevel.Debug => "debug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warning",
        LogLevel.Error => "error",
        _ => "critical",
    };

    /// <summary>A text with nothing in it that could break the line or steer a terminal.</summary>
    protected static string Show(string text) =>
        text.Length <= MaxLength && TerminalText.IsPrintable(text) ? text : TerminalText.Clean(text, MaxLength);

    protected static string Time(TimeProvider clock) => clock.GetUtcNow().UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", null);

    protected static void Append(IBufferWriter<byte> line, ReadOnlySpan<char> text) => Encoding.UTF8.GetBytes(text, line);
}
