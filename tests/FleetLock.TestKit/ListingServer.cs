namespace FleetLock.TestKit;

/// <summary>
/// A <see cref="RawServer"/> whose list of groups has an answer of its own, however many ask for it and whenever.
/// All else is answered from a script, in order; the last answer repeats.
/// </summary>
public static class ListingServer
{
    /// <summary>Starts to listen.</summary>
    /// <param name="list">The answer to <c>GET /v1/groups</c>.</param>
    /// <param name="script">One answer for each other request.</param>
    public static RawServer Start(RawAnswer list, params RawAnswer[] script)
    {
        var other = RawAnswer.InTurn(script);
        return new RawServer(request => request.Line.StartsWith("GET /v1/groups ", StringComparison.Ordinal) ? list : other(request));
    }
}
