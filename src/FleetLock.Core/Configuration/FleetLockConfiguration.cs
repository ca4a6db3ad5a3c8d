using System.Globalization;
using System.Text;

namespace FleetLock;

/// <summary>
/// The settings in force: what the caller gives, then the environment, then the configuration files, then the default. Each says where it came
/// from. Only what is absent falls through: a value that is given and bad is an error, never replaced.
/// </summary>
public sealed class FleetLockConfiguration
{
    private const int LongestTimeoutSec = 24 * 24 * 3600;

    private static readonly Dictionary<SettingName, string> Variables = new()
    {
        [SettingName.Url] = "FLEETLOCK_URL",
        [SettingName.Group] = "FLEETLOCK_GROUP",
        [SettingName.Id] = "FLEETLOCK_ID",
        [SettingName.ApplicationId] = "FLEETLOCK_APPLICATION_ID",
        [SettingName.Token] = "FLEETLOCK_TOKEN",
        [SettingName.TokenFile] = "FLEETLOCK_TOKEN_FILE",
        [SettingName.CaCertificatePath] = "FLEETLOCK_CA_CERTIFICATE_PATH",
        [SettingName.CertificatePath] = "FLEETLOCK_CERTIFICATE_PATH",
        [SettingName.TimeoutSec] = "FLEETLOCK_TIMEOUT_SEC",
        [SettingName.RetryIntervalSec] = "FLEETLOCK_RETRY_INTERVAL_SEC",
    };

    private readonly FleetLockSettings _given;
    private readonly Surroundings _surroundings;
    private readonly Dictionary<SettingName, Setting> _ofFiles;

    // Lazy, because looking for the machine id can fail, and not everyone needs the id.
    private readonly Lazy<Setting> _id;

    private FleetLockConfiguration(FleetLockSettings given, Surroundings surroundings)
    {
        _given = given;
        _surroundings = surroundings;
        _ofFiles = ConfigurationFile.ReadAll(surroundings);
        _id = new Lazy<Setting>(FindId);
    }

    /// <summary>The server's base address. There is no default: a lock that is silently local protects nobody.</summary>
    public Setting Url => Find(SettingName.Url) ?? new Setting(SettingName.Url, null, Setting.NotSet);

    /// <summary>The group; by default <c>default</c>, as in Zincati.</summary>
    public Setting Group => Find(SettingName.Group) ?? new Setting(SettingName.Group, FleetLockProtocol.DefaultGroup, Setting.Default);

    /// <summary>The node id; by default derived from this machine's id.</summary>
    /// <exception cref="FleetLockInputException">No id is given and this machine has none.</exception>
    public Setting Id => _id.Value;

    /// <summary>True when nobody gives an id, so that it is this machine's.</summary>
    public bool IdIsOfThisMachine => Id.Source.StartsWith(Setting.DerivedFrom, StringComparison.Ordinal);

    /// <summary>Finds the values in force.</summary>
    /// <param name="url">The caller's server; <see langword="null"/> if not given.</param>
    /// <param name="group">The caller's group; <see langword="null"/> if not given.</param>
    /// <param name="id">The caller's id; <see langword="null"/> if not given.</param>
    /// <returns>The configuration.</returns>
    /// <exception cref="FleetLockInputException">A configuration file has something wrong in it.</exception>
    public static FleetLockConfiguration Resolve(string? url = null, string? group = null, string? id = null) =>
        Resolve(new FleetLockSettings { Url = url, Group = group, Id = id });

    /// <summary>Finds the values in force.</summary>
    /// <param name="given">What the caller gives.</param>
    /// <param name="surroundings">Where the rest comes from; <see langword="null"/> is this process and this machine.</param>
    /// <returns>The configuration.</returns>
    /// <exception cref="FleetLockInputException">A configuration file has something wrong in it.</exception>
    public static FleetLockConfiguration Resolve(FleetLockSettings given, Surroundings? surroundings = null) => new(
        given ?? throw new ArgumentNullException(nameof(given)),
        surroundings ?? new Surroundings());

    /// <summary>Every setting that has a value, and where each came from. What cannot be found, such as a machine id, is left out.</summary>
    /// <returns>The settings, in the order of <see cref="SettingName"/>.</returns>
    public IReadOnlyList<Setting> All()
    {
        var settings = new List<Setting>();
        foreach (var name in Variables.Keys)
        {
            var setting = name switch
            {
                SettingName.Url => Url,
                SettingName.Group => Group,
                SettingName.Id => TryId(),
                SettingName.TimeoutSec => Find(name) ?? new Setting(name, Seconds(FleetLockClientOptions.DefaultTimeout), Setting.Default),
                SettingName.RetryIntervalSec => Find(name) ?? new Setting(name, Seconds(WaitPolicy.DefaultRetryInterval), Setting.Default),
                _ => Find(name),
            };
            if (setting is not null)
                settings.Add(setting);
        }

        return settings;
    }

    /// <summary>Checks every value that <see cref="All"/> lists. No server is needed, and no file of a token or a certificate is opened.</summary>
    /// <exception cref="FleetLockInputException">A value is invalid.</exception>
    public void RequireValid()
    {
        if (Url.Value is not null)
            RequireServers();
        RequireGroup();
        if (TryId() is not null)
            RequireId();
        RequireTimeout();
        RequireRetryInterval();
    }

    /// <summary>The first server, checked.</summary>
    /// <returns>The address.</returns>
    /// <exception cref="FleetLockInputException">There is none, or one is invalid; the message says what to set.</exception>
    public ServerAddress RequireServer() => RequireServers()[0];

    /// <summary>All servers, checked. They are separated by spaces or commas.</summary>
    /// <returns>The addresses, at least one.</returns>
    /// <exception cref="FleetLockInputException">There is none, or one is invalid; the message says what to set.</exception>
    public IReadOnlyList<ServerAddress> RequireServers() => Url.Value is { } url
        ? ServerAddress.ParseList(url)
        : throw new FleetLockInputException("url", $"No FleetLock server is named: give its URL (-Uri, --url) or set {VariableOf(SettingName.Url)}, for example to https://fleetlock.example.net.");

    /// <summary>The group, checked.</summary>
    /// <returns>The group.</returns>
    /// <exception cref="FleetLockInputException">It breaks its rule.</exception>
    public string RequireGroup() => ProtocolRules.RequireGroup(Group.Value);

    /// <summary>The id, checked.</summary>
    /// <returns>The id.</returns>
    /// <exception cref="FleetLockInputException">It breaks its rule, or there is none.</exception>
    public string RequireId() => ProtocolRules.RequireId(Id.Value);

    /// <summary>The time that one request may take.</summary>
    /// <returns>The time; infinite for 0.</returns>
    /// <exception cref="FleetLockInputException">It is not a whole number of seconds, up to 24 days.</exception>
    public TimeSpan RequireTimeout() => Find(SettingName.TimeoutSec) is { } setting
        ? RequireSeconds(setting, 0) is var seconds && seconds == TimeSpan.Zero ? Timeout.InfiniteTimeSpan : seconds
        : FleetLockClientOptions.DefaultTimeout;

    /// <summary>The longest sleep between two tries of a wait.</summary>
    /// <returns>The time.</returns>
    /// <exception cref="FleetLockInputException">It is not a whole number of seconds, from 1 to 24 days.</exception>
    public TimeSpan RequireRetryInterval() => Find(SettingName.RetryIntervalSec) is { } setting
        ? RequireSeconds(setting, 1)
        : WaitPolicy.DefaultRetryInterval;

    /// <summary>Options for a client of the server in force, with its credentials and certificates.</summary>
    /// <returns>The options.</returns>
    /// <exception cref="FleetLockInputException">The server is missing or bad, or a file of a token or a certificate cannot be used.</exception>
    public FleetLockClientOptions RequireClientOptions() => new()
    {
        Server = RequireServer(),
        OtherServers = [.. RequireServers().Skip(1)],
        Timeout = RequireTimeout(),
        Token = ReadToken(),
        CaCertificates = Find(SettingName.CaCertificatePath)?.Value is { } authorities ? CertificateFile.ReadAuthorities(authorities) : null,
        ClientCertificate = Find(SettingName.CertificatePath)?.Value is { } certificate ? CertificateFile.ReadClientCertificate(certificate) : null,
    };

    /// <summary>Tells whether an id is this machine's own machine id, as it is.</summary>
    /// <param name="id">The id.</param>
    /// <returns>True when it is; false also when this machine has none.</returns>
    internal bool IsRawMachineId(string id)
    {
        try
        {
            return string.Equals(_surroundings.MachineId().Id.ToString(), id.Replace("-", ""), StringComparison.OrdinalIgnoreCase);
        }
        catch (FleetLockInputException)
        {
            return false;
        }
    }

    /// <summary>The environment variable of a setting.</summary>
    /// <param name="name">The setting.</param>
    /// <returns>The variable's name.</returns>
    internal static string VariableOf(SettingName name) => Variables[name];

    private Setting? Find(SettingName name)
    {
        if (_given[name] is { } given)
            return new Setting(name, given, Setting.Parameter);
        if (_surroundings.Variable(VariableOf(name)) is { } value)
            return new Setting(name, value, VariableOf(name));
        return _ofFiles.TryGetValue(name, out var setting) ? setting : null;
    }

    private Setting FindId()
    {
        if (Find(SettingName.Id) is { } id)
            return id;
        var (machineId, source) = _surroundings.MachineId();
        return new Setting(SettingName.Id, NodeId.Derive(machineId, Find(SettingName.ApplicationId)?.Value), Setting.DerivedFrom + source);
    }

    private Setting? TryId()
    {
        try
        {
            return Id;
        }
        catch (FleetLockInputException)
        {
            return null;
        }
    }

    /// <summary>The token, from the nearest place that has one: a token or a token file of the caller's, then of the environment, then of the files.</summary>
    private string? ReadToken()
    {
        var (token, file) = (Find(SettingName.Token), Find(SettingName.TokenFile));
        var isFileNearer = file?.Source == Setting.Parameter && token?.Source != Setting.Parameter;
        if (token is not null && !isFileNearer)
            return HttpTransport.RequireToken(token.Value!, token.Source);
        if (file?.Value is not { } path)
            return null;

        try
        {
            var bytes = _surroundings.ReadFile(path) ?? throw new FileNotFoundException("it is not there");
            return HttpTransport.RequireToken(Encoding.UTF8.GetString(bytes).TrimStart(ConfigurationFile.ByteOrderMark).Trim(), path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or (ArgumentException and not FleetLockInputException))
        {
            throw new FleetLockInputException("token", $"The token file {path} ({file.Source}) cannot be read: {e.Message}", e);
        }
    }

    private static TimeSpan RequireSeconds(Setting setting, int least) =>
        int.TryParse(setting.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds >= least && seconds <= LongestTimeoutSec
            ? TimeSpan.FromSeconds(seconds)
            : throw new FleetLockInputException("timeout", $"{setting.Name} is '{ProtocolRules.Show(setting.Value!)}' ({setting.Source}); it takes a whole number of seconds from {least} to {LongestTimeoutSec}.");

    private static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("0", CultureInfo.InvariantCulture);
}
