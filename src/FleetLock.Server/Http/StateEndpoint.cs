using System.Text.Json;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace FleetLock.Server;

/// <summary>The extensions that only read: the groups, and whether the server lives.</summary>
internal sealed class StateEndpoint(SemaphoreGroups groups, ILogger logger)
{
    /// <summary><c>GET /v1/groups</c>.</summary>
    /// <param name="context">The exchange.</param>
    /// <returns>When the answer is written.</returns>
    internal async Task GroupsAsync(HttpContext context)
    {
        FleetGroupList list;
        try
        {
            list = await groups.ListAsync(context.RequestAborted).ConfigureAwait(false);
        }
        catch (SemaphoreStoreException e)
        {
            ServerLog.StoreFailed(logger, e);
            await ErrorReply.StoreUnavailable().WriteAsync(context.Response).ConfigureAwait(false);
            return;
        }

        await WriteJsonAsync(context.Response, JsonSerializer.SerializeToUtf8Bytes(list, GroupJson.Default.FleetGroupList)).ConfigureAwait(false);
    }

    /// <summary><c>GET /healthz</c>: the process answers. It does not ask the store.</summary>
    /// <param name="context">The exchange.</param>
    /// <returns>When the answer is written.</returns>
    internal static Task HealthAsync(HttpContext context) => WriteJsonAsync(context.Response, """{"status":"ok"}"""u8.ToArray());

    private static Task WriteJsonAsync(HttpResponse response, byte[] body)
    {
        response.ContentType = "application/json";
        response.ContentLength = body.Length;
        return response.Body.WriteAsync(body).AsTask();
    }
}
