namespace FleetLock.Server;

/// <summary>A grant id that its client has cancelled: a lock that is still on its way with it is refused.</summary>
/// <param name="Id">The node id.</param>
/// <param name="GrantId">The grant id.</param>
/// <param name="Until">When it is forgotten.</param>
public sealed record CancelledGrant(string Id, string GrantId, DateTimeOffset Until)
{
    /// <summary>How long a cancelled grant id is kept: longer than any request stays on its way.</summary>
    internal static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);

    /// <summary>The most that a group keeps. Beyond it the oldest ones are forgotten, those of the same id first.</summary>
    internal const int MaxKept = 1000;
}
