using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace FleetLock.TestKit;

/// <summary>A stretch of network that can be cut: what connects here is passed on to a server.</summary>
public sealed class TcpRelay : IDisposable
{
    private readonly Uri _server;
    private readonly List<TcpClient> _open = [];
    private TcpListener? _listener;

    /// <summary>Lays a way to a server.</summary>
    /// <param name="server">The server's address.</param>
    public TcpRelay(Uri server)
    {
        _server = server;
        Listen(FreePort.Find());
        Endpoint = new Uri(string.Create(CultureInfo.InvariantCulture, $"{server.Scheme}://127.0.0.1:{((IPEndPoint)_listener!.LocalEndpoint).Port}"));
    }

    /// <summary>The address of this end.</summary>
    public Uri Endpoint { get; }

    /// <summary>Ends all connections, and refuses new ones.</summary>
    public void Cut()
    {
        lock (_open)
        {
            _listener?.Dispose();
            _listener = null;
            _open.ForEach(connection => connection.Dispose());
            _open.Clear();
        }
    }

    /// <summary>Mends it.</summary>
    public void Mend() => Listen(Endpoint.Port);

    public void Dispose() => Cut();

    private void Listen(int port)
    {
        _listener = new TcpListener(IPAddress.Loopback, port);
        _listener.Start();
        _ = AcceptAsync(_listener);
    }

    private async Task AcceptAsync(TcpListener listener)
    {
        try
        {
            for (; ; )
                _ = PassOnAsync(listener, await listener.AcceptTcpClientAsync());
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // It was cut.
        }
    }

    private async Task PassOnAsync(TcpListener listener, TcpClient client)
    {
        var server = new TcpClient();
        lock (_open)
        {
            _open.AddRange([client, server]);
            if (listener != _listener)
                client.Dispose();
        }

        try
        {
            await server.ConnectAsync(_server.Host, _server.Port);
            var (near, far) = (client.GetStream(), server.GetStream());
            (client.NoDelay, server.NoDelay) = (true, true);
            await Task.WhenAny(near.CopyToAsync(far), far.CopyToAsync(near));
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // It was cut, or nobody is at the other end.
        }

        client.Dispose();
        server.Dispose();
    }
}
