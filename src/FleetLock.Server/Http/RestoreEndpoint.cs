using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace FleetLock.Server;

/// <summary>The extension by which an administrator confirms the content of a store that went back to an earlier state.</summary>
internal sealed class RestoreEndpoint(SemaphoreGroups groups, AccessPolicy access, StoreFaultLog faults, ILogger logger)
{
    internal const string Path = FleetLockProtocol.RestoreMarkPath;

    /// <summary><c>DELETE /v1/restore-mark</c>: 200 when the mark is removed, or when there is none; the body says which.</summary>
    internal async Task ConfirmAsync(HttpContext context)
    {
        var (confirmed, refusal) = await DecideAsync(context);
        if (refusal is not null)
        {
            await refusal.WriteAsync(context.Response);
        }
        else
        {
            var body = JsonSerializer.SerializeToUtf8Bytes(new FleetRestoreConfirmation(confirmed), GroupJson.Default.FleetRestoreConfirmation);
            await JsonAnswer.WriteAsync(context.Response, body);
        }
    }

    private async Task<(bool Confirmed, ErrorReply? Refusal)> DecideAsync(HttpContext context)
    {
        if (access.Refuse(context, Right.Administer) is { } forbidden)
            return (false, forbidden);
        if (ProtocolEndpoint.RefuseWithoutHeader(context.Request) is { } missing)
            return (false, missing);
        try
        {
            var confirmed = await groups.ConfirmRestoreAsync(context.RequestAborted);
            if (confirmed)
                ServerLog.RestoreConfirmed(logger, access.WhoAsks(context));
            return (confirmed, null);
        }
        catch (SemaphoreStoreException e)
        {
            faults.Failed(StoreFaultLog.WholeStore, e);
            return (false, ErrorReply.StoreUnavailable(e.MayHaveSaved != false));
        }
        catch (OperationCanceledException)
        {
            return (false, ErrorReply.ShuttingDown());
        }
    }
}
