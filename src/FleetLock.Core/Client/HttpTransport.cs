using System.Net;
using System.Net.Http.Headers;
using System.Text;
#if NET
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
#endif

namespace FleetLock;

/// <summary>Makes the <see cref="HttpClient"/> that FleetLock requests go through. The one home of its settings.</summary>
internal static class HttpTransport
{
    /// <summary>The most that is read of a list of groups: 16 MiB.</summary>
    private const long MaxListBytes = 16 * 1024 * 1024;

#if NET
    /// <summary>How long a connection may take where there is another server to try.</summary>
    private static readonly TimeSpan LongestConnect = TimeSpan.FromSeconds(10);
#endif

    private static readonly ProductInfoHeaderValue UserAgent =
        new("FleetLock", typeof(HttpTransport).Assembly.GetName().Version?.ToString(3) ?? "0");

    // Headers that belong to the protocol, to the connection or to the body.
    private static readonly HashSet<string> Reserved = new(StringComparer.OrdinalIgnoreCase)
    {
        FleetLockProtocol.Header, FleetLockProtocol.GrantHeader, "Authorization", "Connection", "Expect", "Host", "Prefer", "Proxy-Authorization", "TE", "Trailer", "Transfer-Encoding", "Upgrade",
    };

    private static readonly string[] ProxySchemes =
#if NET
        ["http", "https", "socks4", "socks4a", "socks5"];
#else
        ["http"];
#endif

    internal static HttpClient Create(FleetLockClientOptions options)
    {
        // The time-out is the request's own (see FleetLockClient): HttpClient.Timeout cannot be told apart from a cancellation on .NET Framework.
        var http = new HttpClient(CreateHandler(options), disposeHandler: true)
        {
            Timeout = System.Threading.Timeout.InfiniteTimeSpan,
            MaxResponseContentBufferSize = MaxListBytes,
        };
        http.DefaultRequestHeaders.UserAgent.Add(UserAgent);
        http.DefaultRequestHeaders.ExpectContinue = false;
        http.DefaultRequestHeaders.Authorization = AuthorizationOf(options);
        foreach (var header in options.Headers ?? new Dictionary<string, string>())
            Add(http.DefaultRequestHeaders, header.Key, header.Value);
        return http;
    }

    private static AuthenticationHeaderValue? AuthorizationOf(FleetLockClientOptions options)
    {
        if (options.Token is { } token)
            return new AuthenticationHeaderValue("Bearer", RequireToken(token, "the token"));
        if (options.Credential is { } credential)
            return new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{credential.UserName}:{credential.Password}")));
        return options.Server.BasicCredentials is { } ofAddress ? new AuthenticationHeaderValue("Basic", ofAddress) : null;
    }

    /// <summary>Returns a token that a header can carry (RFC 6750, section 2.1). The value is a secret and not shown.</summary>
    internal static string RequireToken(string token, string source) => token.Length > 0 && token.All(c => c is > ' ' and <= '~')
        ? token
        : throw new FleetLockInputException("token", $"The token ({source}) is empty or has a character that a bearer token cannot have.");

    private static void Add(HttpRequestHeaders headers, string name, string value)
    {
        // The value is perhaps a secret, and not shown; .NET's own message would show it.
        if (Reserved.Contains(name) || name.StartsWith("Content-", StringComparison.OrdinalIgnoreCase))
            throw new FleetLockInputException("header", $"The header '{ProtocolRules.Show(name)}' cannot be set: it belongs to the protocol or to the connection.");
        if (value.Any(c => c is < ' ' or > '~'))
            throw new FleetLockInputException("header", $"The header '{ProtocolRules.Show(name)}' has a character in its value that is not printable ASCII.");
        try
        {
            headers.Add(name, value);
        }
        catch (Exception e) when (e is FormatException or InvalidOperationException or ArgumentException)
        {
            // Neither the message nor the exception go on: the value is in them.
            throw new FleetLockInputException("header", $"The header '{ProtocolRules.Show(name)}' is not a good one: HTTP does not take its name, or not this value for it.");
        }
    }

    /// <summary>The proxy on the way to the server.</summary>
    /// <returns>Its address; <see langword="null"/> when the connection goes to the server itself.</returns>
    internal static Uri? FindProxy(FleetLockClientOptions options)
    {
        if (options.NoProxy || options.Server.SocketPath is not null)
            return null;
#if NET
        var proxy = ProxyOf(options) ?? HttpClient.DefaultProxy;
#else
        var proxy = ProxyOf(options) ?? WebRequest.DefaultWebProxy;
#endif
        return proxy is null || proxy.IsBypassed(options.Server.Uri) ? null : proxy.GetProxy(options.Server.Uri);
    }

    private static WebProxy? ProxyOf(FleetLockClientOptions options)
    {
        if (options.Proxy is not { } proxy)
            return null;

        if (!proxy.IsAbsoluteUri || !ProxySchemes.Contains(proxy.Scheme))
            throw new FleetLockInputException("proxy", $"The proxy's address is not of the form SCHEME://HOST:PORT, with one of the schemes {string.Join(", ", ProxySchemes)}.");

        // A user and a password in the proxy's address are for the proxy, and not for the messages that show the address.
        var userInfo = proxy.UserInfo.Split([':'], 2);
        return new WebProxy(new UriBuilder(proxy) { UserName = "", Password = "" }.Uri)
        {
            Credentials = userInfo[0].Length == 0
                ? null
                : new NetworkCredential(Uri.UnescapeDataString(userInfo[0]), userInfo.Length == 2 ? Uri.UnescapeDataString(userInfo[1]) : ""),
        };
    }

#if NET
    private static SocketsHttpHandler CreateHandler(FleetLockClientOptions options)
    {
        var handler = new SocketsHttpHandler
        {
            // A followed redirect turns the POST into a GET whose 200 would read as a grant.
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            UseCookies = false,
            // So that a change in the name service is noticed by a client that lives for long.
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),

            // A server that does not even refuse the connection is to leave time for the next one.
            ConnectTimeout = options.OtherServers.Count > 0 ? LongestConnect : Timeout.InfiniteTimeSpan,
            UseProxy = !options.NoProxy && options.Server.SocketPath is null,
            Proxy = ProxyOf(options),
        };

        // Only then, because it costs a short-lived process the time to load the cryptography.
        if (options.Server.Uri.Scheme == Uri.UriSchemeHttps)
            handler.SslOptions = TlsOf(options);
        if (options.Server.SocketPath is { } path)
            handler.ConnectCallback = (_, token) => ConnectAsync(path, token);
        return handler;
    }

    private static SslClientAuthenticationOptions TlsOf(FleetLockClientOptions options)
    {
        var tls = new SslClientAuthenticationOptions();
        if (options.ClientCertificate is { } certificate)
            tls.ClientCertificateContext = SslStreamCertificateContext.Create(certificate, null, offline: true);
        if (options.CaCertificates is { } authorities)
        {
            tls.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            tls.CertificateChainPolicy.CustomTrustStore.AddRange(authorities);
        }

#pragma warning disable CA5359 // The caller asked for it by a name that says what it does, and is warned.
        if (options.SkipCertificateCheck)
            tls.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
#pragma warning restore CA5359
        return tls;
    }

    private static async ValueTask<Stream> ConnectAsync(string socketPath, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath), cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
#else
    private static HttpClientHandler CreateHandler(FleetLockClientOptions options)
    {
        var handler = new HttpClientHandler
        {
            // A followed redirect turns the POST into a GET whose 200 would read as a grant.
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            UseCookies = false,
            UseDefaultCredentials = false,
            UseProxy = !options.NoProxy,
        };
        if (ProxyOf(options) is { } proxy)
            handler.Proxy = proxy;
        if (options.ClientCertificate is { } certificate)
            handler.ClientCertificates.Add(certificate);
        if (options.SkipCertificateCheck)
            handler.ServerCertificateCustomValidationCallback = static (_, _, _, _) => true;
        else if (options.CaCertificates is { } authorities)
            handler.ServerCertificateCustomValidationCallback = (_, server, _, errors) => CertificateFile.ComesFrom(server, authorities, errors);
        return handler;
    }
#endif
}
