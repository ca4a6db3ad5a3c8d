using System.Net;
using Microsoft.Extensions.Logging;

namespace FleetLock.Server;

/// <summary>What the server writes to its log. A full group is information: it is how a semaphore works, not an outage.</summary>
internal static partial class ServerLog
{
    /// <summary>The category of the server's own events.</summary>
    internal const string Category = "FleetLock.Server";

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

    internal static void StoreFailed(ILogger logger, SemaphoreStoreException exception) =>
        StoreFailed(
            logger, exception.MayHaveSaved == true ? "whether it carried out the request is unknown" : "nothing was done", exception);

    [LoggerMessage(5, LogLevel.Error, "the store failed; {Consequence}")]
    private static partial void StoreFailed(ILogger logger, string consequence, Exception exception);

    [LoggerMessage(9, LogLevel.Error, "the store still fails; {Requests} more requests failed since the last line like this")]
    internal static partial void StoreStillFails(ILogger logger, int requests, Exception exception);

    [LoggerMessage(10, LogLevel.Information, "the store answers again; {Requests} more requests had failed")]
    internal static partial void StoreAnswersAgain(ILogger logger, int requests);

    [LoggerMessage(6, LogLevel.Warning, "group {Group}: the client of {Id} disconnected before its grant was sent; the slot may be held without an owner")]
    internal static partial void Undelivered(ILogger logger, string group, string id);

    [LoggerMessage(11, LogLevel.Warning, "group {Group}: the client of {Id} disconnected before its grant was sent; the grant is revoked")]
    internal static partial void Revoked(ILogger logger, string group, string id);

    [LoggerMessage(12, LogLevel.Information, "group {Group}: grant {GrantId} of {Id} cancelled: {Outcome}")]
    internal static partial void GrantCancelled(ILogger logger, string group, string id, string grantId, string outcome);

    [LoggerMessage(14, LogLevel.Warning, "group {Group}: grant {GrantId} of {Id} cancelled{Reason}; the slot stays held, by another grant or because it is shared")]
    internal static partial void GrantKept(ILogger logger, string group, string id, string grantId, string reason);

    [LoggerMessage(13, LogLevel.Warning, "the restored store is confirmed by {Who}; slots are granted again")]
    internal static partial void RestoreConfirmed(ILogger logger, string who);

    [LoggerMessage(16, LogLevel.Critical, "{Store}: the store went back to an earlier state (a backup was restored), so grants since then are lost; nothing is granted until an administrator confirms its holders: fleetlockctl confirm-restore")]
    internal static partial void StoreRestored(ILogger logger, string store);

    [LoggerMessage(15, LogLevel.Information, "the body of {Method} {Path} from {From} could not be read, so nothing was done: {Reason}")]
    internal static partial void BodyUnread(ILogger logger, string method, string path, IPAddress? from, string reason);

    [LoggerMessage(7, LogLevel.Warning, "group {Group}: slot of {Id} freed by {Who}: {Reason}")]
    internal static partial void ForceReleased(ILogger logger, string group, string id, string who, string reason);

    [LoggerMessage(8, LogLevel.Warning, "group {Group}: {Slots} slots from now on, set by {Who}")]
    internal static partial void Resized(ILogger logger, string group, int slots, string who);
}
