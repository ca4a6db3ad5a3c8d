using System.Globalization;
using FleetLock.Server;

namespace FleetLock.Cli.Commands;

/// <summary>The words of <c>serve</c>'s options that stand for more than one value.</summary>
internal static class ServeTexts
{
    internal static Dictionary<string, int> ParseGroups(string[] texts)
    {
        var groups = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var text in texts)
        {
            var (name, count) = text.Split('=', 2) is [var left, var right] ? (left, right) : (text, "");
            if (!int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var slots))
                throw new UsageException($"The group '{ProtocolRules.Show(text)}' is not of the form NAME=SLOTS, with SLOTS a whole number from 0 to {FleetLockServerOptions.MaxSlots}.");
            if (!groups.TryAdd(name, slots))
                throw new UsageException($"The group '{ProtocolRules.Show(name)}' is given twice.");
        }

        return groups;
    }

    // From the right, because a name may have colons. Not shown: somebody may have put the token itself in the place of its hash.
    internal static CredentialSettings ParseToken(string text) => text.Split(':') is [.. var name, var role, var hash] && name.Length > 0
        ? new CredentialSettings { Name = string.Join(':', name), Role = role, Sha256 = hash }
        : throw new UsageException("A --token is not of the form NAME:ROLE:SHA256; 'fleetlockctl token' makes one. It is not shown, because it may be a secret.");
}
