using System.Net.Sockets;
using System.Text;

namespace FleetLock.TestKit;

/// <summary>Sends requests that may be none at all, and reads what comes back.</summary>
public static class FuzzedExchange
{
    private const int AtTheSameTime = 32;

    /// <summary>How long to wait for an answer: a request that is not whole gets none while the server waits for the rest.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(200);

    /// <summary>Sends many, each on a connection of its own.</summary>
    /// <param name="server">The server's base address.</param>
    /// <param name="requests">The requests.</param>
    /// <returns>The status code of each one's first answer; 0 where there was none.</returns>
    public static async Task<int[]> SendAllAsync(Uri server, IReadOnlyList<byte[]> requests)
    {
        var statuses = new int[requests.Count];
        var options = new ParallelOptions { MaxDegreeOfParallelism = AtTheSameTime };
        await Parallel.ForAsync(0, requests.Count, options, async (i, _) => statuses[i] = await SendAsync(server, requests[i]));
        return statuses;
    }

    private static async Task<int> SendAsync(Uri server, byte[] request)
    {
        using var tcp = new TcpClient { NoDelay = true };
        await tcp.ConnectAsync(server.Host, server.Port);
        var answer = new byte[64];
        var length = 0;
        try
        {
            var stream = tcp.GetStream();
            await stream.WriteAsync(request);
            using var deadline = new CancellationTokenSource(Patience);
            for (var read = 1; read > 0 && length < 12; length += read)
                read = await stream.ReadAsync(answer.AsMemory(length), deadline.Token);
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
        {
            // It may close, or reset, before it has read everything; or wait for more.
        }

        var head = Encoding.Latin1.GetString(answer, 0, length);
        return head.StartsWith("HTTP/1.1 ", StringComparison.Ordinal) && head.Length >= 12 && int.TryParse(head.AsSpan(9, 3), out var status) ? status : 0;
    }
}
