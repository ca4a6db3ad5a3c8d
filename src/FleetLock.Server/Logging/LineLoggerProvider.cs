using System.Buffers;
using Microsoft.Extensions.Logging;

namespace FleetLock.Server;

/// <summary>Writes events as lines of text or JSON to a stream. Whoever logs does not wait for the stream: see <see cref="LineQueue"/>.</summary>
internal sealed class LineLoggerProvider : ILoggerProvider, ISupportExternalScope
{
    private readonly LineFormatter _formatter;
    private readonly LineQueue _queue;
    private IExternalScopeProvider? _scopes;

    internal LineLoggerProvider(Stream output, LogFormat format, TimeProvider clock)
    {
        _formatter = format == LogFormat.Json ? new JsonLineFormatter(clock) : new TextLineFormatter(clock, isJournal: format == LogFormat.Journal);
        _queue = new LineQueue(output, TellLost);
        AppDomain.CurrentDomain.ProcessExit += OnProcessEnd;
        AppDomain.CurrentDomain.UnhandledException += OnProcessEnd;
    }

    public ILogger CreateLogger(string categoryName) => new LineLogger(this, categoryName);

    public void SetScopeProvider(IExternalScopeProvider scopeProvider) => _scopes = scopeProvider;

    /// <summary>Writes what has queued up. A line that comes later is written at once.</summary>
    public void Dispose()
    {
        AppDomain.CurrentDomain.ProcessExit -= OnProcessEnd;
        AppDomain.CurrentDomain.UnhandledException -= OnProcessEnd;
        _queue.Dispose();
    }

    private void OnProcessEnd(object? sender, EventArgs e) => _queue.Dispose();

    private void TellLost(IBufferWriter<byte> line, long count) => _formatter.Write(line, new LogEvent(
        LogLevel.Warning,
        ServerLog.Category,
        new EventId(0, "LinesLost"),
        $"{count} lines of this log are lost: whoever reads it is too slow",
        null,
        null,
        [new("Lines", count)]));

    private sealed class LineLogger(LineLoggerProvider provider, string category) : ILogger
    {
        [ThreadStatic]
        private static ArrayBufferWriter<byte>? _line;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => provider._scopes?.Push(state);

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var line = _line ??= new ArrayBufferWriter<byte>();
            line.ResetWrittenCount();
            var fields = state as IReadOnlyList<KeyValuePair<string, object?>> ?? [];
            provider._formatter.Write(line, new LogEvent(logLevel, category, eventId, formatter(state, null), RequestId(), exception, fields));
            provider._queue.Add(line.WrittenSpan, isImportant: logLevel >= LogLevel.Warning);
        }

        private string? RequestId()
        {
            var found = new ScopedId();
            provider._scopes?.ForEachScope(static (scope, found) => found.Take(scope), found);
            return found.Value;
        }
    }

    /// <summary>Picks the request's id out of the scopes.</summary>
    private sealed class ScopedId
    {
        internal string? Value { get; private set; }

        internal void Take(object? scope)
        {
            if (scope is IReadOnlyList<KeyValuePair<string, object?>> { Count: > 0 } members && members[0] is { Key: RequestIdentity.ScopeKey, Value: string id })
                Value = id;
        }
    }
}
