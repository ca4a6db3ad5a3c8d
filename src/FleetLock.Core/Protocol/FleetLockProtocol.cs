namespace FleetLock;

/// <summary>The names that the FleetLock protocol and our extensions to it put on the wire.</summary>
/// <remarks>Source: docs/development/fleetlock/protocol.md in coreos/zincati.</remarks>
public static class FleetLockProtocol
{
    /// <summary>The header that every request carries with the value <see cref="HeaderValue"/>, so that a stray redirect cannot act.</summary>
    public const string Header = "fleet-lock-protocol";

    /// <summary>The value of <see cref="Header"/>.</summary>
    public const string HeaderValue = "true";

    /// <summary>The header that asks the server to hold a lock request until a slot is free: <c>Prefer: wait=SECONDS</c> (RFC 7240, section 4.3).</summary>
    public const string PreferHeader = "Prefer";

    /// <summary>The header by which a server says that it did so (RFC 7240, section 3).</summary>
    public const string PreferenceAppliedHeader = "Preference-Applied";

    /// <summary>The preference's name in both headers.</summary>
    public const string WaitPreference = "wait";

    /// <summary>The path of RecursiveLock below the base address.</summary>
    public const string PreRebootPath = "v1/pre-reboot";

    /// <summary>The path of UnlockIfHeld below the base address.</summary>
    public const string SteadyStatePath = "v1/steady-state";

    /// <summary>The path of our extension that lists the groups.</summary>
    public const string GroupsPath = "v1/groups";

    /// <summary>The segment below a group's path with its holders: <c>DELETE v1/groups/{group}/holders?id=…&amp;reason=…</c> frees a slot.</summary>
    public const string HoldersSegment = "holders";

    /// <summary>
    /// The query parameter with the id of a forced release. <c>holders/{id}</c> is the same for an id that a path can carry: it cannot <c>..</c>, which
    /// every client takes out, nor <c>a/b</c>, which a server cannot tell from <c>a%2Fb</c>.
    /// </summary>
    public const string IdParameter = "id";

    /// <summary>The query parameter with the reason of a forced release.</summary>
    public const string ReasonParameter = "reason";

    /// <summary>The value of <see cref="ReasonParameter"/> that marks the undo of a lock operation in the server's log.</summary>
    public const string UndoReason = "undo";

    /// <summary>
    /// The header with a grant id. A lock request carries the id of its lock operation; a 200 to it carries the id of the grant that is held. An extension.
    /// </summary>
    public const string GrantHeader = "FleetLock-Grant";

    /// <summary>The header that says what became of a grant: one of the <c>Grant…</c> values below. An extension.</summary>
    public const string GrantStatusHeader = "FleetLock-Grant-Status";

    /// <summary>A lock was answered 200, and this lock operation made the grant.</summary>
    public const string GrantNew = "new";

    /// <summary>A lock was answered 200, and the id held the slot before this lock operation.</summary>
    public const string GrantHeld = "held";

    /// <summary>A grant was cancelled, and its slot is free.</summary>
    public const string GrantReleased = "released";

    /// <summary>A grant was cancelled, and the id still holds a slot: the hold is shared, or another grant made it.</summary>
    public const string GrantKept = "kept";

    /// <summary>A grant was cancelled, and the id holds no slot.</summary>
    public const string GrantAbsent = "absent";

    /// <summary>The segment below a group's path with its grants: <c>DELETE v1/groups/{group}/grants/{grantId}?id=…</c> cancels one.</summary>
    public const string GrantsSegment = "grants";

    /// <summary>The path of our extension that confirms a restored store: <c>DELETE v1/restore-mark</c>.</summary>
    public const string RestoreMarkPath = "v1/restore-mark";

    /// <summary>The path of our extension that lists what the server supports.</summary>
    public const string FeaturesPath = "v1";

    /// <summary>The group of a client that names none, as in Zincati.</summary>
    public const string DefaultGroup = "default";

    /// <summary>The request's one member.</summary>
    public const string ClientParams = "client_params";

    /// <summary>The member of <see cref="ClientParams"/> with the node id.</summary>
    public const string Id = "id";

    /// <summary>The member of <see cref="ClientParams"/> with the group.</summary>
    public const string Group = "group";

    /// <summary>The member of an error with its type: one of few values, see <see cref="ErrorKinds"/>.</summary>
    public const string Kind = "kind";

    /// <summary>The member of an error with its text for people.</summary>
    public const string Value = "value";
}
