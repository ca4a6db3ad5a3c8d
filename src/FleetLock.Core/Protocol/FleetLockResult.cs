namespace FleetLock;

/// <summary>What came of one lock or unlock: an outcome is a value, whether it is a grant or not.</summary>
public sealed record FleetLockResult
{
    /// <summary>The operation that was asked for.</summary>
    public required FleetLockOperation Operation { get; init; }

    /// <summary>How it ended.</summary>
    public required FleetLockStatus Status { get; init; }

    /// <summary>The group whose slot was asked for.</summary>
    public required string Group { get; init; }

    /// <summary>The node id that asked.</summary>
    public required string Id { get; init; }

    /// <summary>The server's base address, without user information and without a slash at its end.</summary>
    public required string Server { get; init; }

    /// <summary>The error's kind: the server's own, or <c>generic_http_CODE</c>, or <c>client_failed_request</c>; <see langword="null"/> on success.</summary>
    public string? Kind { get; init; }

    /// <summary>For people: the server's own words (cleaned of control characters), or what went wrong on the way.</summary>
    public required string Message { get; init; }

    /// <summary>The HTTP status code of the last answer; <see langword="null"/> when there was none.</summary>
    public int? HttpStatus { get; init; }

    /// <summary>How long the server asks to wait before the next try (<c>Retry-After</c>); <see langword="null"/> when it does not say.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>
    /// True when the request may have been carried out although no FleetLock answer says so: the slot may or may not be held. Do not go on as if it were.
    /// </summary>
    public bool OutcomeUnknown { get; init; }

    /// <summary>The grant that is held, after a lock that was granted; <see langword="null"/> when the server does not report it.</summary>
    public string? GrantId { get; init; }

    /// <summary>
    /// True when this lock operation made the grant, false when the id held the slot before, and <see langword="null"/> when the server does not report it.
    /// </summary>
    public bool? IsNewGrant { get; init; }

    /// <summary>Who held the slot, since when and from where, after a forced release; otherwise <see langword="null"/>.</summary>
    public FleetHolder? Holder { get; init; }

    /// <summary>How many requests were sent.</summary>
    public int Attempts { get; init; } = 1;

    /// <summary>The time from the first request to the end.</summary>
    public TimeSpan Elapsed { get; init; }

    /// <summary>When it ended.</summary>
    public DateTimeOffset Time { get; init; }

    /// <summary>True for <see cref="FleetLockStatus.Granted"/> and <see cref="FleetLockStatus.Released"/>, and for nothing else.</summary>
    public bool IsSuccess => Status is FleetLockStatus.Granted or FleetLockStatus.Released;

    /// <summary>One line for a log.</summary>
    /// <returns>Operation, group, id, server, status and message.</returns>
    public override string ToString() => $"{Operation} of group '{Group}' as '{Id}' at {Server}: {Status} ({Message})";

    /// <summary>Throws unless the operation succeeded.</summary>
    /// <returns>This result.</returns>
    /// <exception cref="FleetLockException">The operation did not succeed.</exception>
    public FleetLockResult EnsureSuccess() => IsSuccess ? this : throw new FleetLockException(this);

    /// <summary>How the last try of a wait ended whose time is over; <see langword="null"/> otherwise.</summary>
    internal FleetLockStatus? LastStatus { get; init; }

    /// <summary>The server held the request until a slot was free or the time was over (<c>Preference-Applied: wait</c>), so it may be asked again at once.</summary>
    internal bool ServerWaited { get; init; }

    /// <summary>The answer says that the id holds no slot: all are taken by others, or the grant was cancelled.</summary>
    internal bool SaysNotHeld { get; init; }
}
