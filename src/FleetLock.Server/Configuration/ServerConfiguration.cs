namespace FleetLock.Server;

/// <summary>What a server goes by: the settings of the command line, then those of the file, then the defaults; each with its rule kept, and all together.</summary>
public sealed record ServerConfiguration
{
    /// <summary>The name of no file: nothing is kept.</summary>
    public const string Memory = ":memory:";

    /// <summary>Where to listen.</summary>
    public required IReadOnlyList<Uri> Listen { get; init; }

    /// <summary>The groups and their slots.</summary>
    public required IReadOnlyDictionary<string, int> Groups { get; init; }

    /// <summary>The SQLite file, or <see cref="Memory"/>; <see langword="null"/> leaves it to the host.</summary>
    public string? Data { get; init; }

    /// <summary>Whether the SQLite file may be on a network file system.</summary>
    public bool AllowNetworkFilesystem { get; init; }

    /// <summary>The etcd that keeps the semaphores instead, without its user's password.</summary>
    public EtcdStoreOptions? Etcd { get; init; }

    /// <summary>The file with the password of etcd's user.</summary>
    public string? EtcdPasswordFile { get; init; }

    /// <summary>The certificate, and what is asked of the clients'.</summary>
    public TlsOptions? Tls { get; init; }

    /// <summary>Who may do what.</summary>
    public required IReadOnlyList<Credential> Credentials { get; init; }

    /// <summary>What clients may take of the server.</summary>
    public required ServerLimits Limits { get; init; }

    /// <summary>The longest that a lock request is held.</summary>
    public TimeSpan? MaxWait { get; init; }

    /// <summary>The log's form: <c>text</c> or <c>json</c>.</summary>
    public required string Log { get; init; }

    /// <summary>Options for a server, with a store that is given the rest.</summary>
    /// <param name="store">The store.</param>
    /// <returns>The options.</returns>
    public FleetLockServerOptions ToOptions(ISemaphoreStore store) => Apply(new FleetLockServerOptions { Groups = Groups, Store = store });

    /// <summary>The same options, with what this configuration says.</summary>
    /// <param name="options">The options of a server.</param>
    /// <returns>The options.</returns>
    internal FleetLockServerOptions Apply(FleetLockServerOptions options) => options with
    {
        Groups = Groups,
        Listen = Listen[0],
        ListenAlso = [.. Listen.Skip(1)],
        Tls = Tls,
        Credentials = Credentials,
        Limits = Limits,
        MaxWait = MaxWait ?? FleetLockServerOptions.DefaultMaxWait,
    };

    /// <summary>The store, not open yet.</summary>
    /// <param name="defaultData">Makes the path of the SQLite file when none is named.</param>
    /// <returns>The store.</returns>
    /// <exception cref="FleetLockInputException">The file with etcd's password cannot be read.</exception>
    public ISemaphoreStore CreateStore(Func<string> defaultData)
    {
        ArgumentNullException.ThrowIfNull(defaultData);
        if (Etcd is { } etcd)
            return new EtcdStore(EtcdPasswordFile is { } file ? etcd with { Password = ReadPassword(file) } : etcd);
        var data = Data ?? defaultData();
        return data == Memory ? new MemoryStore() : new SqliteStore(data) { AllowNetworkFileSystem = AllowNetworkFilesystem };
    }

    /// <summary>Puts the settings together.</summary>
    /// <param name="settings">The settings, each with its rule kept.</param>
    /// <returns>The configuration.</returns>
    /// <exception cref="FleetLockInputException">Two settings do not go together, or one needs another; the message names both.</exception>
    internal static ServerConfiguration From(ServerSettings settings)
    {
        var configuration = new ServerConfiguration
        {
            Listen = settings.Listen is { } listen ? [.. listen.Select(text => new Uri(text))] : [FleetLockServerOptions.DefaultListen],
            Groups = settings.Groups ?? new Dictionary<string, int> { [FleetLockProtocol.DefaultGroup] = 1 },
            Data = settings.Data,
            AllowNetworkFilesystem = settings.AllowNetworkFilesystem ?? false,
            Etcd = EtcdOf(settings.Etcd),
            EtcdPasswordFile = settings.Etcd?.PasswordFile,
            Tls = TlsOf(settings.Tls),
            Credentials = [.. (settings.Tokens ?? []).Concat(settings.ClientCertificates ?? []).Select(CredentialOf)],
            Limits = LimitsOf(settings.Limits),
            MaxWait = settings.Limits?.MaxWaitSeconds is { } wait ? TimeSpan.FromSeconds(wait) : null,
            Log = settings.Log ?? "text",
        };
        if (settings.ClientCertificates is { Count: > 0 } && configuration.Tls?.ClientAuthoritiesPath is null)
            throw Fault("clientCertificates", "There are rules for client certificates (clientCertificates), but none is asked for: that takes the authorities that they come from (tls.clientCa, --client-ca).");
        Listening.Require(configuration.Apply(new FleetLockServerOptions { Groups = configuration.Groups, Store = null! }));
        return configuration;
    }

    /// <summary>What another configuration changes and a running server cannot take over.</summary>
    /// <param name="next">The other configuration.</param>
    /// <returns>The members' names.</returns>
    internal IReadOnlyList<string> NeedRestart(ServerConfiguration next)
    {
        (string Member, bool Changed)[] members =
        [
            ("listen", !Listen.SequenceEqual(next.Listen)),
            ("data", Data != next.Data),
            ("allowNetworkFilesystem", AllowNetworkFilesystem != next.AllowNetworkFilesystem),
            ("etcd", !IsSame(Etcd, next.Etcd) || EtcdPasswordFile != next.EtcdPasswordFile),
            ("tls", Tls is null != next.Tls is null),
            ("limits.maxConnections", Limits.MaxConnections != next.Limits.MaxConnections),
            ("limits.headerTimeoutSeconds", Limits.HeaderTimeout != next.Limits.HeaderTimeout),
            ("limits.bodyTimeoutSeconds", Limits.BodyTimeout != next.Limits.BodyTimeout),
            ("log", Log != next.Log),
        ];
        return [.. members.Where(member => member.Changed).Select(member => member.Member)];
    }

    private static bool IsSame(EtcdStoreOptions? one, EtcdStoreOptions? other) =>
        one is null ? other is null : other is not null && one.Endpoints.SequenceEqual(other.Endpoints) && one == (other with { Endpoints = one.Endpoints });

    private static EtcdStoreOptions? EtcdOf(EtcdSettings? settings)
    {
        if (settings is null)
            return null;
        if (settings.Endpoints is not { } endpoints)
            throw Fault("etcd", "An etcd is set up without an endpoint (etcd.endpoints, --etcd).");
        var options = new EtcdStoreOptions
        {
            Endpoints = [.. endpoints.Select(endpoint => new Uri(endpoint))],
            CaCertificatePath = settings.CaCertificate,
            CertificatePath = settings.Certificate,
            KeyPath = settings.Key,
            User = settings.User,

            // Read when the store is made; here it is only there.
            Password = settings.PasswordFile is null ? null : "",
            Timeout = settings.TimeoutSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : EtcdStoreOptions.DefaultTimeout,
        };
        options.Require();
        return options;
    }

    private static TlsOptions? TlsOf(TlsSettings? settings)
    {
        if (settings is null)
            return null;
        if (settings.Certificate is null)
            throw Fault("tls", "TLS is set up without a certificate (tls.certificate, --tls-cert).");
        var asked = settings.ClientCertificate ?? (settings.ClientCa is null ? "none" : "allow");
        if (asked != "none" && settings.ClientCa is null)
            throw Fault("tls", "Client certificates are asked for (tls.clientCertificate, --client-cert), but not what they are checked against: the authorities that they come from (tls.clientCa, --client-ca).");
        return new TlsOptions(settings.Certificate)
        {
            KeyPath = settings.Key,
            PasswordPath = settings.PasswordFile,
            ClientAuthoritiesPath = asked == "none" ? null : settings.ClientCa,
            RequireClientCertificate = asked == "require",
        };
    }

    private static Credential CredentialOf(CredentialSettings settings) => new(settings.Name!, settings.Role switch
    {
        "node" => Role.Node,
        "observer" => Role.Observer,
        _ => Role.Admin,
    })
    {
        Sha256 = settings.Sha256,
        Ids = settings.Ids,
        Groups = settings.Groups,
        OwnIdOnly = settings.OwnIdOnly ?? false,
    };

    private static ServerLimits LimitsOf(LimitSettings? settings)
    {
        var defaults = new ServerLimits();
        return new ServerLimits
        {
            MaxConnections = settings?.MaxConnections ?? defaults.MaxConnections,
            HeaderTimeout = settings?.HeaderTimeoutSeconds is { } header ? TimeSpan.FromSeconds(header) : defaults.HeaderTimeout,
            BodyTimeout = settings?.BodyTimeoutSeconds is { } body ? TimeSpan.FromSeconds(body) : defaults.BodyTimeout,
            RequestsPerMinutePerAddress = settings?.RequestsPerMinutePerAddress,
        };
    }

    private static string ReadPassword(string path)
    {
        try
        {
            return File.ReadAllText(path).TrimEnd('\r', '\n');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Fault("etcd", $"The password file {path} cannot be read: {e.Message}", e);
        }
    }

    private static FleetLockInputException Fault(string setting, string message, Exception? cause = null) => new(setting, message, cause);
}
