using FleetLock.TestKit;
using static FleetLock.Server.Tests.Answers;
using static FleetLock.Server.Tests.Sample;
using static FleetLock.Server.Tests.TestServer;

namespace FleetLock.Server.Tests;

/// <summary><c>Prefer: wait=SECONDS</c> over a real socket, on a group whose one slot "a" holds.</summary>
public sealed class PreferWaitTests : IAsyncLifetime
{
    private TestServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await StartAsync(new MemoryStore(), (Group, 1), ("free", 1));
        await _server.LockAsync("a");
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task The_answer_is_held_until_the_time_is_over_and_is_then_full()
    {
        using var waiter = await _server.BeginLockAsync("b", "wait=5");
        await _server.UntilWaitingAsync(1);

        _server.Clock.Advance(TimeSpan.FromSeconds(5));

        var answer = (await waiter.ReceiveAsync())!;
        AssertRefused(409, "failed_lock_semaphore_full", "1", answer);
        Assert.Equal("wait=5", answer.Header("Preference-Applied"));
        Assert.Equal(["a"], await _server.HoldersAsync());
        Assert.Equal(0, (await _server.GroupAsync()).Waiting);
    }

    [Fact]
    public async Task The_answer_is_held_until_the_slot_is_free_and_is_then_a_grant()
    {
        using var waiter = await _server.BeginLockAsync("b", "wait=5");
        await _server.UntilWaitingAsync(1);

        AssertDone(await _server.UnlockAsync("a"));

        var answer = (await waiter.ReceiveAsync())!;
        AssertDone(answer);
        Assert.Equal("wait=5", answer.Header("Preference-Applied"));
        Assert.Equal(["b"], await _server.HoldersAsync());
    }

    [Fact]
    public async Task Without_the_header_nothing_is_new_for_a_client()
    {
        var full = await _server.LockAsync("b");
        var granted = await _server.LockAsync("b", "free");

        Assert.Equal((409, 200), (full.Status, granted.Status));
        Assert.Null(full.Header("Preference-Applied"));
        Assert.Null(granted.Header("Preference-Applied"));
    }

    [Fact]
    public async Task An_unlock_never_waits_and_says_nothing_of_it()
    {
        var answer = await _server.AskAsync(RawClient.Request(SteadyState, WireFormat.WriteRequest(Group, "b"), ProtocolHeader, "Prefer: wait=60"));

        AssertDone(answer);
        Assert.Null(answer.Header("Preference-Applied"));
    }

    /// <remarks>RFC 7240: names in any case, values as tokens or quoted, lists in one header or several, the first of a name counts.</remarks>
    [Theory]
    [InlineData("wait=10", "Prefer: wait=10")]
    [InlineData("wait=10", "prefer: WAIT=10")]
    [InlineData("wait=10", "Prefer: wait=\"10\"")]
    [InlineData("wait=10", "Prefer: wait = 10")]
    [InlineData("wait=10", "Prefer:wait=10;")]
    [InlineData("wait=10", "Prefer: wait=10; foo=bar")]
    [InlineData("wait=10", "Prefer: wait=010")]
    [InlineData("wait=10", "Prefer: respond-async, wait=10")]
    [InlineData("wait=10", "Prefer: ,, wait=10,")]
    [InlineData("wait=10", "Prefer: respond-async", "Prefer: return=minimal, wait=10")]
    [InlineData("wait=10", "Prefer: wait=10, wait=20")]
    [InlineData("wait=10", "Prefer: wait=10", "Prefer: wait=20")]
    [InlineData("wait=3600", "Prefer: wait=3600")]
    [InlineData("wait=3600", "Prefer: wait=3601")]
    [InlineData("wait=3600", "Prefer: wait=2147483648")]
    [InlineData("wait=3600", "Prefer: wait=99999999999999999999999999999999")]
    [InlineData(null, "Prefer: wait=0")]
    [InlineData(null, "Prefer: wait=-10")]
    [InlineData(null, "Prefer: wait=+10")]
    [InlineData(null, "Prefer: wait=10.5")]
    [InlineData(null, "Prefer: wait=1e1")]
    [InlineData(null, "Prefer: wait=0x10")]
    [InlineData(null, "Prefer: wait=10s")]
    [InlineData(null, "Prefer: wait=1 0")]
    [InlineData(null, "Prefer: wait=soon")]
    [InlineData(null, "Prefer: wait=soon, wait=10")]
    [InlineData(null, "Prefer: wait=")]
    [InlineData(null, "Prefer: wait")]
    [InlineData(null, "Prefer: await=10")]
    [InlineData(null, "Prefer: respond-async; wait=10")]
    [InlineData(null, "Prefer: =10")]
    [InlineData(null, "Prefer: ,;=\"")]
    [InlineData(null, "Prefer:")]
    public async Task The_answer_says_what_was_understood(string? applied, params string[] headers)
    {
        var answer = await _server.AskAsync(RawClient.Request(PreReboot, WireFormat.WriteRequest("free", "b"), [ProtocolHeader, .. headers]));

        AssertDone(answer);
        Assert.Equal(applied, answer.Header("Preference-Applied"));
    }

    [Fact]
    public async Task A_wait_that_is_not_understood_is_none()
    {
        using var client = await _server.BeginLockAsync("b", "wait=soon");

        AssertRefused(409, "failed_lock_semaphore_full", "1", (await client.ReceiveAsync())!);
    }

    [Fact]
    public async Task No_answer_is_held_for_longer_than_the_servers_limit()
    {
        await using var server = await StartAsync(Options(new MemoryStore(), (Group, 0)) with { MaxWait = TimeSpan.FromSeconds(2) });
        using var waiter = await server.BeginLockAsync("b", "wait=99999999999");
        await server.UntilWaitingAsync(1);

        server.Clock.Advance(TimeSpan.FromSeconds(2));

        var answer = (await waiter.ReceiveAsync())!;
        Assert.Equal((409, "wait=2"), (answer.Status, answer.Header("Preference-Applied")));
    }

    [Fact]
    public async Task A_client_that_goes_while_it_waits_leaves_the_queue_and_the_next_in_line_is_granted()
    {
        using var resets = await _server.BeginLockAsync("resets");
        await _server.UntilWaitingAsync(1);
        using var closes = await _server.BeginLockAsync("closes");
        await _server.UntilWaitingAsync(2);
        using var next = await _server.BeginLockAsync("next");
        await _server.UntilWaitingAsync(3);

        resets.Reset();
        closes.Dispose();
        await _server.UntilWaitingAsync(1);
        await _server.UnlockAsync("a");

        AssertDone((await next.ReceiveAsync())!);
        Assert.Equal(["next"], await _server.HoldersAsync());
    }

    [Fact]
    public async Task A_stop_answers_those_who_wait_at_once()
    {
        using var first = await _server.BeginLockAsync("b");
        using var second = await _server.BeginLockAsync("c");
        await _server.UntilWaitingAsync(2);

        await _server.DisposeAsync();

        AssertRefused(503, "shutting_down", (await first.ReceiveAsync())!);
        AssertRefused(503, "shutting_down", (await second.ReceiveAsync())!);
    }

    [Fact]
    public async Task Five_hundred_who_wait_for_one_slot_are_served_in_the_order_of_their_arrival()
    {
        var clients = new RawClient[500];
        for (var i = 0; i < clients.Length; i++)
        {
            clients[i] = await _server.BeginLockAsync("id" + i);
            await _server.UntilWaitingAsync(i + 1);
        }

        var holder = "a";
        for (var i = 0; i < clients.Length; i++)
        {
            AssertDone(await _server.UnlockAsync(holder));
            AssertDone((await clients[i].ReceiveAsync())!);
            holder = "id" + i;
            Assert.Equal([holder], await _server.HoldersAsync());
        }

        Assert.All(clients, client => client.Dispose());
    }

    [Fact]
    public async Task Those_who_wait_at_a_server_are_served_when_another_on_the_same_file_has_released()
    {
        using var folder = new TemporaryDirectory();
        await using var first = await StartAsync(new SqliteStore(folder.File("fleetlock.db")), (Group, 1));
        await using var second = await StartAsync(new SqliteStore(folder.File("fleetlock.db")), (Group, 1));
        await first.LockAsync("a");
        using var waiter = await second.BeginLockAsync("b", "wait=3600");
        await second.UntilWaitingAsync(1);
        AssertDone(await first.UnlockAsync("a"));

        // The timer of the recheck is set after the waiter has its place: it may need another second of this clock.
        var answer = waiter.ReceiveAsync();
        while (!answer.IsCompleted)
        {
            second.Clock.Advance(TimeSpan.FromSeconds(1));
            await second.GroupsAsync();
        }

        AssertDone((await answer)!);
        Assert.Equal(["b"], await first.HoldersAsync());
    }
}
