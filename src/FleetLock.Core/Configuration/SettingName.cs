namespace FleetLock;

/// <summary>The settings of a client. Each has one name in the file, one environment variable, and one parameter.</summary>
public enum SettingName
{
    /// <summary>The server's base address.</summary>
    Url,

    /// <summary>The group.</summary>
    Group,

    /// <summary>The node id.</summary>
    Id,

    /// <summary>The application id that this machine's node id is derived with.</summary>
    ApplicationId,

    /// <summary>A bearer token. Not in a file: a file names a <see cref="TokenFile"/>.</summary>
    Token,

    /// <summary>A file with a bearer token.</summary>
    TokenFile,

    /// <summary>A file with the certificates (PEM) of the authorities that the server's certificate may come from.</summary>
    CaCertificatePath,

    /// <summary>A file with the client's certificate and key (PEM or PFX).</summary>
    CertificatePath,

    /// <summary>The time that one request may take, in seconds; 0 is no limit.</summary>
    TimeoutSec,

    /// <summary>The longest sleep between two tries of a wait, in seconds.</summary>
    RetryIntervalSec,
}
