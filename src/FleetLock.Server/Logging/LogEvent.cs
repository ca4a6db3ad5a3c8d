using Microsoft.Extensions.Logging;

namespace FleetLock.Server;

/// <summary>An event on its way to a line.</summary>
/// <param name="Level">How much it matters.</param>
/// <param name="Category">Who tells it.</param>
/// <param name="EventId">What it is.</param>
/// <param name="Message">The text for people.</param>
/// <param name="RequestId">The request that it belongs to, if it does.</param>
/// <param name="Exception">What went wrong, if something did.</param>
/// <param name="Fields">The values in the message, by name.</param>
internal readonly record struct LogEvent(
    LogLevel Level,
    string Category,
    EventId EventId,
    string Message,
    string? RequestId,
    Exception? Exception,
    IReadOnlyList<KeyValuePair<string, object?>> Fields);
