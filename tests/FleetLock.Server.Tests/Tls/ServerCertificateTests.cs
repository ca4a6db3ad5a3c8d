using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FleetLock.TestKit;
using Microsoft.Extensions.Logging;
using static FleetLock.Server.Tests.CertificateFiles;
using static FleetLock.Server.Tests.Sample;

namespace FleetLock.Server.Tests;

/// <summary>A server's own certificate: its files, and a new one while the server runs.</summary>
public sealed class ServerCertificateTests : IDisposable
{
    private const string Password = "correct horse";

    private readonly TemporaryDirectory _folder = new();
    private readonly TestAuthority _authority = new();
    private readonly CapturedLog _log = new();

    public void Dispose()
    {
        _folder.Dispose();
        _authority.Dispose();
        _log.Dispose();
    }

    [Theory]
    [InlineData("PEM")]
    [InlineData("PEM with a byte-order mark")]
    [InlineData("PEM with the key in another file")]
    [InlineData("PEM with an encrypted key")]
    [InlineData("PFX")]
    [InlineData("PFX with a password")]
    public async Task Our_own_client_trusts_it_by_its_authority(string form)
    {
        using var certificate = _authority.Issue("127.0.0.1");
        await using var server = await StartAsync(Write(certificate, form));
        using var client = Client(server);

        Assert.Equal(FleetLockStatus.Granted, (await client.LockAsync(Group, "a", TestContext.Current.CancellationToken)).Status);
        Assert.Equal("https", server.Address.Scheme);
    }

    [Fact]
    public async Task The_certificates_between_it_and_its_authority_are_sent()
    {
        using var intermediate = IssueAuthority("Intermediate");
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=server", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(System.Net.IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var bare = request.Create(intermediate, DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1), [1]);
        using var leaf = bare.CopyWithPrivateKey(key);
        File.WriteAllText(_folder.File("chain.pem"), Pem(leaf) + "\n" + intermediate.ExportCertificatePem());
        await using var server = await StartAsync(new TlsOptions(_folder.File("chain.pem")));
        using var client = Client(server);

        Assert.Equal(FleetLockStatus.Granted, (await client.LockAsync(Group, "a", TestContext.Current.CancellationToken)).Status);
    }

    [Theory]
    [InlineData("missing.pem", null, null, "missing.pem")]
    [InlineData("own.pem", "missing.pem", null, "missing.pem")]
    [InlineData("own.pem", null, "missing.txt", "missing.txt")]
    [InlineData("own.pem", "other.pem", null, "own.pem with the key")]
    [InlineData("bare.pem", null, null, "bare.pem cannot be used: there is no private key in it; if that is in a file of its own, name it too (tls.key, --tls-key).")]
    [InlineData("text.pem", null, null, "text.pem")]
    [InlineData("empty.pem", null, null, "empty.pem")]
    public async Task A_start_with_files_that_are_not_good_names_them(string certificate, string? key, string? password, string names)
    {
        using var own = _authority.Issue("127.0.0.1");
        using var other = _authority.Issue("127.0.0.1");
        File.WriteAllText(_folder.File("own.pem"), Pem(own));
        File.WriteAllText(_folder.File("other.pem"), KeyPem(other));
        File.WriteAllText(_folder.File("bare.pem"), own.ExportCertificatePem());
        File.WriteAllText(_folder.File("text.pem"), "This is no certificate.");
        File.WriteAllText(_folder.File("empty.pem"), "");
        var options = new TlsOptions(_folder.File(certificate))
        {
            KeyPath = key is null ? null : _folder.File(key),
            PasswordPath = password is null ? null : _folder.File(password),
        };

        var fault = await Assert.ThrowsAsync<FleetLockInputException>(() => StartAsync(options));

        Assert.StartsWith("The certificate ", fault.Message, StringComparison.Ordinal);
        Assert.Contains(names, fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://127.0.0.1:0", true, "no listen address begins with https://")]
    [InlineData("https://127.0.0.1:0", false, "https takes a certificate")]
    public async Task Address_and_certificate_go_together(string listen, bool hasCertificate, string says)
    {
        using var certificate = _authority.Issue("127.0.0.1");
        var options = TestServer.Options(new MemoryStore(), (Group, 1)) with { Listen = new Uri(listen), Tls = hasCertificate ? Write(certificate, "PEM") : null };

        var fault = await Assert.ThrowsAsync<FleetLockInputException>(() => TestServer.StartAsync(options));

        Assert.Contains(says, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_new_certificate_is_shown_to_those_who_connect_from_then_on()
    {
        using var first = _authority.Issue("127.0.0.1");
        using var second = _authority.Issue("127.0.0.1");
        var options = Write(first, "PEM");
        await using var server = await StartAsync(options);
        Assert.Equal(first.Thumbprint, await ShownAsync(server));

        Replace(options.CertificatePath, Pem(second));
        server.Clock.Advance(TlsCertificates.Interval);

        Assert.Equal(second.Thumbprint, await ShownAsync(server));
        _log.AssertHas(LogLevel.Information, nameof(TrustLog.CertificateReloaded), options.CertificatePath);
    }

    [Fact]
    public async Task A_connection_that_stands_is_not_touched_by_it()
    {
        using var first = _authority.Issue("127.0.0.1");
        using var second = _authority.Issue("127.0.0.1");
        var options = Write(first, "PEM");
        await using var server = await StartAsync(options);
        using var client = Client(server);
        await client.LockAsync(Group, "a", TestContext.Current.CancellationToken);

        // Another authority's, which the client does not trust: so it would tell of a new handshake.
        using var strange = TestAuthority.SelfSigned("127.0.0.1");
        Replace(options.CertificatePath, Pem(strange));
        server.Clock.Advance(TlsCertificates.Interval);

        Assert.Equal(strange.Thumbprint, await ShownAsync(server));
        Assert.Equal(FleetLockStatus.Released, (await client.UnlockAsync(Group, "a", TestContext.Current.CancellationToken)).Status);
    }

    [Theory]
    [InlineData("")]
    [InlineData("This is no certificate.")]
    [InlineData("only the certificate")]
    public async Task Files_that_are_not_good_any_more_leave_the_old_one_in_force_and_are_told_of_once(string content)
    {
        using var first = _authority.Issue("127.0.0.1");
        using var second = _authority.Issue("127.0.0.1");
        var options = Write(first, "PEM");
        await using var server = await StartAsync(options);

        Replace(options.CertificatePath, content == "only the certificate" ? second.ExportCertificatePem() : content);
        for (var i = 0; i < 3; i++)
            server.Clock.Advance(TlsCertificates.Interval);

        Assert.Equal(first.Thumbprint, await ShownAsync(server));
        _log.AssertHas(LogLevel.Error, nameof(TrustLog.CertificateKept), options.CertificatePath);

        Replace(options.CertificatePath, Pem(second));
        server.Clock.Advance(TlsCertificates.Interval);
        Assert.Equal(second.Thumbprint, await ShownAsync(server));
    }

    [Fact]
    public async Task A_certificate_that_comes_before_its_key_waits_for_it()
    {
        using var first = _authority.Issue("127.0.0.1");
        using var second = _authority.Issue("127.0.0.1");
        var options = Write(first, "PEM with the key in another file");
        await using var server = await StartAsync(options);

        Replace(options.CertificatePath, second.ExportCertificatePem());
        server.Clock.Advance(TlsCertificates.Interval);
        Assert.Equal(first.Thumbprint, await ShownAsync(server));

        Replace(options.KeyPath!, KeyPem(second));
        server.Clock.Advance(TlsCertificates.Interval);
        Assert.Equal(second.Thumbprint, await ShownAsync(server));
    }

    [Fact]
    public async Task Nothing_below_TLS_1_2_is_spoken()
    {
        using var certificate = _authority.Issue("127.0.0.1");
        await using var server = await StartAsync(Write(certificate, "PEM"));

        Assert.Equal(certificate.Thumbprint, (await TlsConnection.ShownCertificateAsync(server.Address, SslProtocols.Tls12)).Thumbprint);
        Assert.Equal(certificate.Thumbprint, (await TlsConnection.ShownCertificateAsync(server.Address, SslProtocols.Tls13)).Thumbprint);
#pragma warning disable SYSLIB0039, CA5397 // What is not to work.
        var refusal = await Assert.ThrowsAnyAsync<Exception>(() => TlsConnection.ShownCertificateAsync(server.Address, SslProtocols.Tls11));
#pragma warning restore SYSLIB0039, CA5397
        Assert.True(refusal is AuthenticationException or IOException, refusal.ToString());
    }

    [Fact]
    public async Task Plain_HTTP_on_an_https_address_is_no_answer()
    {
        using var certificate = _authority.Issue("127.0.0.1");
        await using var server = await StartAsync(Write(certificate, "PEM"));

        await Assert.ThrowsAnyAsync<IOException>(() => server.LockAsync("a"));
    }

    [Fact]
    public async Task Both_can_be_listened_on_at_once()
    {
        using var certificate = _authority.Issue("127.0.0.1");
        var options = TestServer.Options(new MemoryStore(), (Group, 1)) with
        {
            Listen = new Uri("https://127.0.0.1:0"),
            ListenAlso = [new Uri("http://127.0.0.1:0"), new Uri("http://[::1]:0")],
            Tls = Write(certificate, "PEM"),
        };
        var server = await FleetLockServer.StartAsync(options, TestContext.Current.CancellationToken);
        await using (server)
        {
            Assert.Equal(["https", "http", "http"], server.Addresses.Select(address => address.Scheme));
            Assert.Equal(server.Address, server.Addresses[0]);
            Assert.Equal(certificate.Thumbprint, (await TlsConnection.ShownCertificateAsync(server.Address)).Thumbprint);
            foreach (var plain in server.Addresses.Skip(1))
                Assert.Equal(200, (await RawClient.AskAsync(plain, RawClient.Head("GET /healthz"))).Status);
        }
    }

    private async Task<TestServer> StartAsync(TlsOptions tls) => await TestServer.StartAsync(TestServer.Options(new MemoryStore(), (Group, 5)) with
    {
        Listen = new Uri("https://127.0.0.1:0"),
        Tls = tls,
        Logging = logging => logging.AddProvider(_log),
    });

    private FleetLockClient Client(TestServer server) => new(new FleetLockClientOptions
    {
        Server = ServerAddress.Parse(server.Address.ToString()),
        CaCertificates = _authority.Trust,
        NoProxy = true,
    });

    private static async Task<string> ShownAsync(TestServer server) => (await TlsConnection.ShownCertificateAsync(server.Address)).Thumbprint;

    private TlsOptions Write(X509Certificate2 certificate, string form)
    {
        string File(string name, string text)
        {
            System.IO.File.WriteAllText(_folder.File(name), text);
            return _folder.File(name);
        }

        string Pfx(string? password)
        {
            System.IO.File.WriteAllBytes(_folder.File("own.pfx"), certificate.Export(X509ContentType.Pkcs12, password));
            return _folder.File("own.pfx");
        }

        var encryption = new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000);
        return form switch
        {
            "PEM" => new TlsOptions(File("own.pem", Pem(certificate))),
            "PEM with a byte-order mark" => new TlsOptions(File("own.pem", "\uFEFF" + Pem(certificate))),
            "PFX" => new TlsOptions(Pfx(null)),
            "PFX with a password" => new TlsOptions(Pfx(Password)) { PasswordPath = File("password", Password + "\n") },
            "PEM with an encrypted key" => new TlsOptions(File("own.pem", certificate.ExportCertificatePem()))
            {
                KeyPath = File("key.pem", certificate.GetECDsaPrivateKey()!.ExportEncryptedPkcs8PrivateKeyPem(Password, encryption)),
                PasswordPath = File("password", Password),
            },
            _ => new TlsOptions(File("own.pem", certificate.ExportCertificatePem())) { KeyPath = File("key.pem", KeyPem(certificate)) },
        };
    }

    private X509Certificate2 IssueAuthority(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        using var bare = request.Create(_authority.Certificate, DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30), [2]);
        return bare.CopyWithPrivateKey(key);
    }
}
