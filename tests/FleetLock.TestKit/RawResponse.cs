using System.Globalization;

namespace FleetLock.TestKit;

/// <summary>An answer as it came over the wire.</summary>
/// <param name="Head">The status line and the headers, without the empty line that ends them.</param>
/// <param name="Body">As many bytes as the Content-Length says, read as UTF-8.</param>
public sealed record RawResponse(string Head, string Body)
{
    /// <summary>The status code.</summary>
    public int Status => int.Parse(Head.AsSpan("HTTP/1.1 ".Length, 3), CultureInfo.InvariantCulture);

    /// <summary>A header's value.</summary>
    /// <param name="name">The header's name.</param>
    /// <returns>The value, or <see langword="null"/> when the header was not sent.</returns>
    public string? Header(string name) => Head.Split("\r\n")
        .FirstOrDefault(line => line.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase))
        ?[(name.Length + 1)..].Trim();
}
