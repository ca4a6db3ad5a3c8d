using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using FleetLock.TestKit;
using Microsoft.Extensions.Time.Testing;

namespace FleetLock.Core.Tests;

/// <summary>The doctor's look at the server's certificate, by handshakes with a real TLS server.</summary>
public sealed class DoctorTlsTests : IDisposable
{
    private const string Host = "127.0.0.1";

    private static readonly RawAnswer Refusal = RawAnswer.Http(400, """{"kind":"missing_header","value":"the fleet-lock-protocol header is missing"}""");

    private readonly TestAuthority _authority = new();

    public void Dispose() => _authority.Dispose();

    [Fact]
    public async Task A_certificate_of_a_trusted_authority_passes_with_the_days_that_it_has_left()
    {
        using var certificate = _authority.Issue(Host, untilDays: 90.4);

        var examined = await ExamineAsync(certificate);

        Assert.True(examined.Passed, string.Join('\n', examined.Checks));
        Assert.Equal(["Configuration", "Identity", "Connection", "TLS", "Protocol", "Extensions"], examined.Names);
        Assert.Matches(@"^Tls1[23], .*127\.0\.0\.1, 90 ", examined["TLS"].Message);
    }

    [Fact]
    public async Task Few_days_left_are_noted()
    {
        using var certificate = _authority.Issue(Host, untilDays: 3.4);

        var examined = await ExamineAsync(certificate);

        Assert.True(examined.Passed);
        Assert.Contains(" 3 days", examined["TLS"].Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_expired_certificate_is_found_out()
    {
        using var certificate = _authority.Issue(Host, -30, -1);

        AssertRefused(await ExamineAsync(certificate));
    }

    [Fact]
    public async Task A_certificate_for_another_name_is_found_out()
    {
        using var certificate = _authority.Issue("fleetlock.example");

        AssertRefused(await ExamineAsync(certificate));
    }

    [Fact]
    public async Task A_certificate_of_another_authority_is_found_out()
    {
        using var other = new TestAuthority("Another authority");
        using var certificate = other.Issue(Host);

        AssertRefused(await ExamineAsync(certificate));
    }

    [Fact]
    public async Task A_self_signed_certificate_is_found_out()
    {
        using var certificate = TestAuthority.SelfSigned(Host);

        AssertRefused(await ExamineAsync(certificate));
        AssertRefused(await ExamineAsync(certificate, options => options with { CaCertificates = null }));
    }

    [Fact]
    public async Task Where_nothing_is_checked_the_fault_is_noted_all_the_same()
    {
        using var certificate = _authority.Issue(Host, -30, -1);

        var examined = await ExamineAsync(certificate, options => options with { SkipCertificateCheck = true });

        Assert.True(examined.Passed);
        Assert.Contains("expired", examined["TLS"].Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_without_TLS_is_found_out()
    {
        await using var server = new RawServer(_ => RawAnswer.Close, greeting: RawAnswer.Of("HTTP/1.1 400 Bad Request\r\n\r\n").ThenClose());

        var examined = await Examined.OfAsync($"https://127.0.0.1:{server.Port}");

        Assert.Equal(["Configuration", "Identity", "Connection", "TLS"], examined.Names);
        Examined.AssertFailed(examined["TLS"], "127.0.0.1");
    }

    [Fact]
    public async Task A_server_that_stays_silent_instead_of_shaking_hands_is_found_out()
    {
        var clock = new FakeTimeProvider();
        using var silent = new SilentServer();

        var examination = Examined.OfAsync(silent.Url, options => options with { Timeout = Exchange.FakeTimeout, Clock = clock });
        await silent.HandshakeAsync();
        clock.Advance(Exchange.FakeTimeout);
        var examined = await examination.WaitAsync(TestTimeout.Hang, TestContext.Current.CancellationToken);

        Examined.AssertFailed(examined["TLS"], "127.0.0.1");
    }

    [Fact]
    public async Task The_callers_cancellation_ends_a_handshake()
    {
        using var cancellation = new CancellationTokenSource();
        using var silent = new SilentServer();

        var examination = Examined.OfAsync(new FleetLockSettings { Url = silent.Url, Id = "node1" }, cancellationToken: cancellation.Token);
        await silent.HandshakeAsync();
        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => examination.WaitAsync(TestTimeout.Hang, TestContext.Current.CancellationToken));
    }

    private static void AssertRefused(Examined examined)
    {
        Assert.False(examined.Passed);
        Assert.Equal(["Configuration", "Identity", "Connection", "TLS"], examined.Names);
        Examined.AssertFailed(examined["TLS"], "127.0.0.1");
    }

    private async Task<Examined> ExamineAsync(X509Certificate2 certificate, Func<FleetLockClientOptions, FleetLockClientOptions>? options = null)
    {
        await using var server = new RawServer(certificate, Refusal, RawAnswer.Http(404));
        var examined = await Examined.OfAsync(server.Url, trusting => (options ?? (same => same))(trusting with { CaCertificates = _authority.Trust }));
        Assert.DoesNotContain(server.Requests, request => request.Line.Contains("pre-reboot", StringComparison.Ordinal));
        return examined;
    }

    /// <summary>A listener that lets a handshake begin and never says anything.</summary>
    private sealed class SilentServer : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly List<TcpClient> _clients = [];

        internal SilentServer() => _listener.Start();

        internal string Url => $"https://{_listener.LocalEndpoint}";

        /// <summary>Waits for the first byte on the doctor's second connection: with the first one it looks whether there is anybody.</summary>
        internal async Task HandshakeAsync()
        {
            while (_clients.Count < 2)
                _clients.Add(await _listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken));
            await _clients[1].GetStream().ReadExactlyAsync(new byte[1], TestContext.Current.CancellationToken);
        }

        public void Dispose()
        {
            _clients.ForEach(client => client.Dispose());
            _listener.Dispose();
        }
    }
}
