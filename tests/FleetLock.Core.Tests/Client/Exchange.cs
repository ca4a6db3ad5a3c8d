using FleetLock.TestKit;

namespace FleetLock.Core.Tests;

/// <summary>One lock or unlock against a scripted server.</summary>
internal static class Exchange
{
    internal const string Group = "workers";
    internal const string Id = "35ba2101ae3f4d45b96e9c51f461bbff";

    /// <summary>For tests of the request's own time-out that end alike whatever has been received until then.</summary>
    internal static readonly TimeSpan ShortTimeout = TimeSpan.FromMilliseconds(300);

    /// <summary>For tests of the time-out in which something has to be received before, even on a busy machine.</summary>
    internal static readonly TimeSpan LongerTimeout = TimeSpan.FromSeconds(2);

    internal static FleetLockOperation[] Operations => [FleetLockOperation.Lock, FleetLockOperation.Unlock];

    /// <summary>A client whose time-out is far off, unless the test is about it: a hang is then a failure and not a hang.</summary>
    internal static FleetLockClient ClientOf(string url, TimeSpan? timeout = null, TimeProvider? clock = null) => new(new FleetLockClientOptions
    {
        Server = ServerAddress.Parse(url),
        Timeout = timeout ?? TimeSpan.FromSeconds(30),
        Clock = clock ?? TimeProvider.System,
    });

    internal static Task<FleetLockResult> SendAsync(this FleetLockClient client, FleetLockOperation operation, CancellationToken? cancellationToken = null)
    {
        var token = cancellationToken ?? TestContext.Current.CancellationToken;
        return operation == FleetLockOperation.Lock ? client.LockAsync(Group, Id, token) : client.UnlockAsync(Group, Id, token);
    }

    /// <summary>Sends one operation to a server of its own and gives the result.</summary>
    internal static async Task<FleetLockResult> OfAsync(FleetLockOperation operation, params RawAnswer[] script)
    {
        await using var server = new RawServer(script);
        using var client = ClientOf(server.Url);
        return await client.SendAsync(operation);
    }

    /// <summary>The same with a time-out that is meant to pass.</summary>
    internal static async Task<FleetLockResult> OfAsync(FleetLockOperation operation, TimeSpan timeout, params RawAnswer[] script)
    {
        await using var server = new RawServer(script);
        using var client = ClientOf(server.Url, timeout);
        return await client.SendAsync(operation);
    }
}
