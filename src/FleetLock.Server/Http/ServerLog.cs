using System;
using Microsoft.Extensions.Logging;

namespace FleetLock.Server;

/// <summary>What the server writes to its log. A full group is information: it is how a semaphore works, not an outage.</summary>
internal static partial class ServerLog
{
    internal static void Decided(ILogger logger, SlotReply reply, string id, string group, int slots)
    {
        switch (reply)
        {
            case SlotReply.Granted:
                Granted(logger, group, id);
                break;
            case SlotReply.Released:
                Released(logger, group, id);
                break;
            case SlotReply.Full:
                Full(logger, group, id, slots);
                break;
            default:
                Unchanged(logger, reply, group, id);
                break;
        }
    }

    [LoggerMessage(1, LogLevel.Information, "group {Group}: slot granted to {Id}")]
    internal static partial void Granted(ILogger logger, string group, string id);

    [LoggerMessage(2, LogLevel.Information, "group {Group}: slot released by {Id}")]
    internal static partial void Released(ILogger logger, string group, string id);

    [LoggerMessage(3, LogLevel.Information, "group {Group}: no slot for {Id}, all {Slots} are taken")]
    internal static partial void Full(ILogger logger, string group, string id, int slots);

    [LoggerMessage(4, LogLevel.Debug, "{Reply} in group {Group}: {Id}")]
    internal static partial void Unchanged(ILogger logger, SlotReply reply, string group, string id);

    [LoggerMessage(5, LogLevel.Error, "the store failed; nothing was granted")]
    internal static partial void StoreFailed(ILogger logger, Exception exception);
}
