using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace FleetLock.Server;

/// <summary>The extension by which an administrator confirms the content of a store that went back to an earlier state.</summary>
internal sealed class RestoreEndpoint(SemaphoreGroups groups, AccessPolicy access, StoreFaultLog faults, ILogger logger)
{
    internal const string Path = FleetLockProtocol.RestoreMarkPath;

    /// <summary><c>DELETE /v1/restore-mark</c>: 200 when the mark is removed, or when there is none.</summary>
    internal async Task ConfirmAsync(HttpContext context)
    {
        if (await DecideAsync(context) is { } refusal)
            await refusal.WriteAsync(context.Response);
        else
            context.Response.ContentLength = 0;
    }

    private async Task<ErrorReply?> DecideAsync(HttpContext context)
    {
        if (access.Refuse(context, Right.Administer) is { } forbidden)
            return forbidden;
        if (ProtocolEndpoint.RefuseWithoutHeader(context.Request) is { } missing)
            return missing;
        try
        {
            if (await groups.ConfirmRestoreAsync(context.RequestAborted))
                ServerLog.RestoreConfirmed(logger, access.WhoAsks(context));
            return null;
        }
        catch (SemaphoreStoreException e)
        {
            faults.Failed(StoreFaultLog.WholeStore, e);
            return ErrorReply.StoreUnavailable();
        }
        catch (OperationCanceledException)
        {
            return ErrorReply.ShuttingDown();
        }
    }
}
