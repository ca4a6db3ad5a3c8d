#if NET
using System;
#endif
using System.Net;
using System.Net.Http;
using System.Net.Http.Headers;

namespace FleetLock;

/// <summary>Makes the <see cref="HttpClient"/> that FleetLock requests go through. The one home of its settings.</summary>
internal static class HttpTransport
{
    /// <summary>The most that is read of a list of groups: 16 MiB.</summary>
    private const long MaxListBytes = 16 * 1024 * 1024;

    private static readonly ProductInfoHeaderValue UserAgent =
        new("FleetLock", typeof(HttpTransport).Assembly.GetName().Version?.ToString(3) ?? "0");

    internal static HttpClient Create(FleetLockClientOptions options)
    {
        // The time-out is the request's own (see FleetLockClient): HttpClient.Timeout cannot be told apart from a cancellation on .NET Framework.
        var http = new HttpClient(CreateHandler(), disposeHandler: true)
        {
            Timeout = System.Threading.Timeout.InfiniteTimeSpan,
            MaxResponseContentBufferSize = MaxListBytes,
        };
        http.DefaultRequestHeaders.UserAgent.Add(UserAgent);
        http.DefaultRequestHeaders.ExpectContinue = false;
        if (options.Server.BasicCredentials is { } credentials)
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", credentials);
        return http;
    }

#if NET
    private static SocketsHttpHandler CreateHandler() => new()
    {
        // A followed redirect turns the POST into a GET whose 200 would read as a grant.
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        UseCookies = false,
        // So that a change in the name service is noticed by a client that lives for long.
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
    };
#else
    private static HttpClientHandler CreateHandler() => new()
    {
        // A followed redirect turns the POST into a GET whose 200 would read as a grant.
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        UseCookies = false,
        UseDefaultCredentials = false,
    };
#endif
}
