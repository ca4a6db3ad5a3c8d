using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace FleetLock.Server.Tests;

/// <summary>What a server has written to its log.</summary>
internal sealed class CapturedLog : ILoggerProvider, ILogger
{
    internal ConcurrentQueue<(LogLevel Level, string Text)> Lines { get; } = new();

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Lines.Enqueue((logLevel, formatter(state, exception) + exception));

    public void Dispose()
    {
    }
}
