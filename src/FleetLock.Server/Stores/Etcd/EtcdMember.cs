using FleetLock.Server.EtcdApi;
using Grpc.Net.Client;

namespace FleetLock.Server;

/// <summary>One endpoint. Nothing is connected before it is used.</summary>
internal sealed class EtcdMember(int index, Uri endpoint, GrpcChannel channel) : IDisposable
{
    private CancellationTokenSource _left = new();

    internal int Index => index;

    internal Uri Endpoint => endpoint;

    internal KV.KVClient Keys { get; } = new(channel);

    internal Watch.WatchClient Changes { get; } = new(channel);

    internal Auth.AuthClient Users { get; } = new(channel);

    /// <summary>Set when another member's turn has come.</summary>
    internal CancellationToken Left => Volatile.Read(ref _left).Token;

    internal void Leave() => Volatile.Read(ref _left).Cancel();

    /// <summary>Its own turn has come again.</summary>
    internal void Return()
    {
        if (Left.IsCancellationRequested)
            Volatile.Write(ref _left, new CancellationTokenSource());
    }

    public void Dispose()
    {
        channel.Dispose();
        _left.Dispose();
    }
}
