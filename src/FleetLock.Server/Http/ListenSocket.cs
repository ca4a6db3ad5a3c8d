using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace FleetLock.Server;

/// <summary>
/// The sockets that a server listens on. Their connections are probed: a machine that lost its power has ended none, and resets them when it is back. A lock of
/// it that still waits would be granted otherwise, after it has released its slot, and nobody would be told.
/// </summary>
internal static class ListenSocket
{
    private const int ProbeSeconds = 5;
    private const int Probes = 3;

    /// <summary>Makes a socket that is bound to an endpoint. Its connections inherit its options.</summary>
    internal static Socket Create(EndPoint endpoint)
    {
        var socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
        if (endpoint is not IPEndPoint)
            return socket;
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, ProbeSeconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, ProbeSeconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, Probes);
        return socket;
    }
}
