using System.Text;
using Microsoft.AspNetCore.Http;

namespace FleetLock.Server;

/// <summary>The description of the server's paths: <c>openapi.json</c>, written by hand and held to the routes by a test.</summary>
internal static class OpenApiEndpoint
{
    private static readonly Lazy<byte[]> Document = new(Read);

    /// <summary><c>GET /openapi.json</c>. Anybody may read it: it says nothing of this one server but its version.</summary>
    /// <param name="context">The exchange.</param>
    /// <returns>When the answer is written.</returns>
    internal static Task ShowAsync(HttpContext context) => JsonAnswer.WriteAsync(context.Response, Document.Value);

    private static byte[] Read()
    {
        using var reader = new StreamReader(typeof(OpenApiEndpoint).Assembly.GetManifestResourceStream("openapi.json")!);
        return Encoding.UTF8.GetBytes(reader.ReadToEnd().Replace("{version}", ServerVersion.Text, StringComparison.Ordinal));
    }
}
