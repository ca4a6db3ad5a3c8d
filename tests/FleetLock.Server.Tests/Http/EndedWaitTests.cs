using FleetLock.TestKit;
using static FleetLock.Server.Tests.Answers;
using static FleetLock.Server.Tests.Sample;
using static FleetLock.Server.Tests.TestServer;

namespace FleetLock.Server.Tests;

/// <summary>Waits that a reload of the configuration ends, and requests whose client disconnects.</summary>
public sealed class EndedWaitTests
{
    private const string NodeToken = "a token of a node";

    private static readonly Credential Node = new("node", Role.Node) { Sha256 = Credential.HashOf(NodeToken) };

    private static readonly Credential Admin = new("admin", Role.Admin) { Sha256 = Credential.HashOf("another token") };

    [Fact]
    public async Task A_group_that_is_removed_ends_its_waits_and_the_slot_is_not_granted()
    {
        await using var store = new MemoryStore();
        await using var server = await StartAsync(store, (Group, 1), ("other", 1));
        await server.LockAsync("a");
        using var waiter = await server.BeginLockAsync("b");
        await server.UntilWaitingAsync(1);

        await server.ReconfigureAsync(Options(store, ("other", 1)));

        AssertRefused(400, "unknown_group", Group, (await waiter.ReceiveAsync())!);
        AssertDone(await server.UnlockAsync("a"));
        AssertRefused(400, "unknown_group", Group, await server.LockAsync("b"));
    }

    [Fact]
    public async Task A_token_that_is_revoked_ends_the_waits_of_its_client()
    {
        await using var store = new MemoryStore();
        var options = Options(store, (Group, 0)) with { Credentials = [Node, Admin] };
        await using var server = await StartAsync(options);
        using var waiter = await BeginLockAsync(server);

        await server.ReconfigureAsync(options with { Credentials = [Admin] });

        AssertRefused(401, "unauthorized", "", (await waiter.ReceiveAsync())!);
    }

    [Fact]
    public async Task A_token_that_loses_the_group_ends_the_waits_of_its_client()
    {
        await using var store = new MemoryStore();
        var options = Options(store, (Group, 0)) with { Credentials = [Node, Admin] };
        await using var server = await StartAsync(options);
        using var waiter = await BeginLockAsync(server);

        await server.ReconfigureAsync(options with { Credentials = [Node with { Groups = ["other"] }, Admin] });

        AssertRefused(403, "forbidden", "", (await waiter.ReceiveAsync())!);
    }

    [Fact]
    public async Task A_reload_that_changes_nothing_for_a_client_lets_it_wait()
    {
        await using var store = new MemoryStore();
        var options = Options(store, (Group, 0)) with { Credentials = [Node, Admin] };
        await using var server = await StartAsync(options);
        using var waiter = await BeginLockAsync(server);

        await server.ReconfigureAsync(options with { Credentials = [Node], Groups = new Dictionary<string, int> { [Group] = 1 } });

        AssertDone((await waiter.ReceiveAsync())!);
    }

    [Theory]
    [InlineData(SteadyState)]
    [InlineData("DELETE")]
    public async Task A_release_whose_client_disconnects_is_carried_out(string line)
    {
        await using var store = new StagedStore();
        await using var server = await StartAsync(store, (Group, 1));
        await server.AskAsync(RawClient.Request(PreReboot, WireFormat.WriteRequest(Group, "a"), ProtocolHeader, "FleetLock-Grant: " + Grant));
        var (path, body) = line == SteadyState
            ? ("/v1/steady-state", WireFormat.WriteRequest(Group, "a"))
            : ($"/v1/groups/{Group}/grants/{Grant}", Array.Empty<byte>());
        using var aborts = new RequestAborts(server.Address, path);

        // Its client disconnects while the release is saved, and another writer is faster: it is decided again.
        var save = store.HoldNextSave();
        using var client = await RawClient.ConnectAsync(server.Address);
        await client.SendAsync(RawClient.Request(line == SteadyState ? line : $"DELETE {path}?id=a", body, ProtocolHeader));
        await save.Begun;
        client.Reset();
        await aborts.Noticed;
        await store.WriteBehindItsBackAsync(semaphore => semaphore.WithSlots(5));
        save.Release();

        AssertDone(await server.UnlockAsync("nobody"));
        Assert.Empty(await server.HoldersAsync());
    }

    private static async Task<RawClient> BeginLockAsync(TestServer server)
    {
        var waiter = await RawClient.ConnectAsync(server.Address);
        await waiter.SendAsync(RawClient.Request(
            PreReboot, WireFormat.WriteRequest(Group, "a"), ProtocolHeader, "Prefer: wait=60", "Authorization: Bearer " + NodeToken));
        for (var waiting = 0; waiting == 0;)
        {
            var groups = await server.AskAsync(RawClient.Request("GET /v1/groups", [], "Authorization: Bearer another token"));
            waiting = groups.Body.Contains("\"waiting\":1", StringComparison.Ordinal) ? 1 : 0;
        }

        return waiter;
    }
}
