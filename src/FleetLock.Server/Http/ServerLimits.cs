namespace FleetLock.Server;

/// <summary>What clients may take of a server. A fleet of 10,000 machines that each ask every five minutes, through one address or many, meets none of the defaults.</summary>
public sealed record ServerLimits
{
    /// <summary>The requests in a minute that an address beyond loopback has unless told otherwise.</summary>
    /// <remarks>
    /// 10,000 machines behind one proxy or NAT ask 2,000 times a minute. After a power cut all of them come back within a minute, each with a release and
    /// a few repeats of it, and then ask to lock: not more than six each. A client that repeats itself without a pause asks ten times as often.
    /// </remarks>
    public const int DefaultRequestsPerMinute = 60_000;

    /// <summary>The most connections at a time: twice 10,000, because a machine may have one request held and another on its way.</summary>
    public int MaxConnections { get; init; } = 20_000;

    /// <summary>The time that a request's head may take.</summary>
    public TimeSpan HeaderTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The time that a request's body may take.</summary>
    public TimeSpan BodyTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// The requests in a minute that one address has, all at once or spread out. When it is not set, it is <see cref="DefaultRequestsPerMinute"/> beyond
    /// loopback and no limit on it: there a proxy, which has limits of its own, speaks for everybody.
    /// </summary>
    public int? RequestsPerMinutePerAddress { get; init; }
}
