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
/// A listener on the loopback, or on a Unix socket, that records the exact bytes of each request and answers literal bytes.
/// It has no HTTP stack, so it can send what no HTTP stack would send.
/// </summary>
public sealed class RawServer : IAsyncDisposable
{
    private readonly Socket _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<RawRequest> _requests = new();
    private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SslServerAuthenticationOptions? _tls;
    private readonly Func<RawRequest, RawAnswer> _answer;
    private readonly RawAnswer? _greeting;
    private readonly Task _serving;

    /// <summary>Starts a server that answers from a script.</summary>
    /// <param name="script">One answer for each request, on any connection. The last one repeats.</param>
    public RawServer(params RawAnswer[] script)
        : this(RawAnswer.InTurn(script))
    {
    }

    /// <summary>Starts a server that answers from a script, with TLS if there is a certificate.</summary>
    /// <param name="certificate">The server's certificate, with its key.</param>
    /// <param name="script">One answer for each request, on any connection. The last one repeats.</param>
    public RawServer(X509Certificate2? certificate, params RawAnswer[] script)
        : this(
            RawAnswer.InTurn(script),
            certificate is null ? null : new SslServerAuthenticationOptions { ServerCertificate = certificate })
    {
    }

    /// <summary>Starts a server.</summary>
    /// <param name="answer">The answer to a request. Several threads call it.</param>
    /// <param name="tls">The options of TLS; <see langword="null"/> for none.</param>
    /// <param name="at">A Unix socket; <see langword="null"/> for a free port of the loopback.</param>
    /// <param name="greeting">What the server sends before it reads anything, like a peer that speaks another protocol.</param>
    public RawServer(
        Func<RawRequest, RawAnswer> answer,
        SslServerAuthenticationOptions? tls = null,
        EndPoint? at = null,
        RawAnswer? greeting = null)
    {
        (_answer, _tls, _greeting) = (answer, tls, greeting);
        at ??= new IPEndPoint(IPAddress.Loopback, 0);
        _listener = new Socket(at.AddressFamily, SocketType.Stream, at is IPEndPoint ? ProtocolType.Tcp : ProtocolType.Unspecified);
        _listener.Bind(at);
        _listener.Listen();
        Port = (_listener.LocalEndPoint as IPEndPoint)?.Port ?? 0;
        Url = at is IPEndPoint
            ? string.Create(CultureInfo.InvariantCulture, $"{(tls is null ? "http" : "https")}://127.0.0.1:{Port}")
            : "http+unix://" + Uri.EscapeDataString(at.ToString()!);
        _serving = ServeAsync();
    }

    /// <summary>The port; 0 on a Unix socket.</summary>
    public int Port { get; }

    /// <summary>The base address, without a slash at its end.</summary>
    public string Url { get; }

    /// <summary>The requests so far, in order.</summary>
    public IReadOnlyList<RawRequest> Requests => [.. _requests];

    /// <summary>Completes when the first request has come in whole and its answer is chosen.</summary>
    public Task Asked => _asked.Task;

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
        // Closed also when the handshake fails, or the client would wait for the rest of it.
        using var closed = client;
        try
        {
            using var stream = await OpenAsync(client);
            if (_greeting is not null && !await AnswerAsync(client, stream, _greeting))
                return;

            while (await TakeRequestAsync(stream) is { } request)
            {
                _requests.Enqueue(request);
                var answer = _answer(request);
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

    private async Task<Stream> OpenAsync(Socket client)
    {
        if (_tls is null)
            return new NetworkStream(client, ownsSocket: true);

        var stream = new SslStream(new NetworkStream(client, ownsSocket: true));
        await stream.AuthenticateAsServerAsync(_tls, _stop.Token);
        return stream;
    }

    /// <summary>Sends an answer. True if the connection stays open for another request.</summary>
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

    private async Task<RawRequest?> TakeRequestAsync(Stream stream)
    {
        var buffer = new byte[64 * 1024];
        var (length, headLength) = (0, -1);
        while (headLength < 0 || length < headLength + BodyLength(buffer.AsSpan(0, headLength)))
        {
            var read = await stream.ReadAsync(buffer.AsMemory(length), _stop.Token);
            if (read == 0)
                return null;
            length += read;
            headLength = buffer.AsSpan(0, length).IndexOf("\r\n\r\n"u8) is var end and >= 0 ? end + 4 : -1;
        }

        var head = Encoding.Latin1.GetString(buffer, 0, headLength - 4);
        var body = Encoding.UTF8.GetString(buffer, headLength, length - headLength);
        return new RawRequest(head, body, buffer.AsMemory(0, length))
        {
            ClientThumbprint = (stream as SslStream)?.RemoteCertificate?.GetCertHashString() ?? "",
        };
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
