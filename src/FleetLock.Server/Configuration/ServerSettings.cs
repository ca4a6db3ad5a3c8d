using System.Text.Json.Serialization;

namespace FleetLock.Server;

/// <summary>What an operator says of a server: the configuration file's JSON, and the command line's options. What is not said is <see langword="null"/>.</summary>
public sealed record ServerSettings
{
    /// <summary>Where to listen: <c>http://ADDRESS:PORT</c> or <c>https://ADDRESS:PORT</c>.</summary>
    [JsonConverter(typeof(OneOrMoreConverter))]
    public IReadOnlyList<string>? Listen { get; init; }

    /// <summary>The groups and their slots.</summary>
    public IReadOnlyDictionary<string, int>? Groups { get; init; }

    /// <summary>The SQLite file, or <see cref="ServerConfiguration.Memory"/>.</summary>
    public string? Data { get; init; }

    /// <summary>Whether the SQLite file may be on a network file system.</summary>
    public bool? AllowNetworkFilesystem { get; init; }

    /// <summary>The etcd that keeps the semaphores instead.</summary>
    public EtcdSettings? Etcd { get; init; }

    /// <summary>The server's certificate, and what it asks of its clients'.</summary>
    public TlsSettings? Tls { get; init; }

    /// <summary>The bearer tokens.</summary>
    public IReadOnlyList<CredentialSettings>? Tokens { get; init; }

    /// <summary>What client certificates may do.</summary>
    public IReadOnlyList<CredentialSettings>? ClientCertificates { get; init; }

    /// <summary>What one client may take of the server.</summary>
    public LimitSettings? Limits { get; init; }

    /// <summary>The log's form: <c>text</c> or <c>json</c>.</summary>
    public string? Log { get; init; }

    /// <summary>These settings, and where they say nothing, the others.</summary>
    /// <param name="others">The others.</param>
    /// <returns>The settings in force.</returns>
    internal ServerSettings Over(ServerSettings others) => new()
    {
        Listen = Listen ?? others.Listen,
        Groups = Groups ?? others.Groups,

        // There is one store: to name one here is to leave the other there.
        Data = Data ?? (Etcd is null ? others.Data : null),
        AllowNetworkFilesystem = AllowNetworkFilesystem ?? others.AllowNetworkFilesystem,
        Etcd = Data is null ? Etcd?.Over(others.Etcd) ?? others.Etcd : Etcd,
        Tls = Tls?.Over(others.Tls) ?? others.Tls,
        Tokens = Tokens ?? others.Tokens,
        ClientCertificates = ClientCertificates ?? others.ClientCertificates,
        Limits = Limits?.Over(others.Limits) ?? others.Limits,
        Log = Log ?? others.Log,
    };

    /// <summary>The same, with each relative path made one of a folder.</summary>
    /// <param name="folder">The folder.</param>
    /// <returns>The settings.</returns>
    internal ServerSettings In(string folder)
    {
        string? Full(string? path) => path is null or "" ? path : Path.GetFullPath(path, folder);
        return this with
        {
            Data = Data == ServerConfiguration.Memory ? Data : Full(Data),
            Etcd = Etcd is null ? null : Etcd with { CaCertificate = Full(Etcd.CaCertificate), Certificate = Full(Etcd.Certificate), Key = Full(Etcd.Key), PasswordFile = Full(Etcd.PasswordFile) },
            Tls = Tls is null ? null : Tls with { Certificate = Full(Tls.Certificate), Key = Full(Tls.Key), PasswordFile = Full(Tls.PasswordFile), ClientCa = Full(Tls.ClientCa) },
        };
    }
}

/// <summary>How to reach an etcd.</summary>
public sealed record EtcdSettings
{
    /// <summary>The endpoints, each <c>http(s)://HOST:PORT</c>.</summary>
    [JsonConverter(typeof(OneOrMoreConverter))]
    public IReadOnlyList<string>? Endpoints { get; init; }

    /// <summary>A PEM file with the only authorities that etcd's certificate may come from.</summary>
    public string? CaCertificate { get; init; }

    /// <summary>A PEM file with the certificate to show to etcd.</summary>
    public string? Certificate { get; init; }

    /// <summary>A PEM file with that certificate's key.</summary>
    public string? Key { get; init; }

    /// <summary>etcd's user.</summary>
    public string? User { get; init; }

    /// <summary>A file with the user's password.</summary>
    public string? PasswordFile { get; init; }

    /// <summary>The time that one call to etcd may take.</summary>
    public int? TimeoutSeconds { get; init; }

    internal EtcdSettings Over(EtcdSettings? others) => others is null ? this : new()
    {
        Endpoints = Endpoints ?? others.Endpoints,
        CaCertificate = CaCertificate ?? others.CaCertificate,
        Certificate = Certificate ?? others.Certificate,
        Key = Key ?? others.Key,
        User = User ?? others.User,
        PasswordFile = PasswordFile ?? others.PasswordFile,
        TimeoutSeconds = TimeoutSeconds ?? others.TimeoutSeconds,
    };
}

/// <summary>The server's certificate, and what it asks of its clients'.</summary>
public sealed record TlsSettings
{
    /// <summary>A PEM or PFX file with the server's certificate, and those between it and its authority.</summary>
    public string? Certificate { get; init; }

    /// <summary>A PEM file with the key, if it is in another file.</summary>
    public string? Key { get; init; }

    /// <summary>A file with the password of the key or of the PFX file.</summary>
    public string? PasswordFile { get; init; }

    /// <summary>A PEM file with the only authorities that client certificates may come from.</summary>
    public string? ClientCa { get; init; }

    /// <summary>Whether clients show a certificate: <c>none</c>, <c>allow</c> or <c>require</c>.</summary>
    public string? ClientCertificate { get; init; }

    internal TlsSettings Over(TlsSettings? others) => others is null ? this : new()
    {
        Certificate = Certificate ?? others.Certificate,

        // A certificate brings its own key and password.
        Key = Key ?? (Certificate is null ? others.Key : null),
        PasswordFile = PasswordFile ?? (Certificate is null ? others.PasswordFile : null),
        ClientCa = ClientCa ?? others.ClientCa,
        ClientCertificate = ClientCertificate ?? others.ClientCertificate,
    };
}

/// <summary>A token or a client certificate, and what it may do.</summary>
public sealed record CredentialSettings
{
    /// <summary>The credential's name; a certificate's is its common name or one of its DNS names, or <c>*</c> for any that the authority signed.</summary>
    public string? Name { get; init; }

    /// <summary>The token's SHA-256, 64 hexadecimal digits. Only of a token.</summary>
    public string? Sha256 { get; init; }

    /// <summary>The role: <c>node</c>, <c>observer</c> or <c>admin</c>.</summary>
    public string? Role { get; init; }

    /// <summary>The only ids that a node may lock and unlock for.</summary>
    [JsonConverter(typeof(OneOrMoreConverter))]
    public IReadOnlyList<string>? Ids { get; init; }

    /// <summary>The only groups that a node may lock and unlock in.</summary>
    [JsonConverter(typeof(OneOrMoreConverter))]
    public IReadOnlyList<string>? Groups { get; init; }

    /// <summary>Whether a node may lock and unlock only for the id that is the credential's own name.</summary>
    public bool? OwnIdOnly { get; init; }
}

/// <summary>What one client may take of the server.</summary>
public sealed record LimitSettings
{
    /// <summary>See <see cref="ServerLimits.MaxConnections"/>.</summary>
    public int? MaxConnections { get; init; }

    /// <summary>See <see cref="ServerLimits.HeaderTimeout"/>.</summary>
    public int? HeaderTimeoutSeconds { get; init; }

    /// <summary>See <see cref="ServerLimits.BodyTimeout"/>.</summary>
    public int? BodyTimeoutSeconds { get; init; }

    /// <summary>See <see cref="ServerLimits.RequestsPerMinutePerAddress"/>.</summary>
    public int? RequestsPerMinutePerAddress { get; init; }

    /// <summary>See <see cref="FleetLockServerOptions.MaxWait"/>.</summary>
    public int? MaxWaitSeconds { get; init; }

    internal LimitSettings Over(LimitSettings? others) => others is null ? this : new()
    {
        MaxConnections = MaxConnections ?? others.MaxConnections,
        HeaderTimeoutSeconds = HeaderTimeoutSeconds ?? others.HeaderTimeoutSeconds,
        BodyTimeoutSeconds = BodyTimeoutSeconds ?? others.BodyTimeoutSeconds,
        RequestsPerMinutePerAddress = RequestsPerMinutePerAddress ?? others.RequestsPerMinutePerAddress,
        MaxWaitSeconds = MaxWaitSeconds ?? others.MaxWaitSeconds,
    };
}
