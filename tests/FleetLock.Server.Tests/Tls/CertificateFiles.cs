using System.Security.Cryptography.X509Certificates;

namespace FleetLock.Server.Tests;

/// <summary>Certificates as files, in the forms that operators have them in.</summary>
internal static class CertificateFiles
{
    /// <summary>The certificate and its key as PEM.</summary>
    internal static string Pem(X509Certificate2 certificate) => certificate.ExportCertificatePem() + "\n" + KeyPem(certificate);

    internal static string KeyPem(X509Certificate2 certificate) => certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem();

    /// <summary>Replaces a file's content at once, as what renews certificates does.</summary>
    internal static void Replace(string path, string text)
    {
        File.WriteAllText(path + ".new", text);
        File.Move(path + ".new", path, overwrite: true);
    }
}
