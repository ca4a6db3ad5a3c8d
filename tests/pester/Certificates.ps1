# Dot-sourced after Common.ps1 where certificates are wanted: authorities and what they sign, made anew in each run.

using namespace System.Security.Cryptography
using namespace System.Security.Cryptography.X509Certificates

function New-Authority {
    param([string] $Name = 'Test authority')

    $request = [CertificateRequest]::new("CN=$Name", [ECDsa]::Create([ECCurve+NamedCurves]::nistP256), [HashAlgorithmName]::SHA256)
    $request.CertificateExtensions.Add([X509BasicConstraintsExtension]::new($true, $false, 0, $true))
    $request.CreateSelfSigned([datetimeoffset]::UtcNow.AddDays(-2), [datetimeoffset]::UtcNow.AddYears(1))
}

# A certificate with its key, for an address, a name, or a client.
function New-SignedCertificate {
    param($Authority, [string] $Name = 'test', [ipaddress] $Address, [int] $DaysLeft = 90)

    $key = [ECDsa]::Create([ECCurve+NamedCurves]::nistP256)
    $request = [CertificateRequest]::new("CN=$Name", $key, [HashAlgorithmName]::SHA256)
    $names = [SubjectAlternativeNameBuilder]::new()
    $names.AddDnsName($Name)
    if ($Address) { $names.AddIpAddress($Address) }
    $request.CertificateExtensions.Add($names.Build())
    $serial = [guid]::NewGuid().ToByteArray()
    $signed = $request.Create($Authority, [datetimeoffset]::UtcNow.AddDays(-1), [datetimeoffset]::UtcNow.AddDays($DaysLeft), $serial)
    $pair = [ECDsaCertificateExtensions]::CopyWithPrivateKey($signed, $key)

    # By way of PKCS#12, because not every platform's TLS takes a key that is in memory only.
    [X509Certificate2]::new($pair.Export('Pkcs12'))
}
