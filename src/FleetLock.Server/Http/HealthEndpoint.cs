using Microsoft.AspNetCore.Http;

namespace FleetLock.Server;

/// <summary>Whether the server lives, and whether it can decide.</summary>
internal sealed class HealthEndpoint(SemaphoreGroups groups, ServerMetrics metrics, StoreFaultLog faults, TimeProvider clock)
{
    private readonly SharedRead<StoredSemaphore> _probe = new(groups.ProbeAsync, clock, metrics);

    /// <summary><c>GET /healthz</c>: the process answers. It does not ask the store: restarting the server would not mend that.</summary>
    /// <param name="context">The exchange.</param>
    /// <returns>When the answer is written.</returns>
    internal static Task HealthAsync(HttpContext context) => JsonAnswer.WriteAsync(context.Response, """{"status":"ok"}"""u8.ToArray());

    /// <summary>
    /// <c>GET /readyz</c>: the store answers too, so that requests should be sent here. Also while the store waits for the confirmation of
    /// a restore, which the body says: releases and reads work then, and a load balancer without servers would stop them too.
    /// </summary>
    /// <param name="context">The exchange.</param>
    /// <returns>When the answer is written.</returns>
    internal async Task ReadyAsync(HttpContext context)
    {
        StoredSemaphore probed;
        try
        {
            probed = await _probe.AskAsync();
        }
        catch (SemaphoreStoreException e)
        {
            faults.Failed(StoreFaultLog.WholeStore, e);
            await ErrorReply.StoreUnavailable().WriteAsync(context.Response);
            return;
        }

        faults.Answered(StoreFaultLog.WholeStore);
        if (probed.IsRestored)
            await JsonAnswer.WriteAsync(context.Response, """{"status":"ok","storeRestored":true}"""u8.ToArray());
        else
            await HealthAsync(context);
    }
}
