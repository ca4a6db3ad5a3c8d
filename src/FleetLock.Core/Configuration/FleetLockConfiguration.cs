using System;

namespace FleetLock;

/// <summary>Server, group and id in force: what the caller gives, then the environment, then the default. Each says where it came from.</summary>
public sealed class FleetLockConfiguration
{
    /// <summary>The environment variable with the server's base address.</summary>
    public const string UrlVariable = "FLEETLOCK_URL";

    /// <summary>The environment variable with the group.</summary>
    public const string GroupVariable = "FLEETLOCK_GROUP";

    /// <summary>The environment variable with the node id.</summary>
    public const string IdVariable = "FLEETLOCK_ID";

    private const string Parameter = "parameter";
    private const string DerivedFrom = "derived from ";

    // Lazy, because looking for the machine id can fail, and not everyone needs the id.
    private readonly Lazy<Setting> _id;

    private FleetLockConfiguration(Setting url, Setting group, Func<Setting> id)
    {
        Url = url;
        Group = group;
        _id = new Lazy<Setting>(id);
    }

    /// <summary>The server's base address. There is no default: a lock that is silently local protects nobody.</summary>
    public Setting Url { get; }

    /// <summary>The group; by default <c>default</c>, as in Zincati.</summary>
    public Setting Group { get; }

    /// <summary>The node id; by default derived from this machine's id.</summary>
    /// <exception cref="FleetLockInputException">No id is given and this machine has none.</exception>
    public Setting Id => _id.Value;

    /// <summary>True when nobody gives an id, so that it is this machine's.</summary>
    public bool IdIsOfThisMachine => Id.Source.StartsWith(DerivedFrom, StringComparison.Ordinal);

    /// <summary>Finds the values in force. Only what is absent falls through: a value that is given and bad is an error later, never replaced.</summary>
    /// <param name="url">The caller's server; <see langword="null"/> if not given.</param>
    /// <param name="group">The caller's group; <see langword="null"/> if not given.</param>
    /// <param name="id">The caller's id; <see langword="null"/> if not given.</param>
    /// <param name="environment">Reads an environment variable; <see langword="null"/> is the process's environment. An empty variable counts as not set.</param>
    /// <param name="nodeId">Finds this machine's node id; <see langword="null"/> is <see cref="NodeId.OfThisMachine"/>. Called only when the id is asked for and nobody gives one.</param>
    /// <returns>The configuration.</returns>
    public static FleetLockConfiguration Resolve(
        string? url = null,
        string? group = null,
        string? id = null,
        Func<string, string?>? environment = null,
        Func<(string Id, string Source)>? nodeId = null)
    {
        environment ??= Environment.GetEnvironmentVariable;
        return new FleetLockConfiguration(
            Find(url, UrlVariable) ?? new Setting(null, "not set"),
            Find(group, GroupVariable) ?? new Setting(FleetLockProtocol.DefaultGroup, "default"),
            () => Find(id, IdVariable) ?? OfMachine());

        Setting? Find(string? given, string variable)
        {
            if (given is not null)
                return new Setting(given, Parameter);
            return environment(variable) is { Length: > 0 } value ? new Setting(value, variable) : null;
        }

        Setting OfMachine()
        {
            var (value, source) = (nodeId ?? NodeId.OfThisMachine)();
            return new Setting(value, DerivedFrom + source);
        }
    }

    /// <summary>The server, checked.</summary>
    /// <returns>The address.</returns>
    /// <exception cref="FleetLockInputException">There is none, or it is not a good one; the message says what to set.</exception>
    public ServerAddress RequireServer() => Url.Value is { } url
        ? ServerAddress.Parse(url)
        : throw new FleetLockInputException("url", $"No FleetLock server is named: give its URL (-Uri, --url) or set {UrlVariable}, for example to https://fleetlock.example.net.");

    /// <summary>The group, checked.</summary>
    /// <returns>The group.</returns>
    /// <exception cref="FleetLockInputException">It breaks its rule.</exception>
    public string RequireGroup() => ProtocolRules.RequireGroup(Group.Value);

    /// <summary>The id, checked.</summary>
    /// <returns>The id.</returns>
    /// <exception cref="FleetLockInputException">It breaks its rule, or there is none.</exception>
    public string RequireId() => ProtocolRules.RequireId(Id.Value);
}
