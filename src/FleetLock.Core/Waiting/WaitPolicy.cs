namespace FleetLock;

/// <summary>How long to wait for a slot, and how often to ask.</summary>
public sealed record WaitPolicy
{
    /// <summary>The longest that a server's <c>Retry-After</c> is obeyed: 5 minutes. A server that says more is asked earlier.</summary>
    public static readonly TimeSpan MaxRetryAfter = TimeSpan.FromMinutes(5);

    /// <summary>The default of <see cref="RetryInterval"/>: 30 seconds.</summary>
    public static readonly TimeSpan DefaultRetryInterval = TimeSpan.FromSeconds(30);

    /// <summary>The longest that a wait can be limited to, in seconds: 24 days.</summary>
    public const int MaxTimeoutSec = 24 * 24 * 3600;

    /// <summary>When to give up; <see langword="null"/>, the default, is never. There is one last try at this time.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>The longest sleep between two tries. The first sleeps are shorter, from one second on, doubling. The default is 30 seconds.</summary>
    public TimeSpan RetryInterval { get; init; } = DefaultRetryInterval;
}
