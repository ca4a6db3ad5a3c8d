namespace FleetLock.Server;

/// <summary>Who asks: the credential that a request carries, and the names that are its own.</summary>
/// <param name="Credential">The credential.</param>
/// <param name="OwnNames">The token's name; the certificate's, or, where the rule is for any certificate, all names of it.</param>
internal sealed record Caller(Credential Credential, IReadOnlyList<string> OwnNames)
{
    /// <summary>The name, for the log.</summary>
    internal string Name => OwnNames.Count > 0 ? OwnNames[0] : Credential.Name;

    /// <summary>Says what of the credential's rule forbids a request.</summary>
    /// <param name="right">What the request needs.</param>
    /// <param name="group">The group that it is about, if that is known.</param>
    /// <param name="id">The node id that it is about, if that is known.</param>
    /// <returns>The reason, or <see langword="null"/> when it is allowed.</returns>
    internal string? FaultOf(Right right, string? group, string? id)
    {
        var may = (Credential.Role, right) switch
        {
            (Role.Admin, _) or (Role.Node, Right.Node) or (Role.Observer, Right.Observe) => true,
            _ => false,
        };
        if (!may)
            return $"'{Shown}' has the role {RoleName}, which may not {NameOf(right)}";
        if (Credential.Role != Role.Node)
            return null;
        if (group is not null && Credential.Groups is { } groups && !groups.Contains(group, StringComparer.Ordinal))
            return $"'{Shown}' may not {NameOf(right)} in the group '{ProtocolRules.Show(group)}': its rule 'groups' does not name it";
        if (id is not null && Credential.Ids is { } ids && !ids.Contains(id, StringComparer.Ordinal))
            return $"'{Shown}' may not {NameOf(right)} for the id '{ProtocolRules.Show(id)}': its rule 'ids' does not name it";
        if (id is not null && Credential.OwnIdOnly && !OwnNames.Contains(id, StringComparer.Ordinal))
            return $"'{Shown}' may not {NameOf(right)} for the id '{ProtocolRules.Show(id)}': its rule 'ownIdOnly' leaves it its own name alone";
        return null;
    }

    private string Shown => ProtocolRules.Show(Name);

    private string RoleName => Credential.Role switch
    {
        Role.Node => "node",
        Role.Observer => "observer",
        _ => "admin",
    };

    private static string NameOf(Right right) => right switch
    {
        Right.Node => "lock or unlock",
        Right.Observe => "see groups, holders and metrics",
        _ => "free slots of others, change a group's slots or confirm a restored store",
    };
}
