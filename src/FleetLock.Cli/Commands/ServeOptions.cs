using System.CommandLine;
using FleetLock.Server;

namespace FleetLock.Cli.Commands;

/// <summary>The options of <c>serve</c>: each says what a member of the configuration file says, and counts before it.</summary>
internal sealed class ServeOptions
{
    private readonly Option<string> _config = new("--config") { Description = "A JSON file with what these options say, and more. It is read again when it changes.", HelpName = "FILE" };
    private readonly Option<string[]> _listen = new("--listen") { Description = "Where to listen, http or https; port 0 takes a free one; may be repeated. " + FleetLockServerOptions.DefaultListenAddress + " if not given.", HelpName = "URL" };
    private readonly Option<string[]> _groups = new("--group", "-g") { Description = "A group and its slots; may be repeated. \"default=1\" if none is given.", HelpName = "NAME=SLOTS" };
    private readonly Option<bool?> _network = new("--allow-network-filesystem") { Description = "Allow the SQLite file on NFS or SMB, if no other machine opens it." };
    private readonly Option<string> _data = Text("--data", "The SQLite file; in the state directory if not given. \":memory:\" keeps nothing.", "FILE");
    private readonly Option<string> _etcd = Text("--etcd", "Keep the semaphores in this etcd instead; several endpoints are separated by commas.", "URL[,URL]");
    private readonly Option<string> _etcdAuthorities = Text("--etcd-ca", "The only authorities that etcd's certificate may come from, PEM.", "FILE");
    private readonly Option<string> _etcdCertificate = Text("--etcd-cert", "The certificate to show to etcd, PEM.", "FILE");
    private readonly Option<string> _etcdKey = Text("--etcd-key", "That certificate's key, PEM.", "FILE");
    private readonly Option<string> _etcdUser = Text("--etcd-user", "etcd's user.", "USER");
    private readonly Option<string> _etcdPassword = Text("--etcd-password-file", "A file with that user's password.", "FILE");
    private readonly Option<int?> _etcdTimeout = Whole("--etcd-timeout", "The time that one call to etcd may take; 5 if not given.", "SEC");
    private readonly Option<string> _certificate = Text("--tls-cert", "The server's certificate, PEM or PFX. It is read again when it changes.", "FILE");
    private readonly Option<string> _key = Text("--tls-key", "Its key, PEM, if that is in another file.", "FILE");
    private readonly Option<string> _password = Text("--tls-password-file", "A file with the password of the key or of the PFX.", "FILE");
    private readonly Option<string> _clientAuthorities = Text("--client-ca", "The only authorities that client certificates may come from, PEM.", "FILE");
    private readonly Option<string> _clientCertificate = Text("--client-cert", "Whether clients show a certificate: none, allow or require. \"allow\" with --client-ca.", "none|allow|require");
    private readonly Option<string[]> _tokens = new("--token") { Description = "A bearer token's name, role (node, observer, admin) and SHA-256, as 'fleetlockctl token' makes it; may be repeated.", HelpName = "NAME:ROLE:SHA256" };
    private readonly Option<int?> _connections = Whole("--max-connections", "The most connections at a time; 20000 if not given.", "N");
    private readonly Option<int?> _headerTimeout = Whole("--header-timeout", "The time that a request's head may take; 30 if not given.", "SEC");
    private readonly Option<int?> _bodyTimeout = Whole("--body-timeout", "The time that a request's body may take; 30 if not given.", "SEC");
    private readonly Option<int?> _requests = Whole("--requests-per-minute", "The requests that one address may send; 60000 beyond loopback if not given.", "N");
    private readonly Option<int?> _maxWait = Whole("--max-wait", "The longest that a lock request is held for 'Prefer: wait'; 3600 if not given.", "SEC");
    private readonly Option<string> _log = Text("--log", "The log's form: text or json.", "FORM");

    private Dictionary<string, Option> Members => new()
    {
        ["listen"] = _listen,
        ["groups"] = _groups,
        ["data"] = _data,
        ["allowNetworkFilesystem"] = _network,
        ["etcd"] = _etcd,
        ["etcd.endpoints"] = _etcd,
        ["etcd.caCertificate"] = _etcdAuthorities,
        ["etcd.certificate"] = _etcdCertificate,
        ["etcd.key"] = _etcdKey,
        ["etcd.user"] = _etcdUser,
        ["etcd.passwordFile"] = _etcdPassword,
        ["etcd.timeoutSeconds"] = _etcdTimeout,
        ["tls.certificate"] = _certificate,
        ["tls.key"] = _key,
        ["tls.passwordFile"] = _password,
        ["tls.clientCa"] = _clientAuthorities,
        ["tls.clientCertificate"] = _clientCertificate,
        ["tokens"] = _tokens,
        ["limits.maxConnections"] = _connections,
        ["limits.headerTimeoutSeconds"] = _headerTimeout,
        ["limits.bodyTimeoutSeconds"] = _bodyTimeout,
        ["limits.requestsPerMinutePerAddress"] = _requests,
        ["limits.maxWaitSeconds"] = _maxWait,
        ["log"] = _log,
    };

    internal void AddTo(Command command)
    {
        command.Options.Add(_config);
        foreach (var option in Members.Values.Distinct())
            command.Options.Add(option);
    }

    /// <summary>Where the configuration comes from.</summary>
    internal ServerConfigurationSource Source(ParseResult parsed) =>
        new(Settings(parsed), Members.ToDictionary(member => member.Key, member => member.Value.Name), parsed.GetValue(_config));

    private ServerSettings Settings(ParseResult parsed)
    {
        bool IsGiven(string section) => Members.Any(member => member.Key.StartsWith(section + ".", StringComparison.Ordinal) && parsed.GetResult(member.Value) is not null);
        return new ServerSettings
        {
            Listen = Given(parsed.GetValue(_listen)),
            Groups = Given(parsed.GetValue(_groups)) is { } groups ? ServeTexts.ParseGroups(groups) : null,
            Data = parsed.GetValue(_data),
            AllowNetworkFilesystem = parsed.GetValue(_network),
            Etcd = !IsGiven("etcd") ? null : new EtcdSettings
            {
                Endpoints = parsed.GetValue(_etcd)?.Split(','),
                CaCertificate = parsed.GetValue(_etcdAuthorities),
                Certificate = parsed.GetValue(_etcdCertificate),
                Key = parsed.GetValue(_etcdKey),
                User = parsed.GetValue(_etcdUser),
                PasswordFile = parsed.GetValue(_etcdPassword),
                TimeoutSeconds = parsed.GetValue(_etcdTimeout),
            },
            Tls = !IsGiven("tls") ? null : new TlsSettings
            {
                Certificate = parsed.GetValue(_certificate),
                Key = parsed.GetValue(_key),
                PasswordFile = parsed.GetValue(_password),
                ClientCa = parsed.GetValue(_clientAuthorities),
                ClientCertificate = parsed.GetValue(_clientCertificate),
            },
            Tokens = Given(parsed.GetValue(_tokens))?.Select(ServeTexts.ParseToken).ToList(),
            Limits = new LimitSettings
            {
                MaxConnections = parsed.GetValue(_connections),
                HeaderTimeoutSeconds = parsed.GetValue(_headerTimeout),
                BodyTimeoutSeconds = parsed.GetValue(_bodyTimeout),
                RequestsPerMinutePerAddress = parsed.GetValue(_requests),
                MaxWaitSeconds = parsed.GetValue(_maxWait),
            },
            Log = parsed.GetValue(_log),
        };
    }

    private static string[]? Given(string[]? texts) => texts is [] ? null : texts;

    private static Option<string> Text(string name, string description, string help) => new(name) { Description = description, HelpName = help };

    private static Option<int?> Whole(string name, string description, string help) =>
        new(name) { Description = description, HelpName = help, CustomParser = argument => Numbers.Whole(argument) };
}
