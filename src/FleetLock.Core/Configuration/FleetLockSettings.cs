namespace FleetLock;

/// <summary>What a caller gives: parameters, options. What is <see langword="null"/> is looked for in the environment, in the files, and in the defaults.</summary>
public sealed record FleetLockSettings
{
    /// <summary>The server's base address.</summary>
    public string? Url { get; init; }

    /// <summary>The group.</summary>
    public string? Group { get; init; }

    /// <summary>The node id.</summary>
    public string? Id { get; init; }

    /// <summary>A bearer token.</summary>
    public string? Token { get; init; }

    /// <summary>A file with a bearer token.</summary>
    public string? TokenFile { get; init; }

    /// <summary>A file with the certificates (PEM) of the authorities to trust.</summary>
    public string? CaCertificatePath { get; init; }

    /// <summary>A file with the client's certificate and key (PEM or PFX).</summary>
    public string? CertificatePath { get; init; }

    /// <summary>The time that one request may take, in seconds; 0 is no limit.</summary>
    public string? TimeoutSec { get; init; }

    /// <summary>The longest sleep between two tries of a wait, in seconds.</summary>
    public string? RetryIntervalSec { get; init; }

    internal string? this[SettingName name] => name switch
    {
        SettingName.Url => Url,
        SettingName.Group => Group,
        SettingName.Id => Id,
        SettingName.Token => Token,
        SettingName.TokenFile => TokenFile,
        SettingName.CaCertificatePath => CaCertificatePath,
        SettingName.CertificatePath => CertificatePath,
        SettingName.TimeoutSec => TimeoutSec,
        SettingName.RetryIntervalSec => RetryIntervalSec,
        _ => null,
    };

    /// <summary>Nothing of the values, because a secret is among them.</summary>
    /// <returns>The type's name.</returns>
    public override string ToString() => nameof(FleetLockSettings);
}
