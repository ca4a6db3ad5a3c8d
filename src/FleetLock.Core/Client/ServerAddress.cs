using System.Text;
using System.Text.RegularExpressions;

namespace FleetLock;

/// <summary>A server's base address: checked, normalised, and with its user information kept apart so that it is never shown.</summary>
public sealed class ServerAddress : IEquatable<ServerAddress>
{
    private readonly string _base;

    private const string UnixScheme = "http+unix://";

#if NET
    /// <summary>What every system takes: macOS has room for 104 bytes with the NUL at the end.</summary>
    private const int MaxSocketPathBytes = 103;
#endif

    private readonly string _shown;

    private ServerAddress(Uri uri, string? basicCredentials, string? socketPath = null)
    {
        Uri = uri;
        BasicCredentials = basicCredentials;
        SocketPath = socketPath;
        _base = uri.AbsoluteUri.TrimEnd('/');
        _shown = socketPath is null ? _base : UnixScheme + Uri.EscapeDataString(socketPath) + uri.AbsolutePath.TrimEnd('/');
    }

    /// <summary>The base address, without user information. This is the form to show.</summary>
    public Uri Uri { get; }

    /// <summary>The parameter of an <c>Authorization: Basic</c> header made from the address's user information, or <see langword="null"/>. Never to be shown.</summary>
    internal string? BasicCredentials { get; }

    /// <summary>The Unix socket that the server listens on, or <see langword="null"/>; the requests then name the host <c>localhost</c>.</summary>
    public string? SocketPath { get; }

    /// <summary>What a connection goes to, for messages: host and port, or the socket's path.</summary>
    internal string Peer => SocketPath ?? $"{Uri.Host}:{Uri.Port}";

    /// <summary>Reads a base address.</summary>
    /// <param name="text">
    /// An absolute <c>http</c> or <c>https</c> URL without query and fragment; a path is kept, and slashes at its end do not matter.
    /// <c>http+unix://%2Frun%2Ffleetlock.sock</c> is a Unix socket, its path percent-encoded in the place of a host (not on .NET Framework).
    /// </param>
    /// <returns>The address.</returns>
    /// <exception cref="FleetLockInputException">It is not such a URL.</exception>
    public static ServerAddress Parse(string text)
    {
        if (string.IsNullOrWhiteSpace(text))
            throw Fault("The URL is empty; it takes the base address of a FleetLock server, such as https://fleetlock.example.net.");
        if (text.TrimStart().StartsWith(UnixScheme, StringComparison.OrdinalIgnoreCase))
            return ParseUnix(text.Trim());
        if (!Uri.TryCreate(text.Trim(), UriKind.Absolute, out var uri) || (uri.Scheme != Uri.UriSchemeHttp && uri.Scheme != Uri.UriSchemeHttps))
        {
            throw Fault(HasScheme(text)
                ? $"The URL '{ShowUnparsed(text)}' is not well formed."
                : $"The URL '{ShowUnparsed(text)}' does not begin with http:// or https://.");
        }

        if (uri.Host.Length == 0)
            throw Fault($"The URL '{Show(uri)}' names no host.");
        if (uri.Query.Length > 0 || text.IndexOf('?') >= 0)
            throw Fault($"The URL '{Show(uri)}' has a query ('?'); a base address has none.");
        if (uri.Fragment.Length > 0 || text.IndexOf('#') >= 0)
            throw Fault($"The URL '{Show(uri)}' has a fragment ('#'); a base address has none.");

        return new ServerAddress(WithoutUserInfo(uri), ToBasicCredentials(uri.UserInfo));
    }

    /// <summary>Reads the addresses of several servers.</summary>
    /// <param name="text">One URL or more, separated by spaces or commas.</param>
    /// <returns>The addresses, at least one, and each once.</returns>
    /// <exception cref="FleetLockInputException">One is not such a URL as <see cref="Parse"/> takes.</exception>
    public static IReadOnlyList<ServerAddress> ParseList(string text) =>
        [.. Regex.Split((text ?? "").Trim(), @"[\s,]+(?=(?:https?|http\+unix)://)", RegexOptions.IgnoreCase).Select(Parse).Distinct()];

    /// <summary>The address of an endpoint: exactly one slash before its path, and no segment of the base lost.</summary>
    /// <param name="path">The endpoint's path, such as <see cref="FleetLockProtocol.PreRebootPath"/>.</param>
    /// <returns>The endpoint's address, without user information.</returns>
    /// <remarks>
    /// <c>new Uri(base, relative)</c> would drop the last segment of a base without a slash at its end, and a double slash makes
    /// Go servers redirect a POST to a GET.
    /// </remarks>
    public Uri Endpoint(string path) => new(_base + "/" + path);

    /// <inheritdoc/>
    public bool Equals(ServerAddress? other) => other is not null && _shown == other._shown && BasicCredentials == other.BasicCredentials;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as ServerAddress);

    /// <inheritdoc/>
    public override int GetHashCode() => _shown.GetHashCode();

    /// <summary>The base address without user information.</summary>
    /// <returns>The text.</returns>
    public override string ToString() => _shown;

    private static ServerAddress ParseUnix(string text)
    {
#if NET
        var rest = text.Substring(UnixScheme.Length);
        var slash = rest.IndexOf('/');
        var socketPath = Uri.UnescapeDataString(slash < 0 ? rest : rest.Substring(0, slash));
        if (socketPath.Length == 0 || socketPath[0] != '/' || Encoding.UTF8.GetByteCount(socketPath) > MaxSocketPathBytes || text.IndexOf('?') >= 0 || text.IndexOf('#') >= 0)
            throw Fault($"The URL '{ShowUnparsed(text)}' is not of the form {UnixScheme}%2Fpath%2Fof%2Fsocket, with a path of at most {MaxSocketPathBytes} bytes and neither query nor fragment.");
        return new ServerAddress(new Uri("http://localhost" + (slash < 0 ? "/" : rest.Substring(slash))), null, socketPath);
#else
        throw Fault($"The URL '{ShowUnparsed(text)}' is a Unix socket, which .NET Framework cannot reach.");
#endif
    }

    private static FleetLockInputException Fault(string message) => new("url", message);

    private static Uri WithoutUserInfo(Uri uri) => uri.UserInfo.Length == 0
        ? uri
        : new UriBuilder(uri) { UserName = "", Password = "" }.Uri;

    private static string Show(Uri uri) => ProtocolRules.Show(WithoutUserInfo(uri).GetLeftPart(UriPartial.Path));

    private static bool HasScheme(string text) =>
        text.TrimStart().StartsWith("http://", StringComparison.OrdinalIgnoreCase) || text.TrimStart().StartsWith("https://", StringComparison.OrdinalIgnoreCase);

    // What is not a URL may still hold a password before an '@'.
    private static string ShowUnparsed(string text) => ProtocolRules.Show(text.Substring(text.LastIndexOf('@') + 1));

    private static string? ToBasicCredentials(string userInfo)
    {
        if (userInfo.Length == 0)
            return null;

        var colon = userInfo.IndexOf(':');
        var user = colon < 0 ? userInfo : userInfo.Substring(0, colon);
        var password = colon < 0 ? "" : userInfo.Substring(colon + 1);
        return Convert.ToBase64String(Encoding.UTF8.GetBytes(Uri.UnescapeDataString(user) + ":" + Uri.UnescapeDataString(password)));
    }
}
