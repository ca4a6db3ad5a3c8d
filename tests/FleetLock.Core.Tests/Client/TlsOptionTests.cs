using System.Security.Cryptography.X509Certificates;
using FleetLock.TestKit;

namespace FleetLock.Core.Tests;

/// <summary>Whom the client trusts and what it shows, against a real TLS server. (What it does not trust: <see cref="HostileTlsAndProxyTests"/>.)</summary>
public sealed class TlsOptionTests : IDisposable
{
    private const string Host = "127.0.0.1";

    private readonly TestAuthority _authority = new();

    public void Dispose() => _authority.Dispose();

    [Fact]
    public async Task A_server_of_a_trusted_authority_is_accepted()
    {
        using var other = new TestAuthority("Another authority");
        using var certificate = _authority.Issue(Host);

        Assert.Equal(FleetLockStatus.Granted, (await LockAsync(certificate, options => options with { CaCertificates = _authority.Trust })).Status);
        Assert.Equal(FleetLockStatus.Granted, (await LockAsync(certificate, options => options with { CaCertificates = [other.Certificate, _authority.Certificate] })).Status);
        Assert.Equal(FleetLockStatus.Unreachable, (await LockAsync(certificate, options => options with { CaCertificates = other.Trust })).Status);
        Assert.Equal(FleetLockStatus.Unreachable, (await LockAsync(certificate, options => options)).Status);
    }

    [Fact]
    public async Task A_self_signed_certificate_that_is_named_itself_is_accepted()
    {
        using var certificate = TestAuthority.SelfSigned(Host);

        Assert.Equal(FleetLockStatus.Granted, (await LockAsync(certificate, options => options with { CaCertificates = [certificate] })).Status);
    }

    [Fact]
    public async Task No_authorities_at_all_trust_nobody()
    {
        using var certificate = _authority.Issue(Host);

        Assert.Equal(FleetLockStatus.Unreachable, (await LockAsync(certificate, options => options with { CaCertificates = [] })).Status);
    }

    [Theory]
    [InlineData(Host, -30, -1)]
    [InlineData("fleetlock.example", -1, 30)]
    public async Task Without_a_check_anything_is_accepted(string name, int from, int until)
    {
        using var certificate = _authority.Issue(name, from, until);

        Assert.Equal(FleetLockStatus.Granted, (await LockAsync(certificate, options => options with { SkipCertificateCheck = true })).Status);
        Assert.Equal(FleetLockStatus.Granted, (await LockAsync(certificate, options => options with { SkipCertificateCheck = true, CaCertificates = _authority.Trust })).Status);
    }

    [Fact]
    public async Task A_clients_certificate_is_shown_to_a_server_that_wants_one()
    {
        using var certificate = _authority.Issue(Host);
        using var own = _authority.Issue("node1");
        var tls = TestAuthority.AskingForCertificates(certificate, shown => shown?.GetCertHashString() == own.GetCertHashString());
        await using var server = new RawServer(_ => RawAnswer.Http(200), tls);

        var anonymous = await LockAsync(server, options => options with { CaCertificates = _authority.Trust });
        Assert.Equal(FleetLockStatus.Unreachable, anonymous.Status);
        Assert.Empty(server.Requests);

        var known = await LockAsync(server, options => options with { CaCertificates = _authority.Trust, ClientCertificate = own });
        Assert.Equal(FleetLockStatus.Granted, known.Status);
    }

    [Fact]
    public async Task Files_of_certificates_are_read()
    {
        using var directory = new TemporaryDirectory();
        using var certificate = _authority.Issue(Host);
        var (authorities, pem, pfx) = (directory.File("ca.pem"), directory.File("own.pem"), directory.File("own.pfx"));
        await System.IO.File.WriteAllTextAsync(authorities, "a comment\n" + _authority.Certificate.ExportCertificatePem(), TestContext.Current.CancellationToken);
        await System.IO.File.WriteAllTextAsync(pem, certificate.ExportCertificatePem() + "\n" + certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem(), TestContext.Current.CancellationToken);
        await System.IO.File.WriteAllBytesAsync(pfx, certificate.Export(X509ContentType.Pkcs12), TestContext.Current.CancellationToken);

        Assert.Equal(FleetLockStatus.Granted, (await LockAsync(certificate, options => options with { CaCertificates = CertificateFile.ReadAuthorities(authorities) })).Status);
        Assert.Equal(certificate.Thumbprint, CertificateFile.ReadClientCertificate(pem).Thumbprint);
        Assert.Equal(certificate.Thumbprint, CertificateFile.ReadClientCertificate(pfx).Thumbprint);
        foreach (var path in new[] { directory.File("absent"), directory.FullName, "", pfx })
            Assert.Equal("certificate", Assert.Throws<FleetLockInputException>(() => CertificateFile.ReadAuthorities(path)).Setting);
        foreach (var path in new[] { directory.File("absent"), directory.FullName, "", authorities })
            Assert.Equal("certificate", Assert.Throws<FleetLockInputException>(() => CertificateFile.ReadClientCertificate(path)).Setting);
    }

    private static async Task<FleetLockResult> LockAsync(X509Certificate2 certificate, Func<FleetLockClientOptions, FleetLockClientOptions> change)
    {
        await using var server = new RawServer(certificate, RawAnswer.Http(200));
        return await LockAsync(server, change);
    }

    private static async Task<FleetLockResult> LockAsync(RawServer server, Func<FleetLockClientOptions, FleetLockClientOptions> change)
    {
        using var client = new FleetLockClient(change(new FleetLockClientOptions { Server = ServerAddress.Parse(server.Url), Timeout = TestTimeout.Hang }));
        return await client.SendAsync(FleetLockOperation.Lock);
    }
}
