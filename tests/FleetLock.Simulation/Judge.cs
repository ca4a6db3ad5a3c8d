using FleetLock.Server;

namespace FleetLock.Simulation;

/// <summary>
/// Judges the history against a counting semaphore with owners: never more holders than slots; nobody believes in a slot that they do not hold; no
/// acknowledged grant or release is lost; a release that a server has read is carried out; and in the end no slot is held that nobody believes in and
/// nobody has reported.
/// </summary>
internal sealed class Judge(World world)
{
    private readonly List<Belief> _beliefs = [];

    // Releases that a server has read, and that have not taken effect yet.
    private readonly List<ReadRelease> _releases = [];

    // When a steady-state of an id last took effect: what its other sessions believe ends with it, as the protocol says.
    private readonly Dictionary<string, TimeSpan> _unlocked = new(StringComparer.Ordinal);

    // Of which grant a report is, when that is known: the release of another one leaves what it says true.
    private readonly HashSet<(string Id, string? GrantId)> _reported = [];
    private GroupSemaphore _current = GroupSemaphore.None;

    /// <summary>What broke a promise first; <see langword="null"/> when nothing did.</summary>
    internal string? Violation { get; private set; }

    /// <summary>Whether a backup was restored, and not confirmed yet: what it has lost is lost by definition.</summary>
    internal bool IsRestored { get; set; }

    internal int Grants { get; private set; }

    internal bool AnyBelief => _beliefs.Exists(IsValid);

    /// <summary>A session was told that it holds a slot.</summary>
    internal Belief Believe(string id, string session, TimeSpan requested)
    {
        Grants++;
        var belief = new Belief(id, session, requested);
        _beliefs.Add(belief);
        Check($"{session} was told that {id} holds a slot");
        return belief;
    }

    /// <summary>A session has begun to release its slot, or has crashed.</summary>
    internal void End(Belief belief) => _beliefs.Remove(belief);

    internal void Unlocked(string id) => _unlocked[id] = world.Time.Now;

    /// <summary>A client or a server has reported that a slot may be held without an owner.</summary>
    /// <param name="id">The node id.</param>
    /// <param name="grantId">The grant that may hold it; <see langword="null"/> for any.</param>
    internal void Report(string id, string? grantId = null) => _reported.Add((id, grantId));

    /// <summary>A client has left for good, and nobody will release what its id holds, but for the releases that a server has read.</summary>
    internal void Left(string id)
    {
        if (_current.Holders.ContainsKey(id))
            Report(id);
    }

    /// <summary>
    /// A server has read a release. If that process and its store live on, there is an instant from now on at which the slot is not held, whatever becomes
    /// of the client; and that instant is not after the answer.
    /// </summary>
    /// <param name="id">The node id.</param>
    /// <param name="grantId">The only grant that it releases; <see langword="null"/> for any.</param>
    /// <param name="server">The server.</param>
    /// <returns>The release, to be excused or answered.</returns>
    internal ReadRelease Read(string id, string? grantId, string server)
    {
        var release = new ReadRelease(id, grantId, _current.Holders.GetValueOrDefault(id), server);
        if (IsHeld(release))
            _releases.Add(release);
        return release;
    }

    /// <summary>The server that has read a release was killed, or its store failed: whether it takes effect is unknown.</summary>
    internal void Excuse(ReadRelease release) => _releases.Remove(release);

    internal void Answered(ReadRelease release)
    {
        if (_releases.Remove(release))
            Fail($"{release.Server} answered the release of {release.Id}, which has held its slot all the time");
    }

    internal void Committed(GroupSemaphore next, string writer)
    {
        var isGrant = next.Holders.Keys.Any(id => !_current.Holders.ContainsKey(id));
        if (isGrant && next.Holders.Count > next.Slots)
            Fail($"{writer} made {next.Holders.Count} holders of {next.Slots} slots");
        if (isGrant && IsRestored)
            Fail($"{writer} granted from a store that went back");
        _reported.RemoveWhere(report => _current.Holders.TryGetValue(report.Id, out var holder)
            && !next.Holders.ContainsKey(report.Id)
            && IsOf(report.GrantId, holder));
        _current = next;
        _releases.RemoveAll(release => !IsHeld(release));
        Check($"{writer} saved {string.Join(",", next.Holders.Keys)}");
    }

    /// <summary>The store went back to an earlier state, or an administrator has put its holders right.</summary>
    internal void Replaced(GroupSemaphore next)
    {
        _current = next;
        _releases.Clear();
    }

    internal void GrantedUnconfigured(string server) => Fail($"{server} granted in a group that it does not have");

    /// <summary>All clients are idle: whatever is held still is a leak, and must have been reported. What was read must have been carried out.</summary>
    internal void CheckLeaks()
    {
        foreach (var release in _releases)
            Fail($"{release.Id} still holds the slot whose release {release.Server} has read");
        foreach (var (id, holder) in _current.Holders)
        {
            if (!_reported.Any(report => report.Id == id && IsOf(report.GrantId, holder)))
                Fail($"{id} holds a slot that nobody believes in and nobody reported");
        }
    }

    /// <summary>Whether a holder may be of a grant. airlock hides which it is.</summary>
    private static bool IsOf(string? grantId, SlotHolder holder) => grantId is null || holder.GrantId is null || holder.GrantId == grantId;

    private void Check(string what)
    {
        foreach (var belief in _beliefs)
        {
            if (IsValid(belief) && !IsRestored && !_current.Holders.ContainsKey(belief.Id))
                Fail($"{belief.Session} believes that {belief.Id} holds a slot, and it does not, after: {what}");
        }

        var believers = _beliefs.Where(IsValid).Select(belief => belief.Id).Distinct(StringComparer.Ordinal).Count();
        if (believers > world.Slots)
            Fail($"{believers} ids believe that they hold one of {world.Slots} slots, after: {what}");
    }

    /// <summary>Whether the slot has been held all the time. One save may release it and grant it again. airlock hides which grant it is.</summary>
    private bool IsHeld(ReadRelease release) => _current.Holders.TryGetValue(release.Id, out var holder)
        && (release.GrantId is null || (holder.GrantId == release.GrantId && !holder.IsShared))
        && (holder.GrantId is null || (holder.GrantId == release.Holder?.GrantId && holder.Since == release.Holder.Since));

    private bool IsValid(Belief belief) => !_unlocked.TryGetValue(belief.Id, out var unlocked) || unlocked < belief.Requested;

    private void Fail(string violation)
    {
        Violation ??= violation;
        world.Trace($"VIOLATION {violation}");
    }
}

/// <summary>A session that was told that its id holds a slot.</summary>
internal sealed record Belief(string Id, string Session, TimeSpan Requested);

/// <summary>A release that a server has read.</summary>
internal sealed class ReadRelease(string id, string? grantId, SlotHolder? holder, string server)
{
    internal string Id => id;

    internal string? GrantId => grantId;

    /// <summary>What the id held when the release was read.</summary>
    internal SlotHolder? Holder => holder;

    internal string Server => server;
}
