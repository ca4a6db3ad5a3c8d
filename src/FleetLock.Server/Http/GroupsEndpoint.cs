using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace FleetLock.Server;

/// <summary>The extensions for people: see the groups, free a slot, change the number of slots.</summary>
internal sealed class GroupsEndpoint(SemaphoreGroups groups, AccessPolicy access, ServerMetrics metrics, StoreFaultLog faults, ILogger logger)
{
    private const string SlotsForm = """the body takes {"slots":N}""";

    /// <summary><c>GET /v1/groups</c>.</summary>
    /// <param name="context">The exchange.</param>
    /// <returns>When the answer is written.</returns>
    internal Task ListAsync(HttpContext context) => AnswerAsync(context, Right.Observe, null, null, async () =>
        Json(JsonSerializer.SerializeToUtf8Bytes(await groups.ListAsync(context.RequestAborted), GroupJson.Default.FleetGroupList)));

    /// <summary><c>GET /v1/groups/{group}</c>.</summary>
    /// <param name="context">The exchange.</param>
    /// <param name="group">The group.</param>
    /// <returns>When the answer is written.</returns>
    internal Task ShowAsync(HttpContext context, string group) => AnswerAsync(context, Right.Observe, group, null, () => ShowAsync(group, context));

    /// <summary><c>PUT /v1/groups/{group}</c> with <c>{"slots":N}</c>: changes the number of slots, until the configuration says another.</summary>
    /// <param name="context">The exchange.</param>
    /// <param name="group">The group.</param>
    /// <returns>When the answer is written.</returns>
    internal Task ResizeAsync(HttpContext context, string group) => AnswerAsync(context, Right.Administer, group, null, async () =>
    {
        if (groups.FindConfigured(group) is not { } coordinator)
            return Refuse(ErrorReply.NoSuchGroup(group));
        var (read, unread) = await RequestBody.ReadAsync(context.Request, ReadSlots, logger);
        if ((unread ?? read.Refusal) is { } refusal)
            return Refuse(refusal);
        await coordinator.DecideAsync(new ResizeRequest(read.Slots), context.RequestAborted);
        ServerLog.Resized(logger, group, read.Slots, access.WhoAsks(context));
        try
        {
            return await ShowAsync(group, context);
        }
        catch (SemaphoreStoreException e)
        {
            // The slots are changed, and only the answer is not there.
            throw e.With(mayHaveSaved: true);
        }
    });

    /// <summary><c>DELETE /v1/groups/{group}/holders/{id}?reason=…</c> or <c>…/holders?id=…&amp;reason=…</c>: frees the slot of an id that does not do it itself. A path cannot carry the ids "." and "..".</summary>
    /// <param name="context">The exchange.</param>
    /// <param name="group">The group.</param>
    /// <param name="idInPath">The node id; <see langword="null"/> when it is in the query.</param>
    /// <returns>When the answer is written.</returns>
    internal Task ForceReleaseAsync(HttpContext context, string group, string? idInPath)
    {
        var fault = QueryValue.Read(context.Request, FleetLockProtocol.IdParameter, out var id);
        if (idInPath is not null && context.Request.Query.ContainsKey(FleetLockProtocol.IdParameter))
            fault = $"the id is in the path and in '?{FleetLockProtocol.IdParameter}=…'; it must be given once";
        return fault is null
            ? AnswerAsync(context, Right.Administer, group, idInPath ?? id, () => ForceReleaseOfAsync(context, group, idInPath ?? id))
            : AnswerAsync(context, Right.Administer, group, null, () => Task.FromResult(Refuse(ErrorReply.InvalidId(fault))));
    }

    private async Task<Func<HttpResponse, Task>> ForceReleaseOfAsync(HttpContext context, string group, string id)
    {
        if (QueryValue.Read(context.Request, FleetLockProtocol.ReasonParameter, out var reason) is { } repeated)
            return Refuse(ErrorReply.InvalidRequest(repeated));
        if (ProtocolRules.FaultOfReason(reason) is { } fault)
            return Refuse(ErrorReply.InvalidRequest($"{fault}, in '?{FleetLockProtocol.ReasonParameter}=…'"));

        // Carried out once it is read, also if its client disconnects.
        if (await groups.FindAsync(group, CancellationToken.None) is not { } coordinator)
            return Refuse(ErrorReply.NoSuchGroup(group));
        var decision = await coordinator.DecideAsync(new UnlockRequest(id), context.RequestAborted);
        if (decision.Reply != SlotReply.Released)
            return Refuse(ErrorReply.NotHeld(id, group));
        metrics.ForcedRelease();
        ServerLog.ForceReleased(logger, group, id, access.WhoAsks(context), reason);
        return Json(JsonSerializer.SerializeToUtf8Bytes(SemaphoreGroups.Describe(id, decision.Holder!), GroupJson.Default.FleetHolder));
    }

    private async Task<Func<HttpResponse, Task>> ShowAsync(string group, HttpContext context) =>
        await groups.ShowAsync(group, context.RequestAborted) is { } shown
            ? Json(JsonSerializer.SerializeToUtf8Bytes(shown, GroupJson.Default.FleetGroup))
            : Refuse(ErrorReply.NoSuchGroup(group));

    private async Task AnswerAsync(HttpContext context, Right right, string? group, string? id, Func<Task<Func<HttpResponse, Task>>> act)
    {
        var answer = Judge(context, right, group, id) is { } refusal ? Refuse(refusal) : null;
        try
        {
            answer ??= await act();
        }
        catch (SemaphoreStoreException e)
        {
            faults.Failed(group is not null && groups.Configured.ContainsKey(group) ? group : StoreFaultLog.WholeStore, e);
            answer = Refuse(ErrorReply.StoreUnavailable(e.MayHaveSaved == true));
        }
        catch (OperationCanceledException)
        {
            answer = Refuse(ErrorReply.ShuttingDown());
        }

        await answer(context.Response);
    }

    private ErrorReply? Judge(HttpContext context, Right right, string? group, string? id)
    {
        if (access.Refuse(context, right, group, id) is { } refusal)
            return refusal;
        if (right == Right.Administer && ProtocolEndpoint.RefuseWithoutHeader(context.Request) is { } missing)
            return missing;
        if (group is not null && ProtocolRules.FaultOfGroup(group) is { } groupFault)
            return ErrorReply.InvalidGroup(groupFault);
        return id is not null && ProtocolRules.FaultOfId(id) is { } idFault ? ErrorReply.InvalidId(idFault) : null;
    }

    private static (int Slots, ErrorReply? Refusal) ReadSlots(ReadOnlySpan<byte> body)
    {
        try
        {
            if (JsonSerializer.Deserialize(body, GroupJson.Default.FleetGroupSlots)?.Slots is not { } slots)
                return (0, ErrorReply.InvalidRequest(SlotsForm));
            return slots is < 0 or > FleetLockServerOptions.MaxSlots
                ? (0, ErrorReply.InvalidRequest($"'slots' is {slots}; it takes 0 to {FleetLockServerOptions.MaxSlots}"))
                : (slots, null);
        }
        catch (JsonException e)
        {
            return (0, ErrorReply.InvalidRequest($"{TerminalText.Clean(e.Message.Split(" Path:")[0])}; {SlotsForm}"));
        }
    }

    private static Func<HttpResponse, Task> Refuse(ErrorReply refusal) => refusal.WriteAsync;

    private static Func<HttpResponse, Task> Json(byte[] body) => response => JsonAnswer.WriteAsync(response, body);
}
