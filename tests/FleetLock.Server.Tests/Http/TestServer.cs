using System.Diagnostics;
using System.Text.Json;
using FleetLock.TestKit;
using Microsoft.Extensions.Time.Testing;

namespace FleetLock.Server.Tests;

/// <summary>A server on a real socket, and what tests ask of it.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    internal const string ProtocolHeader = "fleet-lock-protocol: true";
    internal const string PreReboot = "POST /v1/pre-reboot";
    internal const string SteadyState = "POST /v1/steady-state";

    private readonly FleetLockServer _server;

    private TestServer(FleetLockServer server, FakeTimeProvider clock) => (_server, Clock) = (server, clock);

    internal Uri Address => _server.Address;

    internal FakeTimeProvider Clock { get; }

    internal static FleetLockServerOptions Options(ISemaphoreStore store, params IEnumerable<(string Name, int Slots)> groups) => new()
    {
        Groups = groups.ToDictionary(group => group.Name, group => group.Slots),
        Store = store,
        Listen = new Uri("http://127.0.0.1:0"),
    };

    internal static Task<TestServer> StartAsync(ISemaphoreStore store, params IEnumerable<(string Name, int Slots)> groups) =>
        StartAsync(Options(store, groups));

    internal static async Task<TestServer> StartAsync(FleetLockServerOptions options)
    {
        var clock = new FakeTimeProvider(Sample.Since);
        return new TestServer(await FleetLockServer.StartAsync(options with { Clock = clock }, TestContext.Current.CancellationToken), clock);
    }

    /// <summary>Reloads the configuration.</summary>
    internal Task ReconfigureAsync(FleetLockServerOptions options) => _server.ReconfigureAsync(options with { Clock = Clock });

    internal Task<RawResponse> LockAsync(string id, string group = Sample.Group) => AskAsync(Request(PreReboot, group, id));

    internal Task<RawResponse> UnlockAsync(string id, string group = Sample.Group) => AskAsync(Request(SteadyState, group, id));

    /// <summary>Sends a lock with a preference on a connection of its own, and does not wait for the answer.</summary>
    internal async Task<RawClient> BeginLockAsync(string id, string prefer = "wait=60", string group = Sample.Group)
    {
        var client = await RawClient.ConnectAsync(Address);
        await client.SendAsync(RawClient.Request(PreReboot, WireFormat.WriteRequest(group, id), ProtocolHeader, "Prefer: " + prefer));
        return client;
    }

    /// <summary>Asks until as many ids wait for a slot.</summary>
    internal async Task UntilWaitingAsync(int count, string group = Sample.Group)
    {
        var deadline = Stopwatch.StartNew();
        for (var waiting = -1; waiting != count;)
        {
            Assert.True(deadline.Elapsed < TestTimeout.Hang, $"{waiting} wait, not {count}");
            waiting = (await GroupAsync(group)).Waiting;
        }
    }

    /// <summary>One exchange on a connection of its own.</summary>
    internal Task<RawResponse> AskAsync(byte[] request) => RawClient.AskAsync(Address, request);

    /// <summary>The body of <c>GET /v1/groups</c>.</summary>
    internal async Task<string> GroupsAsync()
    {
        var answer = await AskAsync(RawClient.Head("GET /v1/groups"));
        Assert.Equal(200, answer.Status);
        return answer.Body;
    }

    internal async Task<FleetGroup> GroupAsync(string name = Sample.Group)
    {
        var list = JsonSerializer.Deserialize(await GroupsAsync(), GroupJson.Default.FleetGroupList);
        return Assert.Single(list!.Groups, group => group.Group == name);
    }

    internal async Task<string[]> HoldersAsync(string group = Sample.Group) =>
        [.. (await GroupAsync(group)).Holders.Select(holder => holder.Id)];

    /// <summary>A request as a good client sends it.</summary>
    internal static byte[] Request(string line, string group, string id) =>
        RawClient.Request(line, WireFormat.WriteRequest(group, id), ProtocolHeader);

    public ValueTask DisposeAsync() => _server.DisposeAsync();
}
