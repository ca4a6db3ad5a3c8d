using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;

namespace FleetLock.TestKit;

/// <summary>
/// A listener that answers each request by what it asks, for what comes in no fixed order; a <see cref="RawServer"/> answers from a script.
/// It listens on the loopback or on a Unix socket, and its TLS may ask for a client certificate.
/// </summary>
public sealed class AnsweringServer : IAsyncDisposable
{
    private readonly Socket _listener;
    private readonly SslServerAuthenticationOptions? _tls;
    private readonly Func<RawRequest, RawAnswer> _answer;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<RawRequest> _requests = new();
    private readonly Task _serving;

    /// <summary>Starts to listen.</summary>
    /// <param name="answer">The answer to a request; called by several threads.</param>
    /// <param name="tls">How to speak TLS; <see langword="null"/> does not.</param>
    /// <param name="socketPath">The Unix socket to listen on; <see langword="null"/> is a free port of the loopback.</param>
    public AnsweringServer(Func<RawRequest, RawAnswer> answer, SslServerAuthenticationOptions? tls = null, string? socketPath = null)
    {
        _answer = answer;
        _tls = tls;
        EndPoint place = socketPath is null ? new IPEndPoint(IPAddress.Loopback, 0) : new UnixDomainSocketEndPoint(socketPath);
        _listener = new Socket(place.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
        _listener.Bind(place);
        _listener.Listen();
        Url = socketPath is null
            ? string.Create(CultureInfo.InvariantCulture, $"{(tls is null ? "http" : "https")}://{_listener.LocalEndPoint}")
            : "http+unix://" + Uri.EscapeDataString(socketPath);
        _serving = ServeAsync();
    }

    /// <summary>The base address, without a slash at its end.</summary>
    public string Url { get; }

    /// <summary>The requests so far, in order.</summary>
    public IReadOnlyList<RawRequest> Requests => [.. _requests];

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
            await using var stream = await OpenAsync(client);
            while (await TakeRequestAsync(stream) is { } request)
            {
                _requests.Enqueue(request);
                var answer = _answer(request);
                await answer.Gate.WaitAsync(_stop.Token);
                await stream.WriteAsync(answer.Bytes, _stop.Token);
                if (answer.End == RawAnswer.Ending.Silence)
                    await stream.CopyToAsync(Stream.Null, _stop.Token);
                if (answer.End != RawAnswer.Ending.NextRequest)
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
        var stream = new NetworkStream(client, ownsSocket: true);
        if (_tls is null)
            return stream;

        var tls = new SslStream(stream);
        await tls.AuthenticateAsServerAsync(_tls, _stop.Token);
        return tls;
    }

    private async Task<RawRequest?> TakeRequestAsync(Stream stream)
    {
        var bytes = new List<byte>();
        var one = new byte[1];
        while (bytes.Count < 4 || bytes is not [.., (byte)'\r', (byte)'\n', (byte)'\r', (byte)'\n'])
        {
            if (await stream.ReadAsync(one, _stop.Token) == 0)
                return null;
            bytes.Add(one[0]);
        }

        var request = new RawRequest(Encoding.Latin1.GetString([.. bytes]).TrimEnd(), "", default);
        var body = new byte[int.Parse(request.Header("Content-Length") ?? "0", CultureInfo.InvariantCulture)];
        await stream.ReadExactlyAsync(body, _stop.Token);
        return request with { Body = Encoding.UTF8.GetString(body), Bytes = (byte[])[.. bytes, .. body] };
    }
}
