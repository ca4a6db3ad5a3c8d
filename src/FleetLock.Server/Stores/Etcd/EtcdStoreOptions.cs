namespace FleetLock.Server;

/// <summary>What an <see cref="EtcdStore"/> is made from.</summary>
public sealed record EtcdStoreOptions
{
    /// <summary>The default of <see cref="Timeout"/>: 5 seconds.</summary>
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(5);

    /// <summary>The longest that <see cref="Timeout"/> may be: 5 minutes.</summary>
    public static readonly TimeSpan MaxTimeout = TimeSpan.FromMinutes(5);

    /// <summary>
    /// The members' client addresses, <c>http://HOST:PORT</c> or <c>https://HOST:PORT</c>. One is used at a time; when it fails, the next one's turn has come.
    /// </summary>
    public required IReadOnlyList<Uri> Endpoints { get; init; }

    /// <summary>A PEM file with the only authorities that etcd's certificate may come from; <see langword="null"/> trusts those of the system.</summary>
    public string? CaCertificatePath { get; init; }

    /// <summary>The certificate to show to etcd: a PEM file, or a PFX file without a password.</summary>
    public string? CertificatePath { get; init; }

    /// <summary>The PEM file with the private key of <see cref="CertificatePath"/>; <see langword="null"/> when the key is in the same file.</summary>
    public string? KeyPath { get; init; }

    /// <summary>The etcd user; <see langword="null"/> where etcd asks for none, or knows the user by the certificate.</summary>
    public string? User { get; init; }

    /// <summary>The password of <see cref="User"/>.</summary>
    public string? Password { get; init; }

    /// <summary>The time that one call to etcd may take. The default is 5 seconds.</summary>
    public TimeSpan Timeout { get; init; } = DefaultTimeout;

    /// <summary>Where etcd is, as people are told.</summary>
    internal string Description => "etcd at " + string.Join(", ", Endpoints.Select(Show));

    /// <summary>Endpoints and time-out only, because there are secrets among the rest.</summary>
    /// <returns>The text.</returns>
    public override string ToString() => $"{Description}, time-out {Timeout}";

    /// <summary>An endpoint without what should not be in it, such as a password.</summary>
    internal static string Show(Uri endpoint) =>
        ProtocolRules.Show(endpoint.IsAbsoluteUri ? $"{endpoint.Scheme}://{endpoint.Authority}" : endpoint.OriginalString);

    /// <summary>Refuses what cannot work.</summary>
    /// <exception cref="FleetLockInputException">The options contradict each other, or an endpoint is none.</exception>
    internal void Require()
    {
        if (Endpoints.Count == 0)
            throw new FleetLockInputException("etcd", "There is no etcd endpoint.");
        foreach (var endpoint in Endpoints)
            RequireEndpoint(endpoint);
        if (Endpoints.Select(endpoint => endpoint.Scheme).Distinct(StringComparer.Ordinal).Count() > 1)
            throw new FleetLockInputException("etcd", "The etcd endpoints are a mix of http and https; what is sent to one of them would be sent unprotected to another.");
        if (Endpoints[0].Scheme == Uri.UriSchemeHttp && (CaCertificatePath ?? CertificatePath) is not null)
            throw new FleetLockInputException("etcd", "A certificate for etcd is of no use with http endpoints; name them with https.");
        if (KeyPath is not null && CertificatePath is null)
            throw new FleetLockInputException("etcd", "There is a private key for etcd, but no certificate.");
        if (User is null != Password is null || User?.Length == 0)
            throw new FleetLockInputException("etcd", "A user for etcd needs a password, and a password a user.");
        if (Timeout <= TimeSpan.Zero || Timeout > MaxTimeout)
            throw new FleetLockInputException("etcd", $"The time-out for etcd is {Timeout}; it takes more than 0 and at most {MaxTimeout}.");
    }

    private static void RequireEndpoint(Uri endpoint)
    {
        var isAddress = endpoint.IsAbsoluteUri && (endpoint.Scheme == Uri.UriSchemeHttp || endpoint.Scheme == Uri.UriSchemeHttps) && endpoint.Host.Length > 0;
        if (!isAddress || endpoint.PathAndQuery != "/" || endpoint.UserInfo.Length > 0 || endpoint.Fragment.Length > 0)
            throw new FleetLockInputException("etcd", $"The etcd endpoint '{Show(endpoint)}' is not of the form http://HOST:PORT or https://HOST:PORT.");
    }
}
