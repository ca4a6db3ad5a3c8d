using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace FleetLock.Server.Tests;

/// <summary>What a server has written to its log.</summary>
internal sealed class CapturedLog : ILoggerProvider, ILogger
{
    internal ConcurrentQueue<(LogLevel Level, string? Event, string Text)> Lines { get; } = new();

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Lines.Enqueue((logLevel, eventId.Name, formatter(state, exception) + exception));

    /// <summary>There is exactly one line of this event, and it names these values.</summary>
    internal void AssertHas(LogLevel level, string name, params string[] values)
    {
        var line = Assert.Single(Lines, line => line.Event == name);
        Assert.Equal(level, line.Level);
        Assert.All(values, value => Assert.Contains(value, line.Text, StringComparison.Ordinal));
    }

    public void Dispose()
    {
    }
}
