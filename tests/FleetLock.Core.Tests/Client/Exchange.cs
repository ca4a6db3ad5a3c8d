using FleetLock.TestKit;
using Microsoft.Extensions.Time.Testing;

namespace FleetLock.Core.Tests;

/// <summary>One lock or unlock against a scripted server.</summary>
internal static class Exchange
{
    internal const string Group = "workers";
    internal const string Id = "35ba2101ae3f4d45b96e9c51f461bbff";

    /// <summary>The time-out of a client on a clock that the test moves.</summary>
    internal static readonly TimeSpan FakeTimeout = TimeSpan.FromSeconds(30);

    /// <summary>For tests that end alike whatever has been sent and received until then.</summary>
    internal static readonly TimeSpan ShortTimeout = TimeSpan.FromMilliseconds(300);

    internal static FleetLockOperation[] Operations => [FleetLockOperation.Lock, FleetLockOperation.Unlock];

    /// <summary>A client whose time-out is far off, unless the test is about it: a hang is then a failure and not a hang.</summary>
    internal static FleetLockClient ClientOf(string url, TimeSpan? timeout = null, TimeProvider? clock = null) => new(new FleetLockClientOptions
    {
        Server = ServerAddress.Parse(url),
        Timeout = timeout ?? TestTimeout.Hang,
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

    /// <summary>The same with a time-out that passes as soon as the server has been asked.</summary>
    internal static async Task<FleetLockResult> TimedOutAsync(FleetLockOperation operation, params RawAnswer[] script)
    {
        await using var server = new RawServer(script);
        return await TimedOutAsync(server, client => client.SendAsync(operation));
    }

    /// <summary>Uses a client whose time-out passes as soon as the server has been asked.</summary>
    internal static async Task<T> TimedOutAsync<T>(RawServer server, Func<FleetLockClient, Task<T>> use)
    {
        var clock = new FakeTimeProvider();
        using var client = ClientOf(server.Url, FakeTimeout, clock);
        var used = use(client);
        await server.Asked.WaitAsync(TestTimeout.Hang, TestContext.Current.CancellationToken);
        clock.Advance(FakeTimeout);
        return await used.WaitAsync(TestTimeout.Hang, TestContext.Current.CancellationToken);
    }
}
