namespace FleetLock;

/// <summary>A value in force, and where it came from.</summary>
/// <param name="Name">The setting.</param>
/// <param name="Value">The value; <see langword="null"/> when nothing sets it. A secret's is never shown, see <see cref="Shown"/>.</param>
/// <param name="Source">Where it came from, for people: <c>parameter</c>, an environment variable's name, a file and line, <c>default</c> …</param>
public sealed record Setting(SettingName Name, string? Value, string Source)
{
    internal const string Parameter = "parameter";
    internal const string Default = "default";
    internal const string NotSet = "not set";
    internal const string DerivedFrom = "derived from ";

    /// <summary>The value as people may see it: a secret is only "set", and a URL has no user information.</summary>
    public string? Shown => Name switch
    {
        _ when Value is null => null,
        SettingName.Token => "set",
        SettingName.Url => WithoutUserInfo(Value),
        _ => Value,
    };

    /// <summary>Setting, shown value and source.</summary>
    /// <returns>The text; no secret is in it.</returns>
    public override string ToString() => $"{Name} = {Shown ?? "-"} ({Source})";

    private static string WithoutUserInfo(string url)
    {
        // Also of what is no good URL: a password may stand before an '@' there too.
        var scheme = url.IndexOf("://", StringComparison.Ordinal);
        var start = scheme < 0 ? 0 : scheme + 3;
        var at = url.LastIndexOf('@');
        return at < start ? url : url.Substring(0, start) + url.Substring(at + 1);
    }
}
