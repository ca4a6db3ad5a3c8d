using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace FleetLock.TestKit;

/// <summary>
/// A listener on the loopback, or on a Unix socket, that writes down the exact bytes of each request and answers from a script. There is no HTTP stack in it,
/// so it can say what no HTTP stack would say.
/// </summary>
public sealed class RawServer : IAsyncDisposable
{
    private readonly Socket _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<RawRequest> _requests = new();
    private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SslServerAuthenticationOptions? _tls;
    private readonly RawAnswer[] _script;
    private readonly Task _serving;
    private int _taken;

    /// <summary>Starts to listen.</summary>
    /// <param name="script">One answer for each request, whatever the connection; the last one repeats.</param>
    public RawServer(params RawAnswer[] script)
        : this(null, script)
    {
    }

    /// <summary>Starts to listen, behind TLS.</summary>
    /// <param name="certificate">The server's certificate, with its key.</param>
    /// <param name="script">One answer for each request, whatever the connection; the last one repeats.</param>
    public RawServer(X509Certificate2? certificate, params RawAnswer[] script)
        : this(new IPEndPoint(IPAddress.Loopback, 0), certificate is null ? null : new SslServerAuthenticationOptions { ServerCertificate = certificate }, _ => script)
    {
    }

    /// <summary>Starts to listen.</summary>
    /// <param name="where">The address, or the path of a Unix socket.</param>
    /// <param name="tls">How TLS is spoken; <see langword="null"/> is not at all.</param>
    /// <param name="script">Makes the answers, told the base address: one for each request, whatever the connection; the last one repeats.</param>
    public RawServer(EndPoint where, SslServerAuthenticationOptions? tls, Func<string, RawAnswer[]> script)
    {
        _tls = tls;
        _listener = new Socket(where.AddressFamily, SocketType.Stream, where is IPEndPoint ? ProtocolType.Tcp : ProtocolType.Unspecified);
        _listener.Bind(where);
        _listener.Listen();
        Port = (_listener.LocalEndPoint as IPEndPoint)?.Port ?? 0;
        _script = script(Url);
        _serving = ServeAsync();
    }

    /// <summary>The port; 0 on a Unix socket.</summary>
    public int Port { get; }

    /// <summary>The base address, without a slash at its end.</summary>
    public string Url => string.Create(CultureInfo.InvariantCulture, $"{(_tls is null ? "http" : "https")}://127.0.0.1:{Port}");

    public Uri Uri => new(Url);

    /// <summary>The requests so far, in order.</summary>
    public IReadOnlyList<RawRequest> Requests => [.. _requests];

    /// <summary>Ends when the first request has come in whole and the script's first answer is spoken for.</summary>
    public Task Asked => _asked.Task;

    private RawAnswer Upcoming => _script[Math.Min(Volatile.Read(ref _taken), _script.Length - 1)];

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _serving;
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task ServeAsync()
    {
        var conversations = new List<Task>();
        try
        {
            for (; ; )
                conversations.Add(ConverseAsync(await _listener.AcceptAsync(_stop.Token)));
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(conversations);
        }
    }

    private async Task ConverseAsync(Socket client)
    {
        using (client)
        {
            try
            {
                using var stream = await OpenAsync(client);
                while (Upcoming.IsUnasked || await TryTakeRequestAsync(stream))
                {
                    var answer = _script[Math.Min(Interlocked.Increment(ref _taken), _script.Length) - 1];
                    _asked.TrySetResult();
                    if (!await AnswerAsync(client, stream, answer))
                        return;
                }
            }
            catch (Exception e) when (e is IOException or SocketException or AuthenticationException or OperationCanceledException)
            {
                // The client went, or the test is over.
            }
        }
    }

    private async Task<Stream> OpenAsync(Socket client)
    {
        if (_tls is null)
            return new NetworkStream(client, ownsSocket: true);

        var stream = new SslStream(new NetworkStream(client, ownsSocket: true));
        await stream.AuthenticateAsServerAsync(_tls, _stop.Token);
        return stream;
    }

    /// <summary>Gives an answer. True when the connection is good for another request.</summary>
    private async Task<bool> AnswerAsync(Socket client, Stream stream, RawAnswer answer)
    {
        await answer.Gate.WaitAsync(_stop.Token);
        await stream.WriteAsync(answer.Bytes, _stop.Token);
        switch (answer.End)
        {
            case RawAnswer.Ending.Silence:
                await stream.CopyToAsync(Stream.Null, _stop.Token);
                break;
            case RawAnswer.Ending.Reset:
                client.LingerState = new LingerOption(true, 0);
                break;
            case RawAnswer.Ending.Endless:
                for (; ; )
                    await stream.WriteAsync(answer.Filler, _stop.Token);
        }

        return answer.End == RawAnswer.Ending.NextRequest;
    }

    private async Task<bool> TryTakeRequestAsync(Stream stream)
    {
        var buffer = new byte[64 * 1024];
        var (length, headLength) = (0, -1);
        while (headLength < 0 || length < headLength + BodyLength(buffer.AsSpan(0, headLength)))
        {
            var read = await stream.ReadAsync(buffer.AsMemory(length), _stop.Token);
            if (read == 0)
                return false;
            length += read;
            headLength = buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8) is var end and >= 0 ? end + 4 : -1;
        }

        var head = Encoding.Latin1.GetString(buffer, 0, headLength - 4);
        var body = Encoding.UTF8.GetString(buffer, headLength, length - headLength);
        _requests.Enqueue(new RawRequest(head, body, buffer.AsMemory(0, length)));
        return true;
    }

    private static int BodyLength(ReadOnlySpan<byte> head)
    {
        foreach (var line in Encoding.Latin1.GetString(head).Split("\r\n"))
        {
            if (line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase))
                return int.Parse(line.AsSpan("Content-Length:".Length), CultureInfo.InvariantCulture);
        }

        return 0;
    }
}
