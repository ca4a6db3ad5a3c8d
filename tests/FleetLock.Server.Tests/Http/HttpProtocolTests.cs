using System.Text;
using FleetLock.TestKit;
using static FleetLock.Server.Tests.Answers;
using static FleetLock.Server.Tests.Sample;
using static FleetLock.Server.Tests.TestServer;

namespace FleetLock.Server.Tests;

/// <summary>The protocol over a real socket, as good clients speak it.</summary>
public sealed class HttpProtocolTests : IAsyncLifetime
{
    private TestServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await StartAsync(new MemoryStore(), (Group, 1), ("many", 3), ("none", 0));

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task A_lock_is_granted_with_an_empty_200()
    {
        AssertDone(await _server.LockAsync("a"));
        Assert.Equal(["a"], await _server.HoldersAsync());
    }

    [Fact]
    public async Task A_full_group_is_a_409_that_tells_the_number_of_slots()
    {
        await _server.LockAsync("a");

        var answer = await _server.LockAsync("b");

        AssertRefused(409, "failed_lock_semaphore_full", "1", answer);
        Assert.Equal("""{"kind":"failed_lock_semaphore_full","value":"all 1 semaphore slots currently locked"}""", answer.Body);
        Assert.Equal(["a"], await _server.HoldersAsync());
    }

    [Fact]
    public async Task A_group_without_slots_is_always_full() =>
        AssertRefused(409, "failed_lock_semaphore_full", "0", await _server.LockAsync("a", "none"));

    [Fact]
    public async Task A_holder_is_granted_again_and_keeps_its_since()
    {
        await _server.LockAsync("a");
        _server.Clock.Advance(TimeSpan.FromDays(1));

        AssertDone(await _server.LockAsync("a"));
        Assert.Equal([new FleetHolder("a", Since) { From = "127.0.0.1", LastAsked = Since.AddDays(1) }], (await _server.GroupAsync()).Holders);
    }

    [Fact]
    public async Task A_holder_gives_its_slot_back_with_an_empty_200()
    {
        await _server.LockAsync("a");

        AssertDone(await _server.UnlockAsync("a"));
        Assert.Empty(await _server.HoldersAsync());
        AssertDone(await _server.LockAsync("b"));
    }

    [Fact]
    public async Task An_unlock_by_an_id_that_holds_none_is_a_200_and_changes_nothing()
    {
        await _server.LockAsync("a");
        var before = await _server.GroupsAsync();

        AssertDone(await _server.UnlockAsync("b"));
        Assert.Equal(before, await _server.GroupsAsync());
    }

    [Fact]
    public async Task A_slot_of_one_group_is_none_of_another()
    {
        await _server.LockAsync("a");

        AssertDone(await _server.UnlockAsync("a", "many"));
        AssertDone(await _server.LockAsync("a", "many"));
        Assert.Equal(["a"], await _server.HoldersAsync());
    }

    [Theory]
    [InlineData("workers-2")]
    [InlineData("WORKERS")]
    [InlineData("workers.")]
    public async Task An_unknown_group_is_refused_by_name(string group)
    {
        AssertRefused(400, "unknown_group", $"'{group}'", await _server.LockAsync("a", group));
        AssertRefused(400, "unknown_group", $"'{group}'", await _server.UnlockAsync("a", group));
    }

    [Theory]
    [InlineData("fleet-lock-protocol: true")]
    [InlineData("Fleet-Lock-Protocol: true")]
    [InlineData("FLEET-LOCK-PROTOCOL:true")]
    [InlineData("fleet-lock-protocol:  true  ")]
    public async Task The_case_of_the_headers_name_and_the_space_around_its_value_do_not_matter(string header) =>
        AssertDone(await _server.AskAsync(RawClient.Request(PreReboot, WireFormat.WriteRequest(Group, "a"), header)));

    /// <summary>Bodies that say the same as Zincati's in other words.</summary>
    [Theory]
    [InlineData("""{"client_params":{"id":"a","group":"workers"}}""")]
    [InlineData("""{"client_params":{"group":"workers","id":"a"}}""")]
    [InlineData(" \t\r\n{ \"client_params\" : { \"id\" : \"a\" , \"group\" : \"workers\" } } \n")]
    [InlineData("""{"version":2,"client_params":{"id":"a","reason":{"id":"b","group":[1]},"group":"workers"},"more":[{}]}""")]
    [InlineData("""{"\u0063lient_params":{"i\u0064":"\u0061","group":"\u0077orkers"}}""")]
    [InlineData("""{"CLIENT_PARAMS":null,"client_params":{"id":"a","group":"workers"}}""")]
    public async Task Bodies_that_mean_the_same_do_the_same(string body)
    {
        AssertDone(await _server.AskAsync(RawClient.Request(PreReboot, Encoding.UTF8.GetBytes(body), ProtocolHeader)));
        Assert.Equal(["a"], await _server.HoldersAsync());
    }

    [Theory]
    [InlineData("machine.example.net")]
    [InlineData("a b")]
    [InlineData("'; DROP TABLE holders; --")]
    [InlineData("<b>&\"")]
    [InlineData("節點 é 😀")]
    public async Task An_id_is_kept_as_it_was_sent(string id)
    {
        AssertDone(await _server.LockAsync(id));
        Assert.Equal([id], await _server.HoldersAsync());
        AssertDone(await _server.UnlockAsync(id));
        Assert.Empty(await _server.HoldersAsync());
    }

    [Fact]
    public async Task The_longest_id_has_255_characters()
    {
        AssertDone(await _server.LockAsync(new string('x', 255)));
        AssertRefused(400, "invalid_id", "256", await _server.LockAsync(new string('x', 256), "many"));
    }

    [Fact]
    public async Task The_largest_body_has_16_KiB()
    {
        var body = WireFormat.WriteRequest(Group, "a");
        byte[] largest = [.. body, .. Enumerable.Repeat((byte)' ', (16 * 1024) - body.Length)];

        AssertDone(await _server.AskAsync(RawClient.Request(PreReboot, largest, ProtocolHeader)));
    }

    [Fact]
    public async Task A_chunked_body_does_the_same()
    {
        var head = RawClient.Head(PreReboot, ProtocolHeader, "Transfer-Encoding: chunked");

        AssertDone(await _server.AskAsync([.. head, .. Chunked(WireFormat.WriteRequest(Group, "a"))]));
        Assert.Equal(["a"], await _server.HoldersAsync());
    }

    [Fact]
    public async Task A_connection_serves_one_request_after_the_other()
    {
        using var client = await RawClient.ConnectAsync(_server.Address);
        for (var i = 0; i < 10; i++)
        {
            AssertDone(await client.AskAsync(Request(PreReboot, Group, "a")));
            Assert.Equal(409, (await client.AskAsync(Request(PreReboot, Group, "b"))).Status);
            AssertDone(await client.AskAsync(Request(SteadyState, Group, "a")));
        }
    }

    [Fact]
    public async Task The_groups_are_listed_with_slots_and_holders()
    {
        await _server.LockAsync("b", "many");
        _server.Clock.Advance(TimeSpan.FromSeconds(1));
        await _server.LockAsync("a", "many");

        var answer = await _server.AskAsync(RawClient.Head("GET /v1/groups"));

        Assert.Equal("application/json", answer.Header("Content-Type"));
        Assert.Equal(
            """{"groups":["""
            + """{"group":"many","slots":3,"free":1,"holders":["""
            + """{"id":"a","since":"2026-01-02T03:04:06.6789012+00:00","from":"127.0.0.1","lastAsked":"2026-01-02T03:04:06.6789012+00:00"},"""
            + """{"id":"b","since":"2026-01-02T03:04:05.6789012+00:00","from":"127.0.0.1","lastAsked":"2026-01-02T03:04:05.6789012+00:00"}],"waiting":0},"""
            + """{"group":"none","slots":0,"free":0,"holders":[],"waiting":0},"""
            + """{"group":"workers","slots":1,"free":1,"holders":[],"waiting":0}]}""",
            answer.Body);
    }

    [Fact]
    public async Task The_list_needs_no_protocol_header_because_it_does_nothing() => Assert.Equal("workers", (await _server.GroupAsync()).Group);

    [Fact]
    public async Task A_live_server_says_so()
    {
        var answer = await _server.AskAsync(RawClient.Head("GET /healthz"));

        Assert.Equal((200, "application/json", """{"status":"ok"}"""), (answer.Status, answer.Header("Content-Type"), answer.Body));
    }

    [Fact]
    public async Task The_server_does_not_tell_what_it_is_made_of() =>
        Assert.Null((await _server.AskAsync(RawClient.Head("GET /healthz"))).Header("Server"));

    /// <summary>A body in two chunks.</summary>
    private static byte[] Chunked(byte[] body) =>
        [.. "5\r\n"u8, .. body[..5], .. Encoding.ASCII.GetBytes($"\r\n{body.Length - 5:x}\r\n"), .. body[5..], .. "\r\n0\r\n\r\n"u8];
}
