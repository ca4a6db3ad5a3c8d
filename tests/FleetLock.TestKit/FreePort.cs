using System.Net;
using System.Net.Sockets;

namespace FleetLock.TestKit;

/// <summary>A port on loopback for a program that has to be told one.</summary>
public static class FreePort
{
    /// <summary>
    /// Finds a port on which nobody listens, below those that systems give to outgoing connections: or one of a busy machine's many connections would
    /// have it before the program does.
    /// </summary>
    public static int Find()
    {
        for (; ; )
        {
            using var listener = new TcpListener(IPAddress.Loopback, Random.Shared.Next(10_000, 32_768));
            try
            {
                listener.Start();
                return ((IPEndPoint)listener.LocalEndpoint).Port;
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.AddressAlreadyInUse or SocketError.AccessDenied)
            {
                // Somebody's.
            }
        }
    }
}
