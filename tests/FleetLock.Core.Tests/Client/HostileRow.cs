using System.IO.Compression;
using System.Text;
using FleetLock.TestKit;

namespace FleetLock.Core.Tests;

/// <summary>A line of the table of hostile answers.</summary>
/// <param name="Name">What the answer is.</param>
/// <param name="Expected">How a lock ends.</param>
/// <param name="Answer">The answer to a request.</param>
/// <param name="IsRepeated">The server says it again when it is asked again; otherwise a second request is granted, and so found out.</param>
internal sealed record HostileRow(string Name, FleetLockStatus Expected, Func<RawRequest, RawAnswer> Answer, bool IsRepeated = false)
{
    internal static HostileRow Of(string name, FleetLockStatus expected, RawAnswer answer) => new(name, expected, _ => answer);

    /// <summary>Literal bytes, after which the connection is closed.</summary>
    internal static HostileRow Bytes(string name, FleetLockStatus expected, string bytes) => Of(name, expected, RawAnswer.Of(bytes).ThenClose());

    /// <summary>Literal bytes, and then silence.</summary>
    internal static HostileRow Half(FleetLockStatus expected, string bytes) =>
        Of($"silence after '{TerminalText.Clean(bytes, 60)}'", expected, RawAnswer.Of(bytes).ThenSilence());

    /// <summary>Empty bodies.</summary>
    internal static IEnumerable<HostileRow> Codes(FleetLockStatus expected, params int[] codes) => codes.Select(code => Of($"{code}, empty", expected, RawAnswer.Http(code)));

    /// <summary>A well-formed error.</summary>
    internal static HostileRow Error(string server, int code, string kind, string value, FleetLockStatus expected) =>
        Of($"{server}: {code} {kind}, {value}", expected, RawAnswer.Http(code, WireFormat.WriteError(kind, value)));

    /// <summary>A 409 with this body: with nothing to tell that it comes from a FleetLock server.</summary>
    internal static HostileRow Body(string name, string body, params string[] headers) =>
        Of($"409, {name}", FleetLockStatus.ProtocolError, RawAnswer.Http(409, Encoding.Latin1.GetBytes(body), headers));

    /// <summary>A login page in the server's place, with and without anything in it, in each of these spellings of its type.</summary>
    internal static IEnumerable<HostileRow> LoginPages(params string[] types) =>
        from type in types
        from body in new[] { "<!DOCTYPE html><p>Please log in", "Please log in", "" }
        select Of($"200, '{body}' as {type}", FleetLockStatus.ProtocolError, RawAnswer.Http(200, body, "Content-Type: " + type));

    internal static IEnumerable<HostileRow> Redirects(int[] codes, params string[] targets) =>
        from code in codes
        from target in targets
        select new HostileRow(
            $"{code} to {(target.Length == 0 ? "nowhere" : target)}",
            FleetLockStatus.ProtocolError,
            request => RawAnswer.Http(code, "", "Location: " + target.Replace("{self}", "http://" + request.Header("Host"), StringComparison.Ordinal)));

    /// <summary>A server that answers its first request with this, and later ones too unless there is another answer for them.</summary>
    internal RawServer Serve(RawAnswer? later)
    {
        var asked = 0;
        return new RawServer(request => Interlocked.Increment(ref asked) == 1 ? Answer(request) : later ?? Answer(request));
    }

    internal static byte[] Gzip(byte[] plain)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest))
            gzip.Write(plain);
        return packed.ToArray();
    }
}
