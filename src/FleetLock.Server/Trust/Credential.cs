using System.Security.Cryptography;
using System.Text;

namespace FleetLock.Server;

/// <summary>A bearer token or a client certificate, and what it may do.</summary>
/// <param name="Name">Its name, for the log; a certificate's is also how it is known: its common name or one of its DNS names, or <see cref="AnyName"/>.</param>
/// <param name="Role">What it is for.</param>
public sealed record Credential(string Name, Role Role)
{
    /// <summary>The name that stands for every certificate that the authority signed.</summary>
    public const string AnyName = "*";

    private const int HashDigits = 2 * SHA256.HashSizeInBytes;

    /// <summary>The token's SHA-256, 64 hexadecimal digits; <see langword="null"/> is a client certificate.</summary>
    public string? Sha256 { get; init; }

    /// <summary>The only ids that a node may lock and unlock for; <see langword="null"/> is any.</summary>
    public IReadOnlyList<string>? Ids { get; init; }

    /// <summary>The only groups that a node may lock and unlock in; <see langword="null"/> is any.</summary>
    public IReadOnlyList<string>? Groups { get; init; }

    /// <summary>Whether a node may lock and unlock only for the id that is the credential's own name; with <see cref="AnyName"/>, a name of the certificate.</summary>
    public bool OwnIdOnly { get; init; }

    /// <summary>A token of 256 random bits, which nobody guesses: so one round of SHA-256 keeps it as well as a slow hash keeps a password.</summary>
    /// <returns>The token, 43 characters that every header, URL and shell takes as they are.</returns>
    public static string NewToken() => System.Buffers.Text.Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

    /// <summary>A token's SHA-256, as the configuration has it.</summary>
    /// <param name="token">The token.</param>
    /// <returns>64 hexadecimal digits.</returns>
    public static string HashOf(string token) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));

    /// <summary>Tells whether a text has the form of a SHA-256.</summary>
    /// <param name="text">The text.</param>
    /// <returns>True when it has.</returns>
    internal static bool IsHash(string text) => text.Length == HashDigits && text.All(char.IsAsciiHexDigit);
}
