using System.Security.Cryptography.X509Certificates;
using FleetLock.TestKit;

namespace FleetLock.Core.Tests;

/// <summary>Certificates that are not good enough, and proxies that stand in the way. To all that gets through, the answer would be a grant.</summary>
public sealed class HostileTlsAndProxyTests
{
    private const string Host = "127.0.0.1";

    public static readonly MatrixTheoryData<FleetLockOperation, string> BadCertificates = new(
        Exchange.Operations,
        ["expired", "not yet valid", "another name", "self-signed", "another authority"]);

    /// <summary>What a proxy answers to a plain request, and how a lock then ends.</summary>
    public static readonly MatrixTheoryData<FleetLockOperation, int> RefusalsOfProxies = new(Exchange.Operations, [200, 301, 302, 307, 400, 403, 404, 407, 502, 503, 504, 511]);

    /// <summary>What a proxy answers to CONNECT. None is a tunnel to the server.</summary>
    public static readonly MatrixTheoryData<FleetLockOperation, string> AnswersToConnect = new(
        Exchange.Operations,
        [
            "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 26\r\n\r\n<html>Please log in</html>",
            "HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 302 Found\r\nLocation: http://login.example/\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
            "SSH-2.0-OpenSSH_9.2p1\r\n",
            "",
        ]);

    [Theory]
    [MemberData(nameof(BadCertificates))]
    public async Task To_a_server_with_a_bad_certificate_nothing_is_sent(FleetLockOperation operation, string fault)
    {
        using var authority = new TestAuthority();
        using var certificate = Bad(fault, authority);
        await using var server = new RawServer(certificate, RawAnswer.Http(200));
        using var client = new FleetLockClient(new FleetLockClientOptions { Server = ServerAddress.Parse(server.Url), CaCertificates = authority.Trust });

        var result = await client.SendAsync(operation);

        HostileServerTests.AssertOutcome(operation, FleetLockStatus.Unreachable, result);
        Assert.False(result.OutcomeUnknown);
        Assert.Contains("TLS", result.Message, StringComparison.Ordinal);
        Assert.Empty(server.Requests);
    }

    [Theory]
    [MemberData(nameof(RefusalsOfProxies))]
    public async Task A_proxy_that_refuses_a_plain_request_is_no_server_that_grants(FleetLockOperation operation, int status)
    {
        await using var proxy = new RawServer(RawAnswer.Http(status, "<html>Please log in</html>", "Content-Type: text/html", "Location: http://login.example/", "Proxy-Authenticate: Basic realm=\"x\""), RawAnswer.Http(200));
        using var client = ThroughProxy("http://fleetlock.example", proxy);

        var result = await client.SendAsync(operation);

        Assert.False(result.IsSuccess);
        HostileServerTests.AssertOutcome(operation, result.Status, result);
        Assert.Equal(status, result.HttpStatus);
        Assert.Single(proxy.Requests);
    }

    [Theory]
    [MemberData(nameof(AnswersToConnect))]
    public async Task A_proxy_that_makes_no_tunnel_leaves_the_server_unreachable(FleetLockOperation operation, string answer)
    {
        await using var proxy = new RawServer(RawAnswer.Of(answer).ThenClose());
        using var client = ThroughProxy("https://fleetlock.example", proxy);

        var result = await client.SendAsync(operation);

        Assert.False(result.IsSuccess);
        Assert.NotEqual(200, result.HttpStatus);
        HostileServerTests.AssertOutcome(operation, result.Status, result);
        Assert.All(proxy.Requests, request => Assert.Equal("CONNECT fleetlock.example:443 HTTP/1.1", request.Line));
        Assert.All(proxy.Requests, request => Assert.Null(request.Header("fleet-lock-protocol")));
    }

    [Theory]
    [InlineData(FleetLockOperation.Lock)]
    [InlineData(FleetLockOperation.Unlock)]
    public async Task A_proxy_that_nobody_runs_leaves_the_server_unreachable(FleetLockOperation operation)
    {
        using var client = new FleetLockClient(new FleetLockClientOptions { Server = ServerAddress.Parse("http://fleetlock.example"), Proxy = new Uri("http://127.0.0.1:1") });

        HostileServerTests.AssertOutcome(operation, FleetLockStatus.Unreachable, await client.SendAsync(operation));
    }

    private static FleetLockClient ThroughProxy(string server, RawServer proxy) =>
        new(new FleetLockClientOptions { Server = ServerAddress.Parse(server), Proxy = new Uri(proxy.Url), Timeout = TestTimeout.Hang });

    private static X509Certificate2 Bad(string fault, TestAuthority authority)
    {
        using var other = new TestAuthority("Another authority");
        return fault switch
        {
            "expired" => authority.Issue(Host, -30, -1),
            "not yet valid" => authority.Issue(Host, 1, 30),
            "another name" => authority.Issue("fleetlock.example"),
            "self-signed" => TestAuthority.SelfSigned(Host),
            _ => other.Issue(Host),
        };
    }
}
