using Microsoft.AspNetCore.Http;

namespace FleetLock.Server;

/// <summary><c>GET /v1</c>: the extensions that this server has, for people, the doctor and tests. A lock or an undo never depends on it.</summary>
internal static class FeaturesEndpoint
{
    private static readonly byte[] Body = """{"features":["grants"]}"""u8.ToArray();

    internal static Task ShowAsync(HttpContext context) => JsonAnswer.WriteAsync(context.Response, Body);
}
