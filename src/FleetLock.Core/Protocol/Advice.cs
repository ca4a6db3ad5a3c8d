namespace FleetLock;

/// <summary>What to do next, for each outcome that is not a success. The one home of these sentences.</summary>
public static class Advice
{
    internal const string ConfirmRestore =
        "An administrator has to confirm the restored store: fleetlockctl confirm-restore, or Confirm-FleetStoreRestore.";

    private const string NotFoundPage = ErrorKinds.GenericHttpPrefix + "404";

    private const string VersionPath = "/" + FleetLockProtocol.FeaturesPath;

    /// <summary>One or two sentences that tell the person at the terminal what to do next.</summary>
    /// <param name="result">The result.</param>
    /// <param name="waitOption">How the caller's own command is told to wait, such as <c>--wait</c>; <see langword="null"/> when it cannot.</param>
    /// <returns>The advice; empty for a success.</returns>
    public static string For(FleetLockResult result, string? waitOption = null)
    {
        // Of a wait whose time is over, the last answer says what is wrong. The caller knows already how to wait.
        var next = result.LastStatus is { } last
            ? For(last, result.Kind, result.Server, null)
            : For(result.Status, result.Kind, result.Server, waitOption);
        return result.OutcomeUnknown ? $"{next} {UnknownOutcome(result.Operation)}" : next;
    }

    /// <summary>The same, for an outcome that is known.</summary>
    /// <param name="status">How it ended.</param>
    /// <param name="kind">The error's kind.</param>
    /// <param name="server">The server's base address.</param>
    /// <param name="waitOption">How the caller's own command is told to wait; <see langword="null"/> when it cannot.</param>
    /// <returns>The advice; empty for a success.</returns>
    internal static string For(FleetLockStatus status, string? kind, string server, string? waitOption) => kind switch
    {
        ErrorKinds.ClientGrantKept => "A release by its id alone frees the slot for every lock that was granted it.",
        ErrorKinds.NotHeld => "It was already released, or the group or the id is wrong.",
        ErrorKinds.GrantCancelled => "This lock was undone or released: begin another.",
        ErrorKinds.StoreRestored => ConfirmRestore,
        ErrorKinds.UnknownGroup => "Check the group's name: group names are case-sensitive.",
        ErrorKinds.NotFound or NotFoundPage when server.EndsWith(VersionPath, StringComparison.Ordinal) =>
            "The URL is the server's base address: leave /v1 out.",
        ErrorKinds.NotFound => "Check that the URL is that of a FleetLock server.",
        _ => For(status, waitOption),
    };

    private static string For(FleetLockStatus status, string? waitOption) => status switch
    {
        FleetLockStatus.Granted or FleetLockStatus.Released => "",
        FleetLockStatus.Busy => waitOption is null ? "Try again later." : $"Try again later, or use {waitOption}.",
        FleetLockStatus.Pending => "The slot is reserved but not granted: ask again until it is, and do not start yet.",
        FleetLockStatus.Refused => "Trying again does not help: check the group's name, the id and the credentials with the server's operator.",
        FleetLockStatus.Unreachable or FleetLockStatus.TimedOut => "Check the address, the network and the server, then try again.",
        _ => "Check that the URL is that of a FleetLock server, and that no proxy or login page stands in front of it.",
    };

    /// <summary>The warning beside groups whose store went back to an earlier state.</summary>
    /// <param name="groups">The groups of one server.</param>
    /// <returns>The warning; <see langword="null"/> when there is nothing to warn of.</returns>
    public static string? ForRestoredStore(IEnumerable<FleetGroup> groups) =>
        (groups ?? throw new ArgumentNullException(nameof(groups))).FirstOrDefault(group => group.StoreRestored) is { } restored
            ? $"The store of {restored.Server} went back to an earlier state, and no slot is granted. {ConfirmRestore}"
            : null;

    /// <summary>The warning for a request whose answer was lost.</summary>
    /// <param name="operation">The operation whose outcome is unknown.</param>
    /// <returns>The warning.</returns>
    public static string UnknownOutcome(FleetLockOperation operation) => operation == FleetLockOperation.Lock
        ? "The server may have granted the slot although no answer arrived: do not go on as if you held it, and unlock with the same id unless something else holds a slot by it."
        : "The server may have released the slot although no answer arrived: unlock again with the same id, unless something else has taken a slot by it since.";
}
