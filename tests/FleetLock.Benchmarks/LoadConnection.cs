using System.Net.Sockets;
using System.Text;

namespace FleetLock.Benchmarks;

/// <summary>One keep-alive connection that sends prepared requests and reads answers, with next to no cost of its own.</summary>
internal sealed class LoadConnection : IDisposable
{
    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _buffer = new byte[16 * 1024];

    public void Dispose() => _socket.Dispose();

    internal static byte[] Prepare(string method, string path, ReadOnlySpan<byte> body)
    {
        var head = Encoding.ASCII.GetBytes($"{method} /{path} HTTP/1.1\r\nHost: localhost\r\n{FleetLockProtocol.Header}: {FleetLockProtocol.HeaderValue}\r\nContent-Length: {body.Length}\r\n\r\n");
        return [.. head, .. body];
    }

    internal Task ConnectAsync(Uri server) => _socket.ConnectAsync(server.Host, server.Port);

    /// <summary>Sends a request and reads its answer, which has a Content-Length.</summary>
    /// <returns>True when it was 200.</returns>
    internal async Task<bool> ExchangeAsync(ReadOnlyMemory<byte> request)
    {
        await _socket.SendAsync(request);
        var length = 0;
        while (true)
        {
            var read = await _socket.ReceiveAsync(_buffer.AsMemory(length));
            if (read == 0)
                throw new InvalidOperationException("The server closed the connection.");
            length += read;
            if (IsWhole(_buffer.AsSpan(0, length)))
                return _buffer.AsSpan(0, length).StartsWith("HTTP/1.1 200 "u8);
        }
    }

    private static bool IsWhole(ReadOnlySpan<byte> answer)
    {
        var headEnd = answer.IndexOf("\r\n\r\n"u8);
        if (headEnd < 0)
            return false;
        var header = answer[..headEnd].IndexOf("Content-Length: "u8);
        var bodyLength = 0;
        for (var i = header + "Content-Length: ".Length; i < headEnd && char.IsAsciiDigit((char)answer[i]); i++)
            bodyLength = (bodyLength * 10) + answer[i] - '0';
        return answer.Length >= headEnd + 4 + bodyLength;
    }
}
