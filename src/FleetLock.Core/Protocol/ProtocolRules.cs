using System.Globalization;

namespace FleetLock;

/// <summary>The rules for group names and node ids, for the client and the server alike.</summary>
public static class ProtocolRules
{
    /// <summary>The longest id, in characters. The protocol sets no limit; 255 is a host name's.</summary>
    public const int MaxIdLength = 255;

    /// <summary>The longest reason of a forced release, in characters.</summary>
    public const int MaxReasonLength = 255;

    private const int MaxShownLength = 64;

    /// <summary>Says what is wrong with a group name. The rule is the protocol's: <c>^[a-zA-Z0-9.-]+$</c>.</summary>
    /// <param name="group">The group name.</param>
    /// <returns>The value and the rule that it breaks, or <see langword="null"/> when it is a good name.</returns>
    public static string? FaultOfGroup(string? group)
    {
        if (string.IsNullOrEmpty(group))
            return "the group is empty; it takes at least one of a-z, A-Z, 0-9, '.' and '-'";

        foreach (var c in group!)
        {
            if (c is not ((>= 'a' and <= 'z') or (>= 'A' and <= 'Z') or (>= '0' and <= '9') or '.' or '-'))
                return $"the group '{Show(group)}' has a character outside a-z, A-Z, 0-9, '.' and '-'";
        }

        return null;
    }

    /// <summary>Says what is wrong with a node id: it takes 1 to 255 printable characters, and not only spaces.</summary>
    /// <param name="id">The node id.</param>
    /// <returns>The value and the rule that it breaks, or <see langword="null"/> when it is a good id.</returns>
    public static string? FaultOfId(string? id)
    {
        if (string.IsNullOrEmpty(id))
            return $"the id is empty; it takes 1 to {MaxIdLength} printable characters";
        if (id!.Length > MaxIdLength)
            return $"the id '{Show(id)}' has {id.Length} characters; it takes 1 to {MaxIdLength}";
        if (!TerminalText.IsPrintable(id))
            return $"the id '{Show(id)}' has a control or other unprintable character; it takes 1 to {MaxIdLength} printable characters";
        if (string.IsNullOrWhiteSpace(id))
            return $"the id '{id}' has nothing but spaces; it takes 1 to {MaxIdLength} printable characters";

        return null;
    }

    /// <summary>Says what is wrong with the reason of a forced release: it takes 1 to 255 printable characters, and not only spaces.</summary>
    /// <param name="reason">The reason.</param>
    /// <returns>The rule that it breaks, or <see langword="null"/> when it is a good reason.</returns>
    public static string? FaultOfReason(string? reason) =>
        string.IsNullOrWhiteSpace(reason) || reason!.Length > MaxReasonLength || !TerminalText.IsPrintable(reason)
            ? $"a forced release takes a reason, for the server's log: 1 to {MaxReasonLength} printable characters"
            : null;

    /// <summary>Returns the group name if it keeps the rule.</summary>
    /// <param name="group">The group name.</param>
    /// <returns>The same name.</returns>
    /// <exception cref="FleetLockInputException">It does not; see <see cref="FaultOfGroup"/>.</exception>
    public static string RequireGroup(string? group) =>
        FaultOfGroup(group) is { } fault ? throw new FleetLockInputException("group", Sentence(fault)) : group!;

    /// <summary>Returns the id if it keeps the rule.</summary>
    /// <param name="id">The node id.</param>
    /// <returns>The same id.</returns>
    /// <exception cref="FleetLockInputException">It does not; see <see cref="FaultOfId"/>.</exception>
    public static string RequireId(string? id) =>
        FaultOfId(id) is { } fault ? throw new FleetLockInputException("id", Sentence(fault)) : id!;

    /// <summary>Returns the reason if it keeps the rule.</summary>
    /// <param name="reason">The reason.</param>
    /// <returns>The same reason.</returns>
    /// <exception cref="FleetLockInputException">It does not; see <see cref="FaultOfReason"/>.</exception>
    public static string RequireReason(string? reason) =>
        FaultOfReason(reason) is { } fault ? throw new FleetLockInputException("reason", Sentence(fault)) : reason!;

    /// <summary>A value as an error message may show it: without control characters and not too long.</summary>
    /// <param name="value">The value.</param>
    /// <returns>The text to show.</returns>
    public static string Show(string value) => TerminalText.Clean(value, MaxShownLength);

    private static string Sentence(string fault) => char.ToUpper(fault[0], CultureInfo.InvariantCulture) + fault.Substring(1) + ".";
}
