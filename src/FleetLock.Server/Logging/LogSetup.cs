using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace FleetLock.Server;

/// <summary>Sets up the server's own log.</summary>
public static class LogSetup
{
    /// <summary>Writes the server's events to a stream, a line each, and what its parts complain of.</summary>
    /// <param name="logging">The log to set up: <see cref="FleetLockServerOptions.Logging"/>.</param>
    /// <param name="output">The stream, which stays open.</param>
    /// <param name="format">How a line is written.</param>
    /// <param name="clock">The clock for the lines' times; the system's if there is none.</param>
    /// <returns>The same log.</returns>
    public static ILoggingBuilder AddLines(this ILoggingBuilder logging, Stream output, LogFormat format, TimeProvider? clock = null)
    {
        // By a factory, so that the server disposes of it and no line stays behind.
        logging.Services.AddSingleton<ILoggerProvider>(_ => new LineLoggerProvider(output, format, clock ?? TimeProvider.System));
        return logging
            .SetMinimumLevel(LogLevel.Information)
            .AddFilter("Microsoft", LogLevel.Warning)
            .AddFilter("Microsoft.Extensions.Hosting", LogLevel.None) // A failed start is one line of ours, not its stack.
            .AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None); // Its scope and activity cost each request something, and tell nothing that ours does not.
    }
}
