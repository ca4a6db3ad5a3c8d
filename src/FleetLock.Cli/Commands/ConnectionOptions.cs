using System.CommandLine;
using System.Globalization;
using System.Net;

namespace FleetLock.Cli.Commands;

/// <summary>
/// The options of every command that talks to a server: which server, group and id, and how to get there. Secrets have no option of their own
/// but <c>--user</c>, because everyone on a machine can read its command lines: a token comes from a file or from the environment.
/// </summary>
internal sealed class ConnectionOptions
{
    private const string PasswordVariable = "FLEETLOCK_PASSWORD";

    private readonly ClientOptions _before;
    private readonly ClientOptions _after = new();
    private readonly Option<string> _tokenFile = new("--token-file") { Description = "A file with a bearer token, or FLEETLOCK_TOKEN_FILE; FLEETLOCK_TOKEN is the token itself.", HelpName = "FILE" };
    private readonly Option<string> _user = new("--user") { Description = $"User and password for Basic authentication; the password may be in {PasswordVariable} instead.", HelpName = "USER[:PASSWORD]" };
    private readonly Option<string> _certificate = new("--certificate") { Description = "The certificate and key to show to the server, PEM or PFX.", HelpName = "FILE" };
    private readonly Option<string> _authorities = new("--ca-certificate") { Description = "The only authorities that the server's certificate may come from, PEM.", HelpName = "FILE" };
    private readonly Option<bool> _skipCheck = new("--skip-certificate-check") { Description = "Accept any certificate of the server. For a lab only." };
    private readonly Option<string> _proxy = new("--proxy") { Description = "The proxy; that of the environment if not given.", HelpName = "URL" };
    private readonly Option<bool> _noProxy = new("--no-proxy") { Description = "Use no proxy, whatever the environment says." };
    private readonly Option<string[]> _headers = new("--header") { Description = "One more header for each request; may be repeated.", HelpName = "NAME: VALUE" };
    private readonly Option<int?> _timeout = new("--timeout")
    {
        Description = "The time that one request may take; 0 is no limit, 100 if not given.",
        HelpName = "SEC",
        CustomParser = argument => Numbers.Whole(argument, 0, WaitPolicy.MaxTimeoutSec),
    };

    internal ConnectionOptions(ClientOptions before) => _before = before;

    internal void AddTo(Command command)
    {
        _after.AddTo(command);
        Option[] own = [_tokenFile, _user, _certificate, _authorities, _skipCheck, _proxy, _noProxy, _headers, _timeout];
        foreach (var option in own)
            command.Options.Add(option);
    }

    /// <summary>Keeps the option that names a machine out of a command's help, for what is not about one. It is still accepted.</summary>
    internal void HideId() => _after.HideId();

    /// <summary>The same for the option that names a group.</summary>
    internal void HideGroup() => _after.HideGroup();

    /// <summary>Says what the id is to a command that does not take this machine's own.</summary>
    internal void DescribeId(string description) => _after.DescribeId(description);

    internal string? Url(ParseResult parsed) => _after.Url(parsed) ?? _before.Url(parsed);

    internal string? Group(ParseResult parsed) => _after.Group(parsed) ?? _before.Group(parsed);

    internal string? Id(ParseResult parsed) => _after.Id(parsed) ?? _before.Id(parsed);

    /// <summary>The configuration in force.</summary>
    internal FleetLockConfiguration Resolve(ParseResult parsed, int? retryIntervalSec = null) => FleetLockConfiguration.Resolve(new FleetLockSettings
    {
        Url = Url(parsed),
        Group = Group(parsed),
        Id = Id(parsed),
        TokenFile = parsed.GetValue(_tokenFile),
        CertificatePath = parsed.GetValue(_certificate),
        CaCertificatePath = parsed.GetValue(_authorities),
        TimeoutSec = parsed.GetValue(_timeout)?.ToString(CultureInfo.InvariantCulture),
        RetryIntervalSec = retryIntervalSec?.ToString(CultureInfo.InvariantCulture),
    });

    /// <summary>A client for a configuration.</summary>
    internal FleetLockClient Connect(ParseResult parsed, FleetLockConfiguration configuration)
    {
        var options = configuration.RequireClientOptions();
        var credential = CredentialOf(parsed.GetValue(_user));
        if (parsed.GetValue(_skipCheck))
            Terminal.Say("Warning: the server's certificate is not checked: anyone between you and the server can grant a slot that is not granted.");
        return new FleetLockClient(options with
        {
            Token = credential is not null && parsed.GetResult(_tokenFile) is null ? null : options.Token,
            Credential = credential,
            SkipCertificateCheck = parsed.GetValue(_skipCheck),
            Proxy = ProxyOf(parsed.GetValue(_proxy)),
            NoProxy = parsed.GetValue(_noProxy),
            Headers = HeadersOf(parsed.GetValue(_headers)),
        });
    }

    private static NetworkCredential? CredentialOf(string? user)
    {
        if (user is null)
            return null;
        var parts = user.Split(':', 2);
        var password = parts.Length == 2 ? parts[1] : Environment.GetEnvironmentVariable(PasswordVariable);
        return password is not null
            ? new NetworkCredential(parts[0], password)
            : throw new UsageException($"--user has no password: set {PasswordVariable}, or give it as USER:PASSWORD.");
    }

    private static Uri? ProxyOf(string? text)
    {
        if (text is null)
            return null;
        return Uri.TryCreate(text, UriKind.Absolute, out var proxy) && proxy.Scheme is "http" or "https" && proxy.Host.Length > 0
            ? proxy
            : throw new UsageException("--proxy takes a URL of the form http://HOST:PORT.");
    }

    private static Dictionary<string, string>? HeadersOf(string[]? lines)
    {
        if (lines is null or [])
            return null;
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var parts in lines.Select(line => line.Split(':', 2)))
        {
            if (parts.Length != 2 || parts[0].Trim().Length == 0)
                throw new UsageException("A --header is not of the form NAME: VALUE. It is not shown, because it may be a secret.");
            headers[parts[0].Trim()] = parts[1].Trim();
        }

        return headers;
    }
}
