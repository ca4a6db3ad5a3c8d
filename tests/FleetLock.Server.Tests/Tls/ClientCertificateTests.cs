using System.Security.Cryptography.X509Certificates;
using FleetLock.TestKit;
using static FleetLock.Server.Tests.CertificateFiles;
using static FleetLock.Server.Tests.Sample;

namespace FleetLock.Server.Tests;

/// <summary>Client certificates: whom the handshake lets in, and what each may do then.</summary>
public sealed class ClientCertificateTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();
    private readonly TestAuthority _authority = new();
    private readonly TestAuthority _another = new("Another authority");

    public void Dispose()
    {
        _folder.Dispose();
        _authority.Dispose();
        _another.Dispose();
    }

    [Theory]
    [InlineData(true, "good", FleetLockStatus.Granted)]
    [InlineData(true, "none", FleetLockStatus.Unreachable)]
    [InlineData(true, "another authority", FleetLockStatus.Unreachable)]
    [InlineData(true, "self-signed", FleetLockStatus.Unreachable)]
    [InlineData(true, "expired", FleetLockStatus.Unreachable)]
    [InlineData(true, "not yet good", FleetLockStatus.Unreachable)]
    [InlineData(false, "good", FleetLockStatus.Granted)]
    [InlineData(false, "none", FleetLockStatus.Granted)]
    [InlineData(false, "another authority", FleetLockStatus.Unreachable)]
    [InlineData(false, "self-signed", FleetLockStatus.Unreachable)]
    [InlineData(false, "expired", FleetLockStatus.Unreachable)]
    public async Task The_handshake_takes_certificates_of_its_authority_alone(bool required, string shown, FleetLockStatus status)
    {
        await using var server = await StartAsync(required);
        using var certificate = shown switch
        {
            "none" => null,
            "another authority" => _another.Issue("node1"),
            "self-signed" => TestAuthority.SelfSigned("node1"),
            "expired" => _authority.Issue("node1", -30, -1),
            "not yet good" => _authority.Issue("node1", 1, 30),
            _ => _authority.Issue("node1"),
        };

        Assert.Equal(status, (await LockAsync(server, certificate, "a")).Status);
    }

    [Fact]
    public async Task The_servers_own_authority_is_not_trusted_for_clients()
    {
        File.WriteAllText(_folder.File("clients.pem"), _another.Pem);
        await using var server = await StartAsync(required: true, authorities: _folder.File("clients.pem"));
        using var good = _another.Issue("node1");
        using var bad = _authority.Issue("node1");

        Assert.Equal(FleetLockStatus.Granted, (await LockAsync(server, good, "a")).Status);
        Assert.Equal(FleetLockStatus.Unreachable, (await LockAsync(server, bad, "a")).Status);
    }

    [Theory]
    [InlineData("node1.example.net", "anything", null)]
    [InlineData("NODE1.example.net", "anything", null)]
    [InlineData("node2.example.net", "node2.example.net", null)]
    [InlineData("node2.example.net", "node1.example.net", "'ownIdOnly'")]
    [InlineData("unlisted", "unlisted", null)]
    [InlineData("unlisted", "node1.example.net", "'node1.example.net'")]
    [InlineData("observer", "observer", "role observer")]
    public async Task Each_name_has_its_rule(string name, string id, string? named)
    {
        await using var server = await StartAsync(
            required: true,
            null,
            new Credential("*", Role.Node) { OwnIdOnly = true },
            new Credential("node1.example.net", Role.Node),
            new Credential("node2.example.net", Role.Node) { OwnIdOnly = true },
            new Credential("observer", Role.Observer));
        using var certificate = _authority.Issue(name);

        var result = await LockAsync(server, certificate, id);

        Assert.Equal(named is null ? FleetLockStatus.Granted : FleetLockStatus.Refused, result.Status);
        if (named is null)
            return;
        Assert.Equal((403, "forbidden"), (result.HttpStatus, result.Kind));
        Assert.Contains(named, result.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_good_certificate_without_a_rule_is_401()
    {
        await using var server = await StartAsync(required: false, null, new Credential("node1", Role.Node));
        using var certificate = _authority.Issue("node2");

        var result = await LockAsync(server, certificate, "node2");

        Assert.Equal((FleetLockStatus.Refused, 401, "unauthorized"), (result.Status, result.HttpStatus, result.Kind));
    }

    [Fact]
    public async Task Where_certificates_are_allowed_a_token_does_too_and_neither_is_401()
    {
        await using var server = await StartAsync(required: false, null, new Credential("node1", Role.Node), new Credential("ops", Role.Admin) { Sha256 = Credential.HashOf("secret") });
        using var certificate = _authority.Issue("node1");

        Assert.Equal(FleetLockStatus.Granted, (await LockAsync(server, certificate, "a")).Status);
        Assert.Equal(FleetLockStatus.Granted, (await LockAsync(server, null, "b", "secret")).Status);
        Assert.Equal(401, (await LockAsync(server, null, "c")).HttpStatus);
        Assert.Equal(401, (await LockAsync(server, certificate, "c", "wrong")).HttpStatus);
    }

    [Fact]
    public async Task Other_authorities_count_for_those_who_connect_from_then_on()
    {
        var path = _folder.File("clients.pem");
        File.WriteAllText(path, _authority.Pem);
        await using var server = await StartAsync(required: true, authorities: path);
        using var first = _authority.Issue("node1");
        using var second = _another.Issue("node1");
        Assert.Equal(FleetLockStatus.Unreachable, (await LockAsync(server, second, "a")).Status);

        Replace(path, _another.Pem);
        server.Clock.Advance(TlsCertificates.Interval);

        Assert.Equal(FleetLockStatus.Granted, (await LockAsync(server, second, "a")).Status);
        Assert.Equal(FleetLockStatus.Unreachable, (await LockAsync(server, first, "a")).Status);
    }

    [Fact]
    public async Task Authorities_that_cannot_be_read_are_named_at_the_start()
    {
        var fault = await Assert.ThrowsAsync<FleetLockInputException>(() => StartAsync(required: true, authorities: _folder.File("missing.pem")));

        Assert.Contains(_folder.File("missing.pem"), fault.Message, StringComparison.Ordinal);
    }

    private Task<TestServer> StartAsync(bool required, string? authorities = null, params Credential[] rules)
    {
        using var certificate = _authority.Issue("127.0.0.1");
        File.WriteAllText(_folder.File("own.pem"), Pem(certificate));
        File.WriteAllText(_folder.File("ca.pem"), _authority.Pem);
        return TestServer.StartAsync(TestServer.Options(new MemoryStore(), (Group, 5)) with
        {
            Listen = new Uri("https://127.0.0.1:0"),
            Tls = new TlsOptions(_folder.File("own.pem")) { ClientAuthoritiesPath = authorities ?? _folder.File("ca.pem"), RequireClientCertificate = required },
            Credentials = rules,
        });
    }

    /// <summary>One request on a connection of its own.</summary>
    private async Task<FleetLockResult> LockAsync(TestServer server, X509Certificate2? certificate, string id, string? token = null)
    {
        using var client = new FleetLockClient(new FleetLockClientOptions
        {
            Server = ServerAddress.Parse(server.Address.ToString()),
            CaCertificates = _authority.Trust,
            ClientCertificate = certificate,
            Token = token,
            NoProxy = true,
        });
        return await client.LockAsync(Group, id, TestContext.Current.CancellationToken);
    }
}
