using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using FleetLock.TestKit;

namespace FleetLock.Cli.Tests;

/// <summary>What tests ask of servers.</summary>
internal static class Servers
{
    /// <summary>The server's base address, as a user writes it.</summary>
    internal static string Url(this ServerProcess server) => server.Address.GetLeftPart(UriPartial.Authority);

    /// <summary>What stands for the line of an undo in <see cref="Lines"/>.</summary>
    internal const string Undo = "undo";

    /// <summary>The request lines so far; an undo by the grant id of the first lock is one word.</summary>
    internal static IEnumerable<string> Lines(this RawServer server)
    {
        var requests = server.Requests;
        return requests.Select(request => request.Line.Contains($"/grants/{requests[0].Header("FleetLock-Grant")}?id=", StringComparison.Ordinal)
            && request.Line.EndsWith("&reason=undo HTTP/1.1", StringComparison.Ordinal)
            ? Undo
            : request.Line);
    }

    /// <summary>Passes a request on to a server, and returns its answer.</summary>
    internal static RawAnswer Forward(ServerProcess server, RawRequest request)
    {
        var answer = RawClient.AskAsync(server.Address, request.Bytes).GetAwaiter().GetResult();
        var grant = answer.Head.Split("\r\n").Where(line => line.StartsWith("FleetLock-", StringComparison.Ordinal));
        return RawAnswer.Http(answer.Status, answer.Body, [.. grant]);
    }

    /// <summary>The ids that hold a slot, as the server itself tells.</summary>
    internal static async Task<string[]> HoldersAsync(this ServerProcess server, string group)
    {
        var answer = await RawClient.AskAsync(server.Address, RawClient.Head("GET /v1/groups"));
        using var list = JsonDocument.Parse(answer.Body);
        return list.RootElement.GetProperty("groups").EnumerateArray()
            .Single(candidate => candidate.GetProperty("group").GetString() == group)
            .GetProperty("holders").EnumerateArray()
            .Select(holder => holder.GetProperty("id").GetString()!)
            .ToArray();
    }
}

/// <summary>An address where connections are refused: bound but not listening, so nobody else can get the port in the meantime.</summary>
internal sealed class ClosedPort : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    internal ClosedPort() => _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));

    internal string Address => _socket.LocalEndPoint!.ToString()!;

    internal string Url => "http://" + Address;

    public void Dispose() => _socket.Dispose();
}
