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
        var refusal = await DecideAsync(context, operation);
        if (refusal is null)
        {
            context.Response.ContentLength = 0;
            return;
        }

        metrics.Refused(operation, refusal.Kind);
        await refusal.WriteAsync(context.Response);
    }

    /// <summary>Decides the request.</summary>
    /// <returns>The refusal; <see langword="null"/> when the operation is done, and on disk.</returns>
    private async Task<ErrorReply?> DecideAsync(HttpContext context, FleetLockOperation operation)
    {
        if (RefuseWithoutHeader(context.Request) is { } missing)
            return missing;

        // Nothing is read of a request whose sender is not known.
        if (access.Refuse(context, Right.Node) is { } unknown)
            return unknown;

        var (read, unread) = await RequestBody.ReadAsync(context.Request, Read);
        if ((unread ?? read.Refusal) is { } refusal)
            return refusal;

        var (group, id, _) = read;
        if (access.Refuse(context, Right.Node, group, id) is { } forbidden)
            return forbidden;

        GroupCoordinator? coordinator = null;
        try
        {
            coordinator = operation == FleetLockOperation.Lock
                ? groups.FindConfigured(group)
                : await groups.FindAsync(group, context.RequestAborted);
            if (coordinator is null)
                return ErrorReply.UnknownGroup(group);

            var decision = operation == FleetLockOperation.Lock
                ? await LockAsync(context, coordinator, id)
                : await coordinator.UnlockAsync(id, context.RequestAborted);
            faults.Answered(group);
            ServerLog.Decided(logger, decision.Reply, id, group, decision.Slots);
            if (decision.Reply == SlotReply.Granted && context.RequestAborted.IsCancellationRequested
                && await TryTakeBackAsync(context, coordinator, group, id, decision.Holder!))
                return ErrorReply.ShuttingDown();
            if (decision.Reply == SlotReply.Full)
                return ErrorReply.Full(decision.Slots);
            metrics.Done(operation, decision.Reply);
            return null;
        }
        catch (SemaphoreStoreException e)
        {
            faults.Failed(coordinator is null ? StoreFaultLog.WholeStore : group, e);
            return ErrorReply.StoreUnavailable();
        }
        catch (OperationCanceledException)
        {
            // The client has gone, or the server is stopping; the request was not decided.
            return ErrorReply.ShuttingDown();
        }
    }

    /// <summary>The header that keeps a stray redirect from acting is asked for wherever something changes.</summary>
    /// <param name="request">The request.</param>
    /// <returns>The refusal, if it is not there.</returns>
    internal static ErrorReply? RefuseWithoutHeader(HttpRequest request)
    {
        var header = request.Headers[FleetLockProtocol.Header];
        return header == FleetLockProtocol.HeaderValue ? null : ErrorReply.MissingHeader(header.Count == 0 ? null : header.ToString());
    }

    private Task<SlotDecision> LockAsync(HttpContext context, GroupCoordinator coordinator, string id)
    {
        var wait = TimeSpan.FromSeconds(Math.Min(WaitPreference.ReadSeconds(context.Request.Headers[FleetLockProtocol.PreferHeader]), options.Current.MaxWait.TotalSeconds));
        if (wait > TimeSpan.Zero)
            context.Response.Headers[FleetLockProtocol.PreferenceAppliedHeader] = WaitPreference.Applied(wait);
        return coordinator.LockAsync(id, context.Connection.RemoteIpAddress?.ToString(), wait, context.RequestAborted);
    }

    /// <summary>The client had gone before a byte of its answer was sent, so it cannot know of the grant; unless it has asked again since.</summary>
    /// <returns>True when it is taken back.</returns>
    private async Task<bool> TryTakeBackAsync(HttpContext context, GroupCoordinator coordinator, string group, string id, SlotHolder granted)
    {
        // Whatever is answered now is not to reach anybody, also if only half of the connection is closed.
        context.Abort();
        var decision = await coordinator.TakeBackAsync(id, granted);
        var isTakenBack = decision.Reply == SlotReply.Released;
        ServerLog.Undelivered(logger, group, id, isTakenBack ? "it is taken back" : "it stands");
        return isTakenBack;
    }

    private static (string Group, string Id, ErrorReply? Refusal) Read(ReadOnlySpan<byte> body) =>
        RequestReader.TryRead(body, out var group, out var id, out var refusal) ? (group, id, null) : ("", "", refusal);
}
