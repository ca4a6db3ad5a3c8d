using Microsoft.Extensions.Logging;

namespace FleetLock.Server;

/// <summary>What the server writes to its log about its configuration, certificates and addresses.</summary>
internal static partial class TrustLog
{
    [LoggerMessage(40, LogLevel.Warning, "listening beyond this machine without TLS ({Addresses}): whoever is on the network can read and change what is said")]
    internal static partial void ListensInTheOpen(ILogger logger, string addresses);

    [LoggerMessage(41, LogLevel.Information, "certificate {Path}: read again; it is good until {Until:u}")]
    internal static partial void CertificateReloaded(ILogger logger, string path, DateTime until);

    [LoggerMessage(42, LogLevel.Error, "the certificate in force stays, because its files have changed and are not good: {Fault}")]
    internal static partial void CertificateKept(ILogger logger, string fault);

    [LoggerMessage(43, LogLevel.Information, "configuration {File}: read again and in force")]
    internal static partial void ConfigurationReloaded(ILogger logger, string file);

    [LoggerMessage(44, LogLevel.Error, "the configuration in force stays: {Fault}")]
    internal static partial void ConfigurationKept(ILogger logger, string fault);

    [LoggerMessage(45, LogLevel.Warning, "configuration {File}: {Members} changed, which takes a restart of the server")]
    internal static partial void RestartNeeded(ILogger logger, string file, string members);
}
