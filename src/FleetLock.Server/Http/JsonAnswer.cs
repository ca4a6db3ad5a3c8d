using Microsoft.AspNetCore.Http;

namespace FleetLock.Server;

/// <summary>Sends a JSON body.</summary>
internal static class JsonAnswer
{
    internal static Task WriteAsync(HttpResponse response, ReadOnlyMemory<byte> body)
    {
        response.ContentType = "application/json";
        response.ContentLength = body.Length;
        return response.Body.WriteAsync(body).AsTask();
    }
}
