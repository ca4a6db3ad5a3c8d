namespace FleetLock.TestKit;

/// <summary>A request as it came over the wire.</summary>
/// <param name="Head">The request line and the headers, without the empty line that ends them.</param>
/// <param name="Body">As many characters as the Content-Length says.</param>
/// <param name="Bytes">Head and body as they came.</param>
public sealed record RawRequest(string Head, string Body, ReadOnlyMemory<byte> Bytes)
{
    /// <summary>The thumbprint of the client's certificate; empty if it sent none.</summary>
    public string ClientThumbprint { get; init; } = "";

    /// <summary>The request line.</summary>
    public string Line => Head.Split("\r\n")[0];

    /// <summary>The headers' lines, in the order of the wire.</summary>
    public IEnumerable<string> HeaderLines => Head.Split("\r\n").Skip(1);

    /// <summary>The headers' names, in the order of the wire.</summary>
    public IEnumerable<string> HeaderNames => HeaderLines.Select(line => line.Split(':')[0]);

    /// <summary>A header's value.</summary>
    /// <param name="name">The header's name.</param>
    /// <returns>The value, or <see langword="null"/> when the header was not sent.</returns>
    public string? Header(string name) => HeaderLines
        .FirstOrDefault(line => line.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase))
        ?[(name.Length + 1)..].Trim();
}
