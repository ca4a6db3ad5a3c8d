using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace FleetLock.Server;

/// <summary>The protocol's two operations over HTTP.</summary>
internal sealed class ProtocolEndpoint(
    SemaphoreGroups groups, AccessPolicy access, OptionsInForce options, ServerMetrics metrics, StoreFaultLog faults, ILogger logger)
{
    /// <summary><c>POST /v1/pre-reboot</c>.</summary>
    /// <param name="context">The exchange.</param>
    /// <returns>When the answer is written.</returns>
    internal Task PreRebootAsync(HttpContext context) => HandleAsync(context, FleetLockOperation.Lock);

    /// <summary><c>POST /v1/steady-state</c>.</summary>
    /// <param name="context">The exchange.</param>
    /// <returns>When the answer is written.</returns>
    internal Task SteadyStateAsync(HttpContext context) => HandleAsync(context, FleetLockOperation.Unlock);

    private async Task HandleAsync(HttpContext context, FleetLockOperation operation)
    {
        var (group, id, refusal) = await ReadAsync(context);
        try
        {
            if (refusal is null)
            {
                refusal = operation == FleetLockOperation.Lock
                    ? await LockAsync(context, group, id)
                    : await UnlockAsync(context, group, id);
            }
        }
        catch (SemaphoreStoreException e)
        {
            faults.Failed(groups.Configured.ContainsKey(group) ? group : StoreFaultLog.WholeStore, e);
            refusal = ErrorReply.StoreUnavailable(e.MayHaveSaved == true);
        }
        catch (OperationCanceledException)
        {
            // The client has disconnected, or the server is stopping; the request was not decided.
            refusal = ErrorReply.ShuttingDown();
        }

        if (refusal is null)
        {
            context.Response.ContentLength = 0;
            return;
        }

        metrics.Refused(operation, refusal.Kind);
        await refusal.WriteAsync(context.Response);
    }

    /// <summary>Reads a request whose client may send it.</summary>
    /// <returns>What it is about; or the refusal.</returns>
    private async ValueTask<(string Group, string Id, ErrorReply? Refusal)> ReadAsync(HttpContext context)
    {
        if (RefuseWithoutHeader(context.Request) is { } missing)
            return ("", "", missing);

        // Nothing is read of a request whose sender is not known.
        if (access.Refuse(context, Right.Node) is { } unknown)
            return ("", "", unknown);

        var ((group, id, invalid), unread) = await RequestBody.ReadAsync(context.Request, Read, logger);
        return (group, id, unread ?? invalid ?? access.Refuse(context, Right.Node, group, id));
    }

    /// <summary>The header that keeps a stray redirect from acting is asked for wherever something changes.</summary>
    /// <param name="request">The request.</param>
    /// <returns>The refusal, if it is not there.</returns>
    internal static ErrorReply? RefuseWithoutHeader(HttpRequest request)
    {
        var header = request.Headers[FleetLockProtocol.Header];
        return header == FleetLockProtocol.HeaderValue ? null : ErrorReply.MissingHeader(header);
    }

    /// <returns>The refusal; <see langword="null"/> when the slot is granted, which is durable.</returns>
    private async Task<ErrorReply?> LockAsync(HttpContext context, string group, string id)
    {
        if (!TryReadGrant(context.Request, out var grantId))
            return ErrorReply.InvalidGrant(context.Request.Headers[FleetLockProtocol.GrantHeader]);
        if (groups.FindConfigured(group) is not { } coordinator)
            return ErrorReply.UnknownGroup(group);

        // Nobody can be told of this grant.
        if (context.Features.Get<DeferredEndReader>() is { HasEnded: true })
            throw new OperationCanceledException();

        var wait = ReadWait(context);
        var request = new LockRequest(id, grantId ?? GrantId.Create(), context.Connection.RemoteIpAddress?.ToString(), wait);
        var isAllowed = access.CreateLockCheck(context, group, id);
        var decision = await DecideAsync(context, coordinator, group, request, isAllowed);
        Report(group, id, decision);
        switch (decision.Reply)
        {
            case SlotReply.Granted when context.RequestAborted.IsCancellationRequested:
                return await RevokeAsync(context, coordinator, group, id, decision.Holder!);
            case SlotReply.Granted or SlotReply.Renewed or SlotReply.AlreadyHeld:
                metrics.Done(FleetLockOperation.Lock, decision.Reply);
                WriteGrant(context.Response, decision);
                return null;
            case SlotReply.GrantCancelled:
                return ErrorReply.GrantCancelled();
            case SlotReply.StoreRestored:
                return ErrorReply.StoreRestored();
            case SlotReply.UnknownGroup:
                return ErrorReply.UnknownGroup(group);
            case SlotReply.NotAllowed:
                return access.Refuse(context, Right.Node, group, id) ?? ErrorReply.Forbidden("the credentials of this server have changed");
            default:
                return ErrorReply.Full(decision.Slots);
        }
    }

    private async Task<SlotDecision> DecideAsync(HttpContext context, GroupCoordinator coordinator, string group, LockRequest request, Func<bool> isAllowed)
    {
        try
        {
            return await coordinator.LockAsync(request, isAllowed, context.RequestAborted);
        }
        catch (SemaphoreStoreException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The store may have saved the grant all the same. No client receives the failure, so none undoes the lock.
            ServerLog.Undelivered(logger, group, request.Id);
            throw;
        }
    }

    /// <summary>An unlock is carried out once it is read, also if its client disconnects.</summary>
    private async Task<ErrorReply?> UnlockAsync(HttpContext context, string group, string id)
    {
        if (await groups.FindAsync(group, CancellationToken.None) is not { } coordinator)
            return ErrorReply.UnknownGroup(group);
        var decision = await coordinator.DecideAsync(new UnlockRequest(id), context.RequestAborted);
        Report(group, id, decision);
        metrics.Done(FleetLockOperation.Unlock, decision.Reply);
        return null;
    }

    private void Report(string group, string id, in SlotDecision decision)
    {
        faults.Answered(group);
        ServerLog.Decided(logger, decision.Reply, id, group, decision.Slots);
    }

    /// <returns>False when the header is malformed or repeated; true without a grant id when it is missing.</returns>
    private static bool TryReadGrant(HttpRequest request, out string? grantId)
    {
        var header = request.Headers[FleetLockProtocol.GrantHeader];
        grantId = header.Count == 1 ? header[0] : null;
        return header.Count == 0 || (header.Count == 1 && GrantId.IsValid(grantId));
    }

    private static void WriteGrant(HttpResponse response, in SlotDecision decision)
    {
        if (decision.Holder?.GrantId is { } grantId)
            response.Headers[FleetLockProtocol.GrantHeader] = grantId;
        response.Headers[FleetLockProtocol.GrantStatusHeader] =
            decision.Reply == SlotReply.AlreadyHeld ? FleetLockProtocol.GrantHeld : FleetLockProtocol.GrantNew;
    }

    private TimeSpan ReadWait(HttpContext context)
    {
        var seconds = WaitPreference.ReadSeconds(context.Request.Headers[FleetLockProtocol.PreferHeader]);
        var wait = TimeSpan.FromSeconds(Math.Min(seconds, options.Current.MaxWait.TotalSeconds));
        if (wait > TimeSpan.Zero)
            context.Response.Headers[FleetLockProtocol.PreferenceAppliedHeader] = WaitPreference.Applied(wait);
        return wait;
    }

    /// <summary>
    /// The client disconnected before a byte of its answer was sent, so nobody was told of this grant, unless the hold was answered again since. Only the
    /// request that made the grant comes here: an undelivered repeat revokes nothing.
    /// </summary>
    private async Task<ErrorReply> RevokeAsync(HttpContext context, GroupCoordinator coordinator, string group, string id, SlotHolder granted)
    {
        // Whatever is answered from now on must not reach anybody, not even when only half of the connection is closed.
        context.Abort();
        if (await TryRevokeAsync(coordinator, group, id, granted))
            ServerLog.Revoked(logger, group, id);
        else
            ServerLog.Undelivered(logger, group, id);
        return ErrorReply.ShuttingDown();
    }

    private async Task<bool> TryRevokeAsync(GroupCoordinator coordinator, string group, string id, SlotHolder granted)
    {
        try
        {
            var revoke = new RevokeRequest(id, granted.GrantId!, granted.Renewals);
            return (await coordinator.DecideAsync(revoke, CancellationToken.None)).Reply == SlotReply.Released;
        }
        catch (SemaphoreStoreException e)
        {
            faults.Failed(group, e);
            return false;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private static (string Group, string Id, ErrorReply? Refusal) Read(ReadOnlySpan<byte> body) =>
        RequestReader.TryRead(body, out var group, out var id, out var refusal) ? (group, id, null) : ("", "", refusal);
}
