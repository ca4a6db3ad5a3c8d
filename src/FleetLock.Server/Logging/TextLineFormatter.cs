using System.Buffers;
using Microsoft.Extensions.Logging;

namespace FleetLock.Server;

/// <summary>Lines for people: <c>2026-01-02T03:04:05.678Z info: group workers: slot granted to a request=…</c>.</summary>
internal sealed class TextLineFormatter(TimeProvider clock, bool isJournal) : LineFormatter
{
    internal override void Write(IBufferWriter<byte> line, in LogEvent logEvent)
    {
        if (isJournal)
        {
            Append(line, Priority(logEvent.Level));
        }
        else
        {
            Append(line, Time(clock));
            Append(line, " ");
            Append(line, Name(logEvent.Level));
            Append(line, ": ");
        }

        if (logEvent.Category != ServerLog.Category)
        {
            Append(line, logEvent.Category);
            Append(line, ": ");
        }

        Append(line, Show(logEvent.Message));
        if (logEvent.Exception is { } exception)
        {
            Append(line, ": ");
            Append(line, Show(Tell(exception)));
        }

        if (logEvent.RequestId is { } id)
        {
            Append(line, " request=");
            Append(line, Show(id));
        }

        Append(line, "\n");
    }

    /// <summary>The store's own faults say all in their messages; of any other, the place in the code is wanted too.</summary>
    private static string Tell(Exception exception) => exception is SemaphoreStoreException ? exception.Message : exception.ToString();

    private static string Priority(LogLevel level) => level switch
    {
        LogLevel.Trace or LogLevel.Debug => "<7>",
        LogLevel.Information => "<6>",
        LogLevel.Warning => "<4>",
        LogLevel.Error => "<3>",
        _ => "<2>",
    };
}
