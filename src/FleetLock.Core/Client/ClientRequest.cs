namespace FleetLock;

/// <summary>What is asked, of whichever server.</summary>
/// <param name="Method">The method.</param>
/// <param name="Path">The path below the server's base address, with a query if there is one.</param>
internal sealed record ClientRequest(HttpMethod Method, string Path)
{
    /// <summary>
    /// The body; <see langword="null"/> for none. What changes something has one, if an empty one: .NET sends a request without a body again by itself when the
    /// connection breaks before the answer.
    /// </summary>
    internal byte[]? Body { get; init; }

    /// <summary>More headers, by name and value.</summary>
    internal IReadOnlyList<(string Name, string Value)> Headers { get; init; } = [];

    /// <summary>
    /// Whether another server may be asked the same although the first may have carried it out. A forced release may not: what it would release the second
    /// time may be another grant.
    /// </summary>
    internal bool IsRepeatable { get; init; } = true;

    /// <summary>A request that changes something, with the header that keeps a stray redirect from acting.</summary>
    /// <param name="method">The method.</param>
    /// <param name="path">The path.</param>
    internal static ClientRequest Change(HttpMethod method, string path) => new(method, path)
    {
        Body = [],
        Headers = [(FleetLockProtocol.Header, FleetLockProtocol.HeaderValue)],
    };

    /// <summary>Makes the message for one server. It can be sent once.</summary>
    internal HttpRequestMessage CreateFor(ServerAddress server)
    {
        var message = new HttpRequestMessage(Method, server.Endpoint(Path));

        // Bytes, so that a Content-Length goes out and no Content-Type: some servers take neither chunks nor text/plain.
        if (Body is not null)
            message.Content = new ByteArrayContent(Body);
        foreach (var (name, value) in Headers)
            message.Headers.Add(name, value);
        return message;
    }
}
