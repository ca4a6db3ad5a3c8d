using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
#if NET
using System.Runtime.InteropServices;
#else
using System.Text.RegularExpressions;
#endif

namespace FleetLock;

/// <summary>Certificates from files: PEM and PFX.</summary>
public static class CertificateFile
{
    private const string PemMark = "-----BEGIN ";

    /// <summary>Reads a bundle of authorities.</summary>
    /// <param name="path">A PEM file with one certificate or more.</param>
    /// <returns>The certificates.</returns>
    /// <exception cref="FleetLockInputException">It cannot be read, or there is no certificate in it.</exception>
    public static X509Certificate2Collection ReadAuthorities(string path) => Read(path, "CA certificate", text =>
    {
        var certificates = new X509Certificate2Collection();
#if NET
        certificates.ImportFromPem(text);
#else
        foreach (Match block in Regex.Matches(text, "-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", RegexOptions.Singleline))
            certificates.Add(new X509Certificate2(Convert.FromBase64String(block.Groups[1].Value)));
#endif
        return certificates.Count > 0 ? certificates : throw new CryptographicException("there is no PEM certificate in it");
    });

    /// <summary>Reads a certificate with its private key.</summary>
    /// <param name="path">A PEM file with both (not on .NET Framework), or a PFX file without a password.</param>
    /// <returns>The certificate.</returns>
    /// <exception cref="FleetLockInputException">It cannot be read, or there is no private key in it.</exception>
    public static X509Certificate2 ReadClientCertificate(string path) => Read(path, "client certificate", text =>
    {
        var certificate = text.Contains(PemMark) ? FromPem(path) : new X509Certificate2(path);
        return certificate.HasPrivateKey ? certificate : throw new CryptographicException("there is no private key in it");
    });

#if NET
    private static X509Certificate2 FromPem(string path)
    {
        var certificate = X509Certificate2.CreateFromPemFile(path);
        if (!RuntimeInformation.IsOSPlatform(OSPlatform.Windows))
            return certificate;

        // Windows' TLS does not take a key that is in memory only.
        using (certificate)
            return new X509Certificate2(certificate.Export(X509ContentType.Pkcs12));
    }
#else
    private static X509Certificate2 FromPem(string path) =>
        throw new CryptographicException($"{path} is PEM, which .NET Framework cannot read with a key; make a PFX of it, or load it and pass the certificate itself");
#endif

    /// <summary>Tells whether a server's certificate is good and comes from one of these authorities, judged by hand, because .NET Framework has no custom trust of its own.</summary>
    internal static bool ComesFrom(X509Certificate2 server, X509Certificate2Collection authorities, SslPolicyErrors errors)
    {
        // Anything but the chain, such as the name, stays wrong.
        if ((errors & ~SslPolicyErrors.RemoteCertificateChainErrors) != 0)
            return false;

        using var chain = new X509Chain();
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.VerificationFlags = X509VerificationFlags.AllowUnknownCertificateAuthority;
        chain.ChainPolicy.ExtraStore.AddRange(authorities);
        if (!chain.Build(server))
            return false;
        var root = chain.ChainElements[chain.ChainElements.Count - 1].Certificate;
        return authorities.Cast<X509Certificate2>().Any(authority => authority.RawData.SequenceEqual(root.RawData));
    }

    private static T Read<T>(string path, string what, Func<string, T> read)
    {
        try
        {
            return read(File.ReadAllText(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or FormatException or ArgumentException)
        {
            throw new FleetLockInputException("certificate", $"The {what} {path} cannot be used: {TerminalText.Clean(e.Message)}", e);
        }
    }
}
