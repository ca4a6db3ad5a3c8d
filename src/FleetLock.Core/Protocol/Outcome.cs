namespace FleetLock;

/// <summary>What one exchange with a server came to: the part of a <see cref="FleetLockResult"/> that the answer decides.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Kind">The error's kind; <see langword="null"/> on success.</param>
/// <param name="Message">For people.</param>
internal sealed record Outcome(FleetLockStatus Status, string? Kind, string Message)
{
    /// <summary>The server that was asked last.</summary>
    public ServerAddress? Server { get; init; }

    /// <summary>The answer's status code, if there was an answer.</summary>
    public int? HttpStatus { get; init; }

    /// <summary>The server's <c>Retry-After</c>.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The request may have acted although no answer arrived.</summary>
    public bool OutcomeUnknown { get; init; }

    /// <summary>The server lost a race against another writer: neither busy nor away, the same request may just be sent again.</summary>
    public bool LostRace { get; init; }

    /// <summary>The answer says that the id holds no slot.</summary>
    public bool SaysNotHeld { get; init; }

    /// <summary>The grant that is held, if the server reports it.</summary>
    public string? GrantId { get; init; }

    /// <summary>Whether this lock operation made the grant, if the server reports it.</summary>
    public bool? IsNewGrant { get; init; }

    /// <summary>The server's clock, from its <c>Date</c>.</summary>
    public DateTimeOffset? Date { get; init; }

    /// <summary>The server applied the preference to wait (RFC 7240).</summary>
    public bool ServerWaited { get; init; }
}
