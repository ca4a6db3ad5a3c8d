using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace FleetLock.Server;

/// <summary>The extension by which a client ends what one grant id asked for, whether it was granted, waits, or is still on its way.</summary>
internal sealed class GrantsEndpoint(SemaphoreGroups groups, AccessPolicy access, StoreFaultLog faults, ILogger logger)
{
    /// <summary><c>DELETE /v1/groups/{group}/grants/{grantId}?id=…</c>, idempotent; <c>&amp;reason=undo</c> marks an undo in the log.</summary>
    internal async Task CancelAsync(HttpContext context, string group, string grantId)
    {
        if (await DecideAsync(context, group, grantId) is { } refusal)
            await refusal.WriteAsync(context.Response);
        else
            context.Response.ContentLength = 0;
    }

    private async Task<ErrorReply?> DecideAsync(HttpContext context, string group, string grantId)
    {
        if (ProtocolEndpoint.RefuseWithoutHeader(context.Request) is { } missing)
            return missing;
        if (access.Refuse(context, Right.Node) is { } unknown)
            return unknown;
        if (QueryValue.Read(context.Request, FleetLockProtocol.IdParameter, out var id) is { } repeatedId)
            return ErrorReply.InvalidId(repeatedId);
        if (access.Refuse(context, Right.Node, group, id) is { } forbidden)
            return forbidden;
        if (ProtocolRules.FaultOfGroup(group) is { } groupError)
            return ErrorReply.InvalidGroup(groupError);
        if (ProtocolRules.FaultOfId(id) is { } idError)
            return ErrorReply.InvalidId(idError);
        if (!GrantId.IsValid(grantId))
            return ErrorReply.InvalidGrant(grantId);
        if (QueryValue.Read(context.Request, FleetLockProtocol.ReasonParameter, out var reason) is { } repeatedReason)
            return ErrorReply.InvalidRequest(repeatedReason);

        try
        {
            // Carried out once it is read, also if its client disconnects.
            if (await groups.FindAsync(group, CancellationToken.None) is not { } coordinator)
                return ErrorReply.NoSuchGroup(group);
            var decision = await coordinator.DecideAsync(new CancelGrantRequest(id, grantId), context.RequestAborted);
            faults.Answered(group);
            Write(context, group, id, grantId, decision.Reply, reason);
            return null;
        }
        catch (SemaphoreStoreException e)
        {
            faults.Failed(groups.Configured.ContainsKey(group) ? group : StoreFaultLog.WholeStore, e);
            return ErrorReply.StoreUnavailable(e.MayHaveSaved == true);
        }
        catch (OperationCanceledException)
        {
            return ErrorReply.ShuttingDown();
        }
    }

    private void Write(HttpContext context, string group, string id, string grantId, SlotReply reply, string reason)
    {
        var outcome = reply switch
        {
            SlotReply.Released => FleetLockProtocol.GrantReleased,
            SlotReply.Kept => FleetLockProtocol.GrantKept,
            _ => FleetLockProtocol.GrantAbsent,
        };
        context.Response.Headers[FleetLockProtocol.GrantHeader] = grantId;
        context.Response.Headers[FleetLockProtocol.GrantStatusHeader] = outcome;
        var suffix = reason == FleetLockProtocol.UndoReason ? " (undo)" : "";
        if (reply == SlotReply.Kept)
            ServerLog.GrantKept(logger, group, id, grantId, suffix);
        else
            ServerLog.GrantCancelled(logger, group, id, grantId, outcome + suffix);
    }
}
