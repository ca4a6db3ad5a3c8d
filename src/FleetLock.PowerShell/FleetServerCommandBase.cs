using System.Collections;
using System.Globalization;
using System.Management.Automation;
using System.Net;
using System.Security;
using System.Security.Cryptography.X509Certificates;
using FleetLock.PowerShell.Completion;

namespace FleetLock.PowerShell;

/// <summary>The parameters of every cmdlet that talks to a server.</summary>
public abstract class FleetServerCommandBase : FleetLockCommandBase
{
    /// <summary>The longest time-out that timers of both editions can keep, in seconds: 24 days.</summary>
    private const int LongestTimeoutSec = 24 * 24 * 3600;

    /// <summary>
    /// The server's base address; <c>FLEETLOCK_URL</c> if not given. Of several servers on the same semaphores, the next one is asked when one cannot be reached.
    /// Text, because <c>http+unix://</c> is no System.Uri.
    /// </summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("Server", "Url")]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(UriCompleter))]
    public string[]? Uri { get; set; }

    /// <summary>A bearer token; <c>FLEETLOCK_TOKEN</c> or the file of <c>FLEETLOCK_TOKEN_FILE</c> if not given.</summary>
    [Parameter]
    [ValidateNotNull]
    public SecureString? Token { get; set; }

    /// <summary>A user and a password for Basic authentication.</summary>
    [Parameter]
    [ValidateNotNull]
    [Credential]
    public PSCredential? Credential { get; set; }

    /// <summary>The certificate, with its private key, to show to the server.</summary>
    [Parameter]
    [ValidateNotNull]
    public X509Certificate2? Certificate { get; set; }

    /// <summary>A file with the certificate and its private key to show to the server: PEM (not on Windows PowerShell) or PFX.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? CertificatePath { get; set; }

    /// <summary>A PEM file with the only authorities that the server's certificate may come from.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? CaCertificatePath { get; set; }

    /// <summary>Accepts any certificate of the server, and warns each time.</summary>
    [Parameter]
    public SwitchParameter SkipCertificateCheck { get; set; }

    /// <summary>The proxy; that of the system or the environment if not given.</summary>
    [Parameter]
    [ValidateNotNull]
    public Uri? Proxy { get; set; }

    /// <summary>Uses no proxy, whatever the system says.</summary>
    [Parameter]
    public SwitchParameter NoProxy { get; set; }

    /// <summary>More headers for each request.</summary>
    [Parameter]
    [ValidateNotNull]
    public IDictionary? Header { get; set; }

    /// <summary>The time that one request may take, in seconds; 0 is no limit. The default is 100.</summary>
    [Parameter]
    [ValidateRange(0, LongestTimeoutSec)]
    public int? TimeoutSec { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        if (SkipCertificateCheck)
            WriteWarning("The server's certificate is not checked: anyone between you and the server can grant a slot that is not granted.");
    }

    /// <summary>The configuration in force.</summary>
    /// <param name="group">The group that was given, if any.</param>
    /// <param name="id">The id that was given, if any.</param>
    /// <returns>The configuration.</returns>
    /// <exception cref="FleetLockInputException">A configuration file has something wrong in it.</exception>
    private protected FleetLockConfiguration Resolve(string? group, string? id) => FleetLockConfiguration.Resolve(GivenSettings(group, id));

    /// <summary>What the parameters give.</summary>
    /// <param name="group">The group that was given, if any.</param>
    /// <param name="id">The id that was given, if any.</param>
    /// <returns>The settings.</returns>
    private protected virtual FleetLockSettings GivenSettings(string? group, string? id) => new()
    {
        Url = Uri is null ? null : string.Join(" ", Uri),
        Group = group,
        Id = id,
        Token = Token is null ? null : new NetworkCredential("", Token).Password,
        CaCertificatePath = FullPath(CaCertificatePath),
        CertificatePath = FullPath(CertificatePath),
        TimeoutSec = TimeoutSec?.ToString(CultureInfo.InvariantCulture),
    };

    /// <summary>The client for a configuration, shared in the session.</summary>
    /// <param name="configuration">The configuration.</param>
    /// <returns>The client; not to be disposed of.</returns>
    /// <exception cref="FleetLockInputException">The server is missing or bad, or a file or a header cannot be used.</exception>
    private protected FleetLockClient Connect(FleetLockConfiguration configuration)
    {
        var options = configuration.RequireClientOptions();
        return ClientPool.Get(options with
        {
            // Of the credentials, what the parameters give goes before what the environment does.
            Token = Credential is not null && Token is null ? null : options.Token,
            // Not GetNetworkCredential, which takes a domain off the user name: Basic authentication sends it as given.
            Credential = Credential is null ? null : new NetworkCredential(Credential.UserName, Credential.Password),
            ClientCertificate = Certificate ?? options.ClientCertificate,
            SkipCertificateCheck = SkipCertificateCheck,
            Proxy = Proxy,
            NoProxy = NoProxy,
            Headers = HeadersOf(Header),
        });
    }

    private static Dictionary<string, string>? HeadersOf(IDictionary? given)
    {
        if (given is null)
            return null;
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (DictionaryEntry entry in given)
            headers[ToText(entry.Key)] = ToText(entry.Value);
        return headers;
    }

    /// <summary>As PowerShell's own strings have it, which is the same in every culture; several values as HTTP joins them.</summary>
    private static string ToText(object? value) => LanguagePrimitives.GetEnumerable(value) is { } values
        ? string.Join(", ", values.Cast<object?>().Select(LanguagePrimitives.ConvertTo<string>))
        : LanguagePrimitives.ConvertTo<string>(value);
}
