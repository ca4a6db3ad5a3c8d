using System.Globalization;
using System.Text;

namespace FleetLock.TestKit;

/// <summary>What a <see cref="RawServer"/> does about one request: literal bytes, and how it goes on after them.</summary>
public sealed record RawAnswer
{
    private RawAnswer(byte[] bytes) => Bytes = bytes;

    /// <summary>Reads the request and never answers.</summary>
    public static RawAnswer Never { get; } = Of("").ThenSilence();

    /// <summary>Reads the request and closes the connection.</summary>
    public static RawAnswer Close { get; } = Of("").ThenClose();

    /// <summary>Reads the request and resets the connection.</summary>
    public static RawAnswer Reset { get; } = Of("").ThenReset();

    internal enum Ending
    {
        NextRequest,
        Silence,
        Close,
        Reset,
        Endless,
    }

    internal ReadOnlyMemory<byte> Bytes { get; }

    internal Ending End { get; private init; }

    internal ReadOnlyMemory<byte> Filler { get; private init; }

    internal Task Gate { get; private init; } = Task.CompletedTask;

    /// <summary>Answers with these characters, one byte each, and then waits for the next request on the same connection.</summary>
    /// <param name="text">Characters up to U+00FF.</param>
    public static RawAnswer Of(string text) => new(Encoding.Latin1.GetBytes(text));

    /// <summary>A well-formed answer with a Content-Length.</summary>
    /// <param name="status">The status code.</param>
    /// <param name="body">The body, sent as UTF-8.</param>
    /// <param name="headers">More lines for the head.</param>
    public static RawAnswer Http(int status, string body = "", params string[] headers) => Http(status, Encoding.UTF8.GetBytes(body), headers);

    /// <summary>A well-formed answer with a Content-Length.</summary>
    /// <param name="status">The status code.</param>
    /// <param name="body">The body.</param>
    /// <param name="headers">More lines for the head.</param>
    public static RawAnswer Http(int status, byte[] body, params string[] headers)
    {
        var head = string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 {status} Reason\r\nContent-Length: {body.Length}\r\n")
            + string.Concat(headers.Select(line => line + "\r\n")) + "\r\n";
        return new RawAnswer([.. Encoding.Latin1.GetBytes(head), .. body]);
    }

    /// <summary>A script for a <see cref="RawServer"/>: one answer after the other, whatever is asked. The last one repeats.</summary>
    /// <param name="script">The answers.</param>
    public static Func<RawRequest, RawAnswer> InTurn(params RawAnswer[] script)
    {
        var taken = 0;
        return _ => script[Math.Min(Interlocked.Increment(ref taken), script.Length) - 1];
    }

    /// <summary>The same, and then not another byte, with the connection left open.</summary>
    public RawAnswer ThenSilence() => this with { End = Ending.Silence };

    /// <summary>The same, and then the connection is closed in good order.</summary>
    public RawAnswer ThenClose() => this with { End = Ending.Close };

    /// <summary>The same, and then the connection is reset.</summary>
    public RawAnswer ThenReset() => this with { End = Ending.Reset };

    /// <summary>The same, and then a text over and over, until the client goes.</summary>
    /// <param name="filler">The text.</param>
    public RawAnswer ThenEndless(string filler) => this with
    {
        End = Ending.Endless,
        Filler = Encoding.Latin1.GetBytes(string.Concat(Enumerable.Repeat(filler, (8192 / filler.Length) + 1))),
    };

    /// <summary>The same, held back until a task ends.</summary>
    /// <param name="gate">The task.</param>
    public RawAnswer After(Task gate) => this with { Gate = gate };
}
