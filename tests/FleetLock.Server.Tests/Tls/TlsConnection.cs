using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using FleetLock.TestKit;

namespace FleetLock.Server.Tests;

/// <summary>A client's side of a handshake, for tests that look at the handshake itself.</summary>
internal static class TlsConnection
{
    /// <summary>The certificate that the server shows, whatever it is.</summary>
    internal static async Task<X509Certificate2> ShownCertificateAsync(Uri server, SslProtocols protocols = SslProtocols.None)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TestTimeout.Hang);
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(server.Host, server.Port, limit.Token);
        await using var tls = new SslStream(tcp.GetStream());
        await tls.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = server.Host,
                EnabledSslProtocols = protocols,
#pragma warning disable CA5359 // It is looked at, not trusted.
                RemoteCertificateValidationCallback = (_, _, _, _) => true,
#pragma warning restore CA5359
            },
            limit.Token);
        return X509CertificateLoader.LoadCertificate(tls.RemoteCertificate!.GetRawCertData());
    }
}
