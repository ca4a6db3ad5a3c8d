using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace FleetLock.TestKit;

/// <summary>An authority of one test's own, and the certificates that come from it.</summary>
public sealed class TestAuthority : IDisposable
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    /// <summary>Makes an authority that is valid for a year before and after now.</summary>
    /// <param name="name">Its name.</param>
    public TestAuthority(string name = "Test authority")
    {
        var request = new CertificateRequest("CN=" + name, _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        Certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddYears(-1), DateTimeOffset.UtcNow.AddYears(1));
    }

    /// <summary>The authority's own certificate.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>The authority's certificate, as a file of it has it.</summary>
    public string Pem => Certificate.ExportCertificatePem();

    /// <summary>What a client is told to trust.</summary>
    public X509Certificate2Collection Trust => [Certificate];

    /// <summary>A certificate that nobody vouches for.</summary>
    /// <param name="name">The name or address that it is for.</param>
    public static X509Certificate2 SelfSigned(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = Request(name, key).CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
        return Reloaded(certificate);
    }

    /// <summary>A certificate with its key.</summary>
    /// <param name="name">The name or address that it is for.</param>
    /// <param name="fromDays">When it begins, in days from now.</param>
    /// <param name="untilDays">When it ends, in days from now.</param>
    public X509Certificate2 Issue(string name, double fromDays = -1, double untilDays = 30)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var serial = RandomNumberGenerator.GetBytes(8);
        using var bare = Request(name, key).Create(Certificate, DateTimeOffset.UtcNow.AddDays(fromDays), DateTimeOffset.UtcNow.AddDays(untilDays), serial);
        using var certificate = bare.CopyWithPrivateKey(key);
        return Reloaded(certificate);
    }

    /// <summary>TLS of a server that asks each client for a certificate. Unless told otherwise, it accepts any, and none.</summary>
    /// <param name="certificate">The server's certificate, with its key.</param>
    /// <param name="accepts">Decides about the client's certificate.</param>
    public static SslServerAuthenticationOptions AskingForCertificates(
        X509Certificate2 certificate, Func<X509Certificate?, bool>? accepts = null) => new()
    {
        ServerCertificate = certificate,
        ClientCertificateRequired = true,
        RemoteCertificateValidationCallback = (_, shown, _, _) => accepts?.Invoke(shown) ?? true,
    };

    public void Dispose()
    {
        Certificate.Dispose();
        _key.Dispose();
    }

    private static CertificateRequest Request(string name, ECDsa key)
    {
        var request = new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        if (IPAddress.TryParse(name, out var address))
            names.AddIpAddress(address);
        else
            names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        return request;
    }

    // Windows does not serve with a key that has only been in memory.
    private static X509Certificate2 Reloaded(X509Certificate2 certificate) => new(certificate.Export(X509ContentType.Pkcs12));
}
