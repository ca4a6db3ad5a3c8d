using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace FleetLock.TestKit;

/// <summary>A TLS listener on the loopback that asks for a client certificate, remembers which one was shown, and answers each request with 200.</summary>
public sealed class ClientCertificateServer : IAsyncDisposable
{
    private static readonly byte[] Granted = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"u8.ToArray();

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly X509Certificate2 _certificate;
    private readonly Task _serving;

    /// <summary>Starts to listen.</summary>
    /// <param name="certificate">The server's certificate, with its key.</param>
    public ClientCertificateServer(X509Certificate2 certificate)
    {
        _certificate = certificate;
        _listener.Start();
        Url = string.Create(CultureInfo.InvariantCulture, $"https://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");
        _serving = ServeAsync();
    }

    /// <summary>The base address, without a slash at its end.</summary>
    public string Url { get; }

    /// <summary>The thumbprint of the certificate that the last client has shown; empty when it has shown none.</summary>
    public string? Shown { get; private set; }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _serving;
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task ServeAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                using var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                await AnswerAsync(client);
            }
            catch (Exception e) when (e is IOException or SocketException or AuthenticationException or OperationCanceledException)
            {
                // The client went, or the test is over.
            }
        }
    }

    private async Task AnswerAsync(TcpClient client)
    {
        await using var stream = new SslStream(client.GetStream());
        var options = new SslServerAuthenticationOptions
        {
            ServerCertificate = _certificate,
            ClientCertificateRequired = true,
#pragma warning disable CA5359 // The test looks at what was shown.
            RemoteCertificateValidationCallback = static (_, _, _, _) => true,
#pragma warning restore CA5359
        };
        await stream.AuthenticateAsServerAsync(options, _stop.Token);
        Shown = (stream.RemoteCertificate as X509Certificate2)?.Thumbprint ?? "";
        await stream.ReadAtLeastAsync(new byte[64 * 1024], 1, throwOnEndOfStream: false, _stop.Token);
        await stream.WriteAsync(Granted, _stop.Token);
    }
}
