using System.Collections;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Primitives;

namespace FleetLock.Server;

/// <summary>
/// Gives each request an id, by which its answer and its lines in the log are found: the one that the client or a proxy sent, if it is fit to be
/// shown, or one of our own.
/// </summary>
internal sealed class RequestIdentity(ILogger logger)
{
    internal const string Header = "X-Request-Id";

    /// <summary>The member under which the log's scope has the id.</summary>
    internal const string ScopeKey = "RequestId";

    private const int MaxLength = 64;

    /// <summary>Names the request, and goes on with it.</summary>
    /// <param name="context">The exchange.</param>
    /// <param name="next">What follows.</param>
    /// <returns>When that is done.</returns>
    internal async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        var id = context.TraceIdentifier = Accept(context.Request.Headers[Header]) ?? context.TraceIdentifier;
        context.Response.Headers[Header] = id;
        using (logger.BeginScope(new Scope(id)))
            await next(context);
    }

    private static string? Accept(StringValues sent)
    {
        if (sent is not [{ Length: > 0 and <= MaxLength } id])
            return null;
        foreach (var c in id)
        {
            if (c is < '!' or > '~')
                return null;
        }

        return id;
    }

    private sealed class Scope(string id) : IReadOnlyList<KeyValuePair<string, object?>>
    {
        public int Count => 1;

        public KeyValuePair<string, object?> this[int index] => new(ScopeKey, id);

        public IEnumerator<KeyValuePair<string, object?>> GetEnumerator()
        {
            yield return this[0];
        }

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

        public override string ToString() => $"{ScopeKey}:{id}";
    }
}
