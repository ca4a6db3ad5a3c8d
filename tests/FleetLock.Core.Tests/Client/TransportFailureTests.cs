using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FleetLock.TestKit;

namespace FleetLock.Core.Tests;

/// <summary>Rule 8: what can go wrong on the way is told apart, and so is whether the request may have acted.</summary>
public sealed class TransportFailureTests
{
    public static readonly MatrixTheoryData<FleetLockOperation, string> Halves = new(
        Exchange.Operations,
        ["", "H", "HTTP/1.1 20", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"]);

    public static readonly MatrixTheoryData<FleetLockOperation, string> Garbage = new(
        Exchange.Operations,
        [
            "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n",
            "220 mail.example ESMTP Postfix\r\n",
            "-ERR unknown command 'POST'\r\n",
            "<html><body>200 OK</body></html>\r\n\r\n",
            "\u0015\u0003\u0003\u0000\u0002\u0002\u0046 and more\r\n\r\n",
            "HTTP/1.1 200 OK\r\nno colon in this line\r\n\r\n",
        ]);

    [Theory]
    [InlineData(FleetLockOperation.Lock)]
    [InlineData(FleetLockOperation.Unlock)]
    public async Task A_refused_connection_has_sent_nothing(FleetLockOperation operation)
    {
        // Bound but not listening: nobody else can get the port in the meantime.
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        using var client = Exchange.ClientOf($"http://{socket.LocalEndPoint}");

        var result = await client.SendAsync(operation);

        AssertFailed(result, FleetLockStatus.Unreachable, socket.LocalEndPoint!.ToString()!, outcomeUnknown: false);
    }

    [Theory]
    [InlineData("127.0.0.1:9", "cannot connect to the proxy 127.0.0.1:9, through which fleetlock.example:80 is reached: ")]
    [InlineData("no-such-proxy.invalid:8080", "cannot find the proxy 'no-such-proxy.invalid', through which fleetlock.example:80 is reached: ")]
    public async Task A_proxy_that_cannot_be_reached_is_named_and_not_the_server(string proxy, string message)
    {
        using var client = new FleetLockClient(new FleetLockClientOptions
        {
            Server = ServerAddress.Parse("http://fleetlock.example"),
            Proxy = new Uri("http://" + proxy),
        });

        var result = await client.LockAsync(Exchange.Group, Exchange.Id, TestContext.Current.CancellationToken);

        Assert.Equal((FleetLockStatus.Unreachable, false), (result.Status, result.OutcomeUnknown));
        Assert.StartsWith(message, result.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_URL_with_http_for_a_port_that_takes_https_is_hinted_at()
    {
        using var certificate = SelfSigned();
        await using var server = new RawServer(certificate, RawAnswer.Http(200));
        using var client = Exchange.ClientOf($"http://127.0.0.1:{server.Port}");

        var result = await client.LockAsync(Exchange.Group, Exchange.Id, TestContext.Current.CancellationToken);

        Assert.True(result.OutcomeUnknown);
        Assert.EndsWith("(if that port takes https, the URL begins with https://)", result.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(FleetLockOperation.Lock)]
    [InlineData(FleetLockOperation.Unlock)]
    public async Task An_unknown_host_has_sent_nothing(FleetLockOperation operation)
    {
        using var client = Exchange.ClientOf("http://no-such-host.invalid");

        var result = await client.SendAsync(operation);

        AssertFailed(result, FleetLockStatus.Unreachable, "'no-such-host.invalid'", outcomeUnknown: false);
    }

    [Theory]
    [InlineData(FleetLockOperation.Lock)]
    [InlineData(FleetLockOperation.Unlock)]
    public async Task A_failed_TLS_handshake_has_sent_nothing(FleetLockOperation operation)
    {
        await using var server = new RawServer(_ => RawAnswer.Never, greeting: RawAnswer.Of("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").ThenSilence());
        using var client = Exchange.ClientOf($"https://127.0.0.1:{server.Port}");

        var result = await client.SendAsync(operation);

        AssertFailed(result, FleetLockStatus.Unreachable, $"127.0.0.1:{server.Port}", outcomeUnknown: false);
        Assert.Empty(server.Requests);
    }

    [Theory]
    [InlineData(FleetLockOperation.Lock)]
    [InlineData(FleetLockOperation.Unlock)]
    public async Task A_certificate_that_nobody_vouches_for_has_sent_nothing(FleetLockOperation operation)
    {
        using var certificate = SelfSigned();
        await using var server = new RawServer(certificate, RawAnswer.Http(200));
        using var client = Exchange.ClientOf(server.Url);

        var result = await client.SendAsync(operation);

        AssertFailed(result, FleetLockStatus.Unreachable, $"127.0.0.1:{server.Port}", outcomeUnknown: false);
        Assert.Contains("--ca-certificate", result.Message, StringComparison.Ordinal);
        Assert.Empty(server.Requests);
    }

    [Theory]
    [MemberData(nameof(Halves))]
    public async Task A_reset_before_the_head_is_complete_leaves_the_outcome_unknown(FleetLockOperation operation, string half) =>
        AssertBroken(await Exchange.OfAsync(operation, RawAnswer.Of(half).ThenReset()));

    [Theory]
    [MemberData(nameof(Halves))]
    public async Task A_close_before_the_head_is_complete_leaves_the_outcome_unknown(FleetLockOperation operation, string half) =>
        AssertBroken(await Exchange.OfAsync(operation, RawAnswer.Of(half).ThenClose()));

    [Theory]
    [MemberData(nameof(Garbage))]
    public async Task What_is_not_HTTP_is_a_protocol_error(FleetLockOperation operation, string garbage)
    {
        var result = await Exchange.OfAsync(operation, RawAnswer.Of(garbage).ThenClose());

        AssertFailed(result, FleetLockStatus.ProtocolError, "127.0.0.1:", outcomeUnknown: true);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\n", "X-Filler: and so on\r\n")]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n")]
    [InlineData("HTTP/1.1 200 ", "OK")]
    public async Task A_head_without_end_is_a_protocol_error(string beginning, string filler)
    {
        var result = await Exchange.OfAsync(FleetLockOperation.Lock, RawAnswer.Of(beginning).ThenEndless(filler));

        AssertFailed(result, FleetLockStatus.ProtocolError, "127.0.0.1:", outcomeUnknown: true);
    }

    [Fact]
    public async Task Escape_sequences_in_garbage_do_not_reach_the_terminal()
    {
        var result = await Exchange.OfAsync(FleetLockOperation.Lock, RawAnswer.Of("\u001b[2J\u001b[31mHTTP/1.1 200 OK\r\n\r\n").ThenClose());

        Assert.False(result.IsSuccess);
        Assert.True(TerminalText.IsPrintable(result.Message), result.Message);
    }

    private static X509Certificate2 SelfSigned()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));

        // Windows does not serve with a key that has only been in memory.
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
    }

    private static void AssertBroken(FleetLockResult result) => AssertFailed(result, FleetLockStatus.Unreachable, "127.0.0.1:", outcomeUnknown: true);

    private static void AssertFailed(FleetLockResult result, FleetLockStatus status, string place, bool outcomeUnknown)
    {
        Assert.Equal(status, result.Status);
        Assert.Equal("client_failed_request", result.Kind);
        Assert.Contains(place, result.Message, StringComparison.Ordinal);
        Assert.Equal(outcomeUnknown, result.OutcomeUnknown);
        Assert.Null(result.HttpStatus);
    }
}
