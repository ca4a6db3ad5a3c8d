using System.Text.RegularExpressions;
#if NET
#else
using System.Net;
using System.Security.Authentication;
#endif

namespace FleetLock;

/// <summary>Exceptions of the HTTP stack → outcome: name, connection, TLS, proxy, a broken answer and a broken connection are told apart.</summary>
internal static class TransportFailure
{
    /// <summary>What a failed exchange came to.</summary>
    /// <param name="e">What the HTTP stack threw.</param>
    /// <param name="server">The server, for the message.</param>
    /// <param name="proxy">The proxy on the way to it, if there is one: that is what the connection goes to.</param>
    /// <returns>The outcome.</returns>
    internal static Outcome Read(Exception e, ServerAddress server, Uri? proxy)
    {
        var cause = TerminalText.Clean(WithoutUserInfo(Innermost(e).Message));
        return CauseOf(e) switch
        {
            Cause.Name when proxy is not null => NotSent($"cannot find the proxy '{proxy.Host}', through which {server.Peer} is reached: {cause}"),
            Cause.Name => NotSent($"cannot find the host '{server.Uri.Host}': {cause}"),
            Cause.Connect when proxy is not null => NotSent($"cannot connect to the proxy {proxy.Host}:{proxy.Port}, through which {server.Peer} is reached: {cause}"),
            Cause.Connect => NotSent($"cannot connect to {server.Peer}: {cause}"),
            Cause.Tls => NotSent($"the TLS connection to {server.Peer} failed: {cause.TrimEnd('.')}; it takes https at that port, and a certificate for '{server.Uri.Host}' of an authority that is trusted or named (-CaCertificatePath, --ca-certificate)"),
            Cause.Proxy => NotSent($"the proxy refused the way to {server.Peer}: {cause}"),
            Cause.NotHttp => new Outcome(FleetLockStatus.ProtocolError, ErrorKinds.ClientFailedRequest, $"what answers at {server.Peer} is not HTTP: {cause}")
            {
                OutcomeUnknown = true,
            },
            _ => new Outcome(FleetLockStatus.Unreachable, ErrorKinds.ClientFailedRequest, $"the connection to {server.Peer} broke before the answer was complete: {cause}{HintOf(server)}")
            {
                OutcomeUnknown = true,
            },
        };
    }

    private enum Cause
    {
        Name,
        Connect,
        Tls,
        Proxy,
        NotHttp,
        Broken,
    }

    /// <summary>A port that takes https ends a connection that begins with http.</summary>
    private static string HintOf(ServerAddress server) =>
        server.Uri.Scheme == Uri.UriSchemeHttp && server.SocketPath is null ? " (if that port takes https, the URL begins with https://)" : "";

    private static Outcome NotSent(string message) => new(FleetLockStatus.Unreachable, ErrorKinds.ClientFailedRequest, message);

    /// <summary>.NET names a proxy by its whole address, with the password that is in it.</summary>
    private static string WithoutUserInfo(string message) => Regex.Replace(message, @"://[^\s/]*@", "://");

    private static Exception Innermost(Exception e)
    {
        while (e.InnerException is { } inner)
            e = inner;
        return e;
    }

#if NET
    private static Cause CauseOf(Exception e) => e is OperationCanceledException { InnerException: TimeoutException } ? Cause.Connect
        : e is not HttpRequestException http ? Cause.Broken
        : http.HttpRequestError switch
        {
            HttpRequestError.NameResolutionError => Cause.Name,
            HttpRequestError.ConnectionError => Cause.Connect,
            HttpRequestError.SecureConnectionError => Cause.Tls,
            HttpRequestError.ProxyTunnelError => Cause.Proxy,
            HttpRequestError.InvalidResponse or HttpRequestError.ConfigurationLimitExceeded => Cause.NotHttp,
            _ => Cause.Broken,
        };
#else
    private static Cause CauseOf(Exception e)
    {
        for (var inner = e; inner is not null; inner = inner.InnerException!)
        {
            if (inner is AuthenticationException)
                return Cause.Tls;
            if (inner is WebException web)
            {
                return web.Status switch
                {
                    WebExceptionStatus.NameResolutionFailure => Cause.Name,
                    WebExceptionStatus.ConnectFailure => Cause.Connect,
                    WebExceptionStatus.TrustFailure or WebExceptionStatus.SecureChannelFailure => Cause.Tls,
                    WebExceptionStatus.ProxyNameResolutionFailure or WebExceptionStatus.RequestProhibitedByProxy => Cause.Proxy,
                    WebExceptionStatus.ServerProtocolViolation or WebExceptionStatus.MessageLengthLimitExceeded => Cause.NotHttp,
                    _ => Cause.Broken,
                };
            }
        }

        return Cause.Broken;
    }
#endif
}
