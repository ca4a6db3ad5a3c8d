using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;

namespace FleetLock.Server;

/// <summary>What TLS handshakes are made with: read from files, and again when these change. Connections that stand are not touched.</summary>
internal sealed class TlsCertificates : IDisposable
{
    /// <summary>How often the files are looked at. Their content counts: what renews certificates swaps links, copies, keeps times.</summary>
    internal static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private ITimer? _timer;
    private TlsOptions _options;
    private byte[] _seen;
    private volatile SslServerAuthenticationOptions _inForce;

    /// <summary>Reads the files.</summary>
    /// <param name="options">The files.</param>
    /// <exception cref="FleetLockInputException">A file cannot be used.</exception>
    internal TlsCertificates(TlsOptions options)
    {
        _options = options;
        _seen = Fingerprint(options);
        _inForce = Load(options);
    }

    /// <summary>Begins to watch the files.</summary>
    /// <param name="clock">The clock for looking again.</param>
    /// <param name="logger">The server's log.</param>
    internal void Watch(TimeProvider clock, ILogger logger) => _timer = clock.CreateTimer(_ => Look(logger), null, Interval, Interval);

    /// <summary>What the next handshake is made with. Kestrel adds the protocols that it speaks.</summary>
    /// <returns>A copy of the caller's own.</returns>
    internal SslServerAuthenticationOptions ForHandshake()
    {
        var tls = _inForce;
        return new SslServerAuthenticationOptions
        {
            ServerCertificateContext = tls.ServerCertificateContext,
            EnabledSslProtocols = tls.EnabledSslProtocols,
            ClientCertificateRequired = tls.ClientCertificateRequired,
            CertificateChainPolicy = tls.CertificateChainPolicy,
            RemoteCertificateValidationCallback = tls.RemoteCertificateValidationCallback,
        };
    }

    /// <summary>Takes other files.</summary>
    /// <param name="options">The files.</param>
    /// <exception cref="FleetLockInputException">A file cannot be used; the former stay in force.</exception>
    internal void Use(TlsOptions options)
    {
        lock (_gate)
        {
            if (options == _options)
                return;
            var seen = Fingerprint(options);
            _inForce = Load(options);
            (_options, _seen) = (options, seen);
        }
    }

    public void Dispose() => _timer?.Dispose();

    private void Look(ILogger logger)
    {
        lock (_gate)
        {
            var seen = Fingerprint(_options);
            if (seen.AsSpan().SequenceEqual(_seen))
                return;

            // Also of what is broken, so that it is told once.
            _seen = seen;
            try
            {
                _inForce = Load(_options);
                TrustLog.CertificateReloaded(logger, _options.CertificatePath, _inForce.ServerCertificateContext!.TargetCertificate.NotAfter.ToUniversalTime());
            }
            catch (FleetLockInputException e)
            {
                TrustLog.CertificateKept(logger, e.Message);
            }
        }
    }

    private static SslServerAuthenticationOptions Load(TlsOptions options)
    {
        var tls = new SslServerAuthenticationOptions
        {
            ServerCertificateContext = ServerCertificateFile.Read(options),
#pragma warning disable CA5398 // A floor, not a choice: what the system prefers may change, but nothing below TLS 1.2 is to come back.
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
#pragma warning restore CA5398
        };
        if (options.ClientAuthoritiesPath is not { } path)
            return tls;

        tls.ClientCertificateRequired = true;
        tls.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        tls.CertificateChainPolicy.CustomTrustStore.AddRange(CertificateFile.ReadAuthorities(path));
        var isRequired = options.RequireClientCertificate;
        tls.RemoteCertificateValidationCallback = (_, _, _, errors) =>
            errors == SslPolicyErrors.None || (errors == SslPolicyErrors.RemoteCertificateNotAvailable && !isRequired);
        return tls;
    }

    private static byte[] Fingerprint(TlsOptions options)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var path in Paths(options))
        {
            var content = Content(path);
            hash.AppendData(BitConverter.GetBytes(content.Length));
            hash.AppendData(content);
        }

        return hash.GetHashAndReset();
    }

    private static IEnumerable<string> Paths(TlsOptions options) =>
        new[] { options.CertificatePath, options.KeyPath, options.PasswordPath, options.ClientAuthoritiesPath }.OfType<string>();

    private static byte[] Content(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What is wrong with it is said where it is read to be used.
            return [];
        }
    }
}
