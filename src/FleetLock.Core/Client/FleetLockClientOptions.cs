using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace FleetLock;

/// <summary>What a <see cref="FleetLockClient"/> is made from.</summary>
public sealed record FleetLockClientOptions
{
    /// <summary>The default of <see cref="Timeout"/>: 100 seconds.</summary>
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(100);

    /// <summary>The longest that <see cref="Timeout"/> may be short of infinite: 24 days, which timers of all frameworks can count.</summary>
    public static readonly TimeSpan MaxTimeout = TimeSpan.FromDays(24);

    /// <summary>The server's base address.</summary>
    public required ServerAddress Server { get; init; }

    /// <summary>
    /// More servers on the same semaphores, such as those of one etcd. When a server cannot be reached or answers 503, the next one is asked, and stays in use.
    /// Never are two asked at the same time.
    /// </summary>
    public IReadOnlyList<ServerAddress> OtherServers { get; init; } = [];

    /// <summary>
    /// The time that one request may take, from the connection to the end of its answer; <see cref="System.Threading.Timeout.InfiniteTimeSpan"/>
    /// is no limit. The default is 100 seconds; a server that drains a node before it answers can take many minutes.
    /// </summary>
    public TimeSpan Timeout { get; init; } = DefaultTimeout;

    /// <summary>A bearer token (RFC 6750). It goes before <see cref="Credential"/>, and both go before the user information of the address.</summary>
    public string? Token { get; init; }

    /// <summary>A user and a password for Basic authentication.</summary>
    public NetworkCredential? Credential { get; init; }

    /// <summary>The certificate, with its private key, that the client shows to the server.</summary>
    public X509Certificate2? ClientCertificate { get; init; }

    /// <summary>The only authorities that the server's certificate may come from; <see langword="null"/> trusts those of the system.</summary>
    public X509Certificate2Collection? CaCertificates { get; init; }

    /// <summary>Accepts any certificate of the server. Anyone between this machine and the server can then grant what is not granted: for a lab only.</summary>
    public bool SkipCertificateCheck { get; init; }

    /// <summary>The proxy; <see langword="null"/> uses that of the system or the environment.</summary>
    public Uri? Proxy { get; init; }

    /// <summary>Uses no proxy, whatever the system says.</summary>
    public bool NoProxy { get; init; }

    /// <summary>More headers for each request. The protocol's own, and those that belong to the connection, cannot be set.</summary>
    public IReadOnlyDictionary<string, string>? Headers { get; init; }

    /// <summary>The clock for time-outs, <see cref="FleetLockResult.Time"/> and <see cref="FleetLockResult.Elapsed"/>.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    internal bool HasTimeout => Timeout != System.Threading.Timeout.InfiniteTimeSpan;

    /// <summary>Server and time-out only, because there are secrets among the rest.</summary>
    /// <returns>The text.</returns>
    public override string ToString() => $"{string.Join(" ", new[] { Server }.Concat(OtherServers))}, time-out {(HasTimeout ? Timeout.ToString() : "none")}";
}
