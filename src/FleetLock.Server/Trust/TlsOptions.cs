namespace FleetLock.Server;

/// <summary>The files of a server's TLS, which are read again when they change, and what it asks of its clients.</summary>
/// <param name="CertificatePath">A PEM or PFX file with the server's certificate, and those between it and its authority.</param>
public sealed record TlsOptions(string CertificatePath)
{
    /// <summary>A PEM file with the key; <see langword="null"/> when it is in the certificate's file.</summary>
    public string? KeyPath { get; init; }

    /// <summary>A file with the password of the key or of the PFX file, if it has one.</summary>
    public string? PasswordPath { get; init; }

    /// <summary>A PEM file with the only authorities that client certificates may come from; the machine's own are not asked.</summary>
    public string? ClientAuthoritiesPath { get; init; }

    /// <summary>Whether a client must show a certificate; otherwise it may, where there are <see cref="ClientAuthoritiesPath"/>.</summary>
    public bool RequireClientCertificate { get; init; }
}
