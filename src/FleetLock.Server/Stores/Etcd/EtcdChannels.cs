using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Grpc.Net.Client;

namespace FleetLock.Server;

/// <summary>The channels to the members of etcd: certificates, sockets and pings.</summary>
internal static class EtcdChannels
{
    /// <summary>The most that one answer of etcd may be: 64 MiB, which is all groups with all holders.</summary>
    private const int MaxAnswerBytes = 64 * 1024 * 1024;

    /// <summary>How often a silent connection is tried. etcd ends one that is tried more often than every 5 seconds.</summary>
    private static readonly TimeSpan PingInterval = TimeSpan.FromSeconds(10);

    /// <summary>Creates a channel for each endpoint. The certificates are read; nothing is sent.</summary>
    /// <exception cref="FleetLockInputException">A certificate cannot be used.</exception>
    internal static IEnumerable<GrpcChannel> Create(EtcdStoreOptions options)
    {
        var tls = options.Endpoints[0].Scheme == Uri.UriSchemeHttps ? TlsOf(options) : null;
        return options.Endpoints.Select(endpoint => Create(endpoint, tls, options.Timeout));
    }

    private static GrpcChannel Create(Uri endpoint, SslClientAuthenticationOptions? tls, TimeSpan timeout)
    {
        var options = new GrpcChannelOptions
        {
            HttpHandler = CreateHandler(tls, timeout),
            DisposeHttpClient = true,
            MaxReceiveMessageSize = MaxAnswerBytes,
        };
        return GrpcChannel.ForAddress(endpoint, options);
    }

    private static SocketsHttpHandler CreateHandler(SslClientAuthenticationOptions? tls, TimeSpan timeout)
    {
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
            KeepAlivePingDelay = PingInterval,
            KeepAlivePingTimeout = timeout > TimeSpan.FromSeconds(1) ? timeout : TimeSpan.FromSeconds(1),

            // etcd does not take pings on a connection that nothing goes on.
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,

            // With a callback of ours the channel does not connect by itself, and so does not pause, for longer and longer, after
            // a failure.
            ConnectCallback = static (context, cancellationToken) => ConnectAsync(context, cancellationToken),
        };
        if (tls is not null)
            handler.SslOptions = tls;
        return handler;
    }

    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static SslClientAuthenticationOptions TlsOf(EtcdStoreOptions options)
    {
        var tls = new SslClientAuthenticationOptions();
        if (options.CertificatePath is { } path)
            tls.ClientCertificateContext = SslStreamCertificateContext.Create(ReadCertificate(path, options.KeyPath), null, offline: true);
        if (options.CaCertificatePath is { } authorities)
        {
            tls.CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
            };
            tls.CertificateChainPolicy.CustomTrustStore.AddRange(CertificateFile.ReadAuthorities(authorities));
        }

        return tls;
    }

    private static X509Certificate2 ReadCertificate(string path, string? keyPath)
    {
        if (keyPath is null)
            return CertificateFile.ReadClientCertificate(path);
        try
        {
            using var certificate = X509Certificate2.CreateFromPemFile(path, keyPath);

            // Windows' TLS does not take a key that is in memory only.
            return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            var reason = TerminalText.Clean(e.Message);
            throw new FleetLockInputException("etcd", $"The client certificate {path} with the key {keyPath} cannot be used: {reason}", e);
        }
    }
}
