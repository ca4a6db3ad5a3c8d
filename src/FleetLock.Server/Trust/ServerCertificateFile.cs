using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace FleetLock.Server;

/// <summary>Reads a server's certificate with its key, and the certificates between it and its authority.</summary>
internal static class ServerCertificateFile
{
    /// <summary>Reads it.</summary>
    /// <param name="options">The files.</param>
    /// <returns>What handshakes show.</returns>
    /// <exception cref="FleetLockInputException">A file cannot be read, or there is no certificate with its key in it.</exception>
    internal static SslStreamCertificateContext Read(TlsOptions options)
    {
        try
        {
            var bytes = File.ReadAllBytes(options.CertificatePath);
            var password = options.PasswordPath is { } path ? File.ReadAllText(path).TrimEnd('\r', '\n') : null;
            var text = Encoding.Latin1.GetString(bytes.AsSpan(bytes.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? Encoding.UTF8.Preamble.Length : 0));
            var (leaf, others) = text.Contains("-----BEGIN ", StringComparison.Ordinal) ? ReadPem(text, options.KeyPath, password) : ReadPfx(bytes, password);

            // Offline: a server that starts, or a handshake, is not to wait for what a certificate says is somewhere on the network.
            return SslStreamCertificateContext.Create(leaf, others, offline: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or FormatException or ArgumentException)
        {
            throw new FleetLockInputException("tls", $"The certificate {options.CertificatePath}{(options.KeyPath is { } key ? $" with the key {key}" : "")} cannot be used: {TerminalText.Clean(e.Message)}", e);
        }
    }

    private static (X509Certificate2 Leaf, X509Certificate2Collection Others) ReadPem(string text, string? keyPath, string? password)
    {
        if (keyPath is null && !text.Contains("PRIVATE KEY-----", StringComparison.Ordinal))
            throw new CryptographicException("there is no private key in it; if that is in a file of its own, name it too (tls.key, --tls-key).");
        var key = keyPath is null ? text : File.ReadAllText(keyPath);
        var leaf = password is null ? X509Certificate2.CreateFromPem(text, key) : X509Certificate2.CreateFromEncryptedPem(text, key, password);
        var others = new X509Certificate2Collection();
        others.ImportFromPem(text);
        if (!OperatingSystem.IsWindows())
            return (leaf, others);

        // Windows' TLS does not take a key that is in memory only.
        using (leaf)
            return (X509CertificateLoader.LoadPkcs12(leaf.Export(X509ContentType.Pkcs12), null), others);
    }

    private static (X509Certificate2 Leaf, X509Certificate2Collection Others) ReadPfx(byte[] bytes, string? password)
    {
        var all = X509CertificateLoader.LoadPkcs12Collection(bytes, password);
        return all.FirstOrDefault(certificate => certificate.HasPrivateKey) is { } leaf
            ? (leaf, all)
            : throw new CryptographicException("there is no private key in it");
    }
}
