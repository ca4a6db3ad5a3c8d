using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace FleetLock.TestKit;

/// <summary>
/// A connection that sends literal bytes and reads the answers to them. There is no HTTP stack in it, so it can say what no HTTP stack would
/// say, no proxy of the environment is in its way, and nothing is sent a second time behind the test's back.
/// </summary>
public sealed class RawClient : IDisposable
{
    private readonly TcpClient _tcp;
    private readonly NetworkStream _stream;
    private readonly BufferedStream _reader;

    private RawClient(TcpClient tcp)
    {
        _tcp = tcp;
        _stream = tcp.GetStream();
        _reader = new BufferedStream(_stream);
    }

    /// <summary>Connects.</summary>
    /// <param name="server">The server's base address.</param>
    /// <exception cref="SocketException">Nobody listens there.</exception>
    public static async Task<RawClient> ConnectAsync(Uri server)
    {
        using var deadline = new CancellationTokenSource(TestTimeout.Hang);
        var tcp = new TcpClient { NoDelay = true };
        try
        {
            await tcp.ConnectAsync(server.Host, server.Port, deadline.Token);
            return new RawClient(tcp);
        }
        catch
        {
            tcp.Dispose();
            throw;
        }
    }

    /// <summary>One exchange on a connection of its own.</summary>
    /// <param name="server">The server's base address.</param>
    /// <param name="request">The bytes of the request.</param>
    public static async Task<RawResponse> AskAsync(Uri server, ReadOnlyMemory<byte> request)
    {
        using var client = await ConnectAsync(server);
        return await client.AskAsync(request);
    }

    /// <summary>A request with a Content-Length, when it has a body.</summary>
    /// <param name="line">Method and path.</param>
    /// <param name="body">The body.</param>
    /// <param name="headers">More lines for the head.</param>
    public static byte[] Request(string line, byte[] body, params string[] headers)
    {
        var length = string.Create(CultureInfo.InvariantCulture, $"Content-Length: {body.Length}");
        return [.. Head(line, [.. headers, length]), .. body];
    }

    /// <summary>A request without a body.</summary>
    /// <param name="line">Method and path.</param>
    /// <param name="headers">More lines for the head.</param>
    public static byte[] Head(string line, params IEnumerable<string> headers) =>
        Encoding.UTF8.GetBytes($"{line} HTTP/1.1\r\nHost: test\r\n{string.Concat(headers.Select(header => header + "\r\n"))}\r\n");

    /// <summary>Sends bytes, and reads the answer to them.</summary>
    /// <param name="request">The bytes.</param>
    /// <exception cref="IOException">The connection ended without a whole answer.</exception>
    public async Task<RawResponse> AskAsync(ReadOnlyMemory<byte> request)
    {
        try
        {
            await SendAsync(request);
        }
        catch (IOException)
        {
            // A server may answer, and close, before it has read the whole request.
        }

        return await ReceiveAsync() ?? throw new EndOfStreamException("The connection was closed without an answer.");
    }

    /// <summary>Sends bytes.</summary>
    /// <param name="bytes">The bytes.</param>
    /// <exception cref="IOException">The connection has ended.</exception>
    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        using var deadline = new CancellationTokenSource(TestTimeout.Hang);
        await _stream.WriteAsync(bytes, deadline.Token);
    }

    /// <summary>Ends the sending half of the connection.</summary>
    public void EndSending() => _tcp.Client.Shutdown(SocketShutdown.Send);

    /// <summary>Resets the connection.</summary>
    public void Reset()
    {
        _tcp.LingerState = new LingerOption(true, 0);
        _tcp.Close();
    }

    /// <summary>Reads an answer.</summary>
    /// <param name="hasBody">False for the answer to a HEAD request, whose Content-Length no body follows.</param>
    /// <returns>The answer; <see langword="null"/> when the server closed the connection in good order instead.</returns>
    /// <exception cref="IOException">The connection ended within an answer, or was reset.</exception>
    public async Task<RawResponse?> ReceiveAsync(bool hasBody = true)
    {
        using var deadline = new CancellationTokenSource(TestTimeout.Hang);
        var head = new List<byte>();
        var one = new byte[1];
        while (!head.TakeLast(4).SequenceEqual("\r\n\r\n"u8.ToArray()))
        {
            if (await _reader.ReadAsync(one, deadline.Token) == 0)
                return head.Count == 0 ? null : throw new EndOfStreamException("The connection was closed within an answer's head.");
            head.Add(one[0]);
        }

        var answer = new RawResponse(Encoding.Latin1.GetString([.. head.SkipLast(4)]), "");
        var length = hasBody && answer.Header("Content-Length") is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : 0;
        var body = new byte[length];
        await _reader.ReadExactlyAsync(body, deadline.Token);
        return answer with { Body = Encoding.UTF8.GetString(body) };
    }

    public void Dispose()
    {
        _reader.Dispose();
        _tcp.Dispose();
    }
}
