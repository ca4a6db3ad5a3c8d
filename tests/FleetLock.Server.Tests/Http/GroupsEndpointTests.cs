using System.Text;
using System.Text.Json;
using FleetLock.TestKit;
using Microsoft.Extensions.Logging;
using static FleetLock.Server.Tests.Answers;
using static FleetLock.Server.Tests.Sample;
using static FleetLock.Server.Tests.TestServer;

namespace FleetLock.Server.Tests;

/// <summary>See the groups, free a slot, change the number of slots: over a real socket, in a group of two slots of which "a" holds one.</summary>
public sealed class GroupsEndpointTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _folder = new();
    private readonly CapturedLog _log = new();
    private TestServer _server = null!;

    /// <summary>Bodies that are no number of slots, and a part of the answer.</summary>
    public static TheoryData<string, string> BadSlots => new()
    {
        { "", "" },
        { " ", "" },
        { "{}", "" },
        { "null", "" },
        { "[]", "" },
        { "3", "" },
        { "slots=3", "" },
        { """{"slots":null}""", "" },
        { """{"slots":"3"}""", "" },
        { """{"slots":3.5}""", "" },
        { """{"slots":1e999}""", "" },
        { """{"slots":99999999999}""", "" },
        { """{"slots":true}""", "" },
        { """{"slots":[3]}""", "" },
        { """{"Slots":3}""", "" },
        { """{"slots":3""", "" },
        { """{"slots":3}{"slots":4}""", "" },
        { """{"slots":3},""", "" },
        { """{'slots':3}""", "" },
        { """{"slots":3,}""", "" },
        { """{"slots":-1}""", "-1" },
        { """{"slots":100001}""", "100001" },
        { """{"slots":1000000000}""", "1000000000" },
    };

    /// <summary>Ids that a path likes to get wrong.</summary>
    public static TheoryData<string> OddIds =>
    [
        "a/b",
        "/",
        "a%2Fb",
        "%2e%2e",
        "a%",
        "100%25",
        "machine.example.net",
        "...",
        "a b",
        "a+b",
        "a?b#c",
        "a;b=c&d",
        "a\\b",
        "<b>\"'",
        "節點 é 😀",
    ];

    public async ValueTask InitializeAsync()
    {
        _server = await StartAsync((Group, 2), ("none", 0));
        await _server.LockAsync("a");
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _log.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_group_is_shown_with_slots_and_holders_and_who_waits()
    {
        await _server.LockAsync("b");
        _server.Clock.Advance(TimeSpan.FromSeconds(1));
        await _server.LockAsync("b");
        using var waiter = await _server.BeginLockAsync("c");
        await _server.UntilWaitingAsync(1);

        var answer = await _server.AskAsync(RawClient.Head("GET /v1/groups/workers"));

        Assert.Equal((200, "application/json"), (answer.Status, answer.Header("Content-Type")));
        Assert.Equal(
            """{"group":"workers","slots":2,"free":0,"holders":["""
            + """{"id":"a","since":"2026-01-02T03:04:05.6789012+00:00","from":"127.0.0.1","lastAsked":"2026-01-02T03:04:05.6789012+00:00"},"""
            + """{"id":"b","since":"2026-01-02T03:04:05.6789012+00:00","from":"127.0.0.1","lastAsked":"2026-01-02T03:04:06.6789012+00:00"}],"waiting":1}""",
            answer.Body);
        Assert.Contains(answer.Body, await _server.GroupsAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET", "nobody", 404, "unknown_group")]
    [InlineData("GET", "WORKERS", 404, "unknown_group")]
    [InlineData("GET", "not_a_name", 400, "invalid_group")]
    [InlineData("GET", "%F0%9F%98%80", 400, "invalid_group")]
    [InlineData("GET", "workers%2F..", 400, "invalid_group")]
    [InlineData("PUT", "nobody", 404, "unknown_group")]
    [InlineData("PUT", "not_a_name", 400, "invalid_group")]
    [InlineData("GET", "workers/holders", 405, "method_not_allowed")]
    [InlineData("GET", "workers/holders/a", 405, "method_not_allowed")]
    [InlineData("POST", "workers", 405, "method_not_allowed")]
    [InlineData("DELETE", "workers", 405, "method_not_allowed")]
    public async Task What_is_not_there_is_refused(string method, string group, int status, string kind)
    {
        var answer = await _server.AskAsync(RawClient.Request($"{method} /v1/groups/{group}", """{"slots":5}"""u8.ToArray(), ProtocolHeader));

        AssertRefused(status, kind, answer);
    }

    [Fact]
    public async Task The_slots_are_changed_at_once_and_the_change_is_logged()
    {
        var answer = await ResizeAsync("""{"slots":5}""");

        Assert.Equal(200, answer.Status);
        var shown = JsonSerializer.Deserialize(answer.Body, GroupJson.Default.FleetGroup)!;
        Assert.Equal((Group, 5, 4), (shown.Group, shown.Slots, shown.Free));
        Assert.Equal(["a"], shown.Holders.Select(holder => holder.Id));
        Assert.Equal(5, (await _server.GroupAsync()).Slots);
        _log.AssertHas(LogLevel.Warning, nameof(ServerLog.Resized), "workers", "5", "127.0.0.1");
    }

    [Fact]
    public async Task Fewer_slots_than_holders_lose_no_holder()
    {
        Assert.Equal(200, (await ResizeAsync("""{"slots":0}""")).Status);

        Assert.Equal(["a"], await _server.HoldersAsync());
        AssertRefused(409, "failed_lock_semaphore_full", "0", await _server.LockAsync("b"));
        AssertDone(await _server.LockAsync("a"));
    }

    [Fact]
    public async Task More_slots_serve_who_waits()
    {
        using var waiter = await _server.BeginLockAsync("b", group: "none");
        await _server.UntilWaitingAsync(1, "none");

        Assert.Equal(200, (await ResizeAsync("""{"slots":1}""", "none")).Status);

        AssertDone((await waiter.ReceiveAsync())!);
    }

    [Theory]
    [MemberData(nameof(BadSlots))]
    public async Task A_body_that_is_no_number_of_slots_changes_nothing(string body, string named)
    {
        var before = await _server.GroupsAsync();

        AssertRefused(400, "invalid_request", named, await ResizeAsync(body));
        Assert.Equal(before, await _server.GroupsAsync());
    }

    [Fact]
    public async Task A_body_that_is_too_large_changes_nothing()
    {
        var before = await _server.GroupsAsync();

        AssertRefused(413, "body_too_large", "16384", await ResizeAsync("""{"slots":5}""" + new string(' ', 16 * 1024)));
        Assert.Equal(before, await _server.GroupsAsync());
    }

    [Theory]
    [InlineData("PUT /v1/groups/workers")]
    [InlineData("DELETE /v1/groups/workers/holders/a?reason=dead")]
    public async Task Nothing_is_changed_without_the_protocols_header(string line)
    {
        var before = await _server.GroupsAsync();

        foreach (var headers in new string[][] { [], ["fleet-lock-protocol: false"] })
            AssertRefused(400, "missing_header", "fleet-lock-protocol", await _server.AskAsync(RawClient.Request(line, """{"slots":5}"""u8.ToArray(), headers)));
        Assert.Equal(before, await _server.GroupsAsync());
    }

    [Theory]
    [InlineData("Forwarded: for=192.0.2.60")]
    [InlineData("X-Forwarded-For: 192.0.2.60")]
    [InlineData("x-forwarded-for: 127.0.0.1")]
    public async Task What_a_proxy_forwards_is_not_from_this_machine(string header)
    {
        var before = await _server.GroupsAsync();

        foreach (var line in new[] { "PUT /v1/groups/workers", "DELETE /v1/groups/workers/holders/a?reason=dead" })
            AssertRefused(403, "forbidden", await _server.AskAsync(RawClient.Request(line, """{"slots":5}"""u8.ToArray(), ProtocolHeader, header)));
        Assert.Equal(before, await _server.GroupsAsync());
        Assert.Equal(200, (await _server.AskAsync(RawClient.Head("GET /v1/groups/workers", header))).Status);
        AssertDone(await _server.AskAsync(RawClient.Request(SteadyState, WireFormat.WriteRequest(Group, "a"), ProtocolHeader, header)));
    }

    [Fact]
    public async Task What_an_operator_has_changed_survives_a_restart_with_the_same_configuration()
    {
        await ResizeAsync("""{"slots":5}""");
        await _server.DisposeAsync();
        _server = await StartAsync((Group, 2), ("none", 0));

        Assert.Equal((5, 4), ((await _server.GroupAsync()).Slots, (await _server.GroupAsync()).Free));
    }

    [Fact]
    public async Task An_edited_configuration_wins_at_the_restart()
    {
        await ResizeAsync("""{"slots":5}""");
        await _server.DisposeAsync();
        _server = await StartAsync((Group, 3), ("none", 0));

        Assert.Equal(3, (await _server.GroupAsync()).Slots);
        Assert.Equal(["a"], await _server.HoldersAsync());
    }

    [Fact]
    public async Task A_forced_release_frees_the_slot_says_whose_it_was_and_is_logged_with_its_reason()
    {
        var answer = await ReleaseAsync("a", "burnt%20down%2C%20really");

        Assert.Equal(200, answer.Status);
        Assert.Equal(
            """{"id":"a","since":"2026-01-02T03:04:05.6789012+00:00","from":"127.0.0.1","lastAsked":"2026-01-02T03:04:05.6789012+00:00"}""",
            answer.Body);
        Assert.Empty(await _server.HoldersAsync());
        _log.AssertHas(LogLevel.Warning, nameof(ServerLog.ForceReleased), "workers", "127.0.0.1", "burnt down, really");
    }

    [Fact]
    public async Task A_forced_release_serves_who_waits()
    {
        await _server.LockAsync("b");
        using var waiter = await _server.BeginLockAsync("c");
        await _server.UntilWaitingAsync(1);

        await ReleaseAsync("b", "dead");

        AssertDone((await waiter.ReceiveAsync())!);
        Assert.Equal(["a", "c"], await _server.HoldersAsync());
    }

    [Theory]
    [InlineData("")]
    [InlineData("?reason")]
    [InlineData("?reason=")]
    [InlineData("?reason=%20%09")]
    [InlineData("?reason=a%0Ab")]
    [InlineData("?reason=%1B[31mred")]
    [InlineData("?reason=%00")]
    [InlineData("?reason=%E2%80%AEsdrawkcab")]
    [InlineData("?because=dead")]
    public async Task A_forced_release_takes_a_reason(string query)
    {
        var answer = await _server.AskAsync(RawClient.Head("DELETE /v1/groups/workers/holders/a" + query, ProtocolHeader));

        AssertRefused(400, "invalid_request", "reason", answer);
        Assert.Equal(["a"], await _server.HoldersAsync());
    }

    [Theory]
    [InlineData("holders?id=a&id=b&reason=x", "invalid_id", "2 times")]
    [InlineData("holders?id=a&id=a&reason=x", "invalid_id", "2 times")]
    [InlineData("holders?reason=x", "invalid_id", "empty")]
    [InlineData("holders/a?id=a&reason=x", "invalid_id", "path")]
    [InlineData("holders/a?reason=x&reason=y", "invalid_request", "2 times")]
    [InlineData("holders?id=a&reason=x&reason=y", "invalid_request", "2 times")]
    public async Task What_a_forced_release_is_given_twice_is_refused(string path, string kind, string named)
    {
        AssertRefused(400, kind, named, await _server.AskAsync(RawClient.Head("DELETE /v1/groups/workers/" + path, ProtocolHeader)));
        Assert.Equal(["a"], await _server.HoldersAsync());
    }

    [Fact]
    public async Task The_longest_reason_has_255_characters()
    {
        AssertRefused(400, "invalid_request", "255", await ReleaseAsync("a", new string('x', 256)));
        Assert.Equal(["a"], await _server.HoldersAsync());
        Assert.Equal(200, (await ReleaseAsync("a", new string('x', 255))).Status);
    }

    [Fact]
    public async Task A_forced_release_of_what_is_not_held_is_a_404()
    {
        AssertRefused(404, "not_held", "'b'", await ReleaseAsync("b", "dead"));
        AssertRefused(404, "unknown_group", "'nobody'", await ReleaseAsync("a", "dead", "nobody"));
        AssertRefused(404, "not_held", "'A'", await ReleaseAsync("A", "dead"));
        AssertRefused(400, "invalid_id", await ReleaseAsync("a\u0007", "dead"));
        AssertRefused(400, "invalid_id", "256", await ReleaseAsync(new string('x', 256), "dead"));
        Assert.Equal(["a"], await _server.HoldersAsync());
    }

    [Theory]
    [MemberData(nameof(OddIds))]
    public async Task A_forced_release_frees_exactly_the_id_that_is_named(string id)
    {
        AssertDone(await _server.LockAsync(id));

        var answer = await ReleaseAsync(id, "dead");

        Assert.Equal(200, answer.Status);
        Assert.Equal(id, JsonSerializer.Deserialize(answer.Body, GroupJson.Default.FleetHolder)!.Id);
        Assert.Equal(["a"], await _server.HoldersAsync());
    }

    /// <remarks>The decoded path of an encoded slash is that of an encoded percent sign, too.</remarks>
    [Fact]
    public async Task A_forced_release_of_an_id_with_a_slash_does_not_free_the_id_that_looks_like_it_encoded()
    {
        AssertDone(await _server.LockAsync("a%2Fb"));

        AssertRefused(404, "not_held", "'a/b'", await ReleaseAsync("a/b", "dead"));
        Assert.Equal(["a", "a%2Fb"], await _server.HoldersAsync());
    }

    [Fact]
    public async Task A_retired_group_can_be_seen_and_freed_and_neither_be_locked_nor_be_changed()
    {
        await _server.LockAsync("b");
        await _server.DisposeAsync();
        _server = await StartAsync(("none", 0));

        Assert.Equal(["a", "b"], await _server.HoldersAsync());
        Assert.Equal(200, (await _server.AskAsync(RawClient.Head("GET /v1/groups/workers"))).Status);
        AssertRefused(400, "unknown_group", "'workers'", await _server.LockAsync("a"));
        AssertRefused(404, "unknown_group", "'workers'", await ResizeAsync("""{"slots":5}"""));
        using (var client = await _server.BeginLockAsync("c"))
            AssertRefused(400, "unknown_group", "'workers'", (await client.ReceiveAsync())!);

        AssertDone(await _server.UnlockAsync("a"));
        Assert.Equal(200, (await ReleaseAsync("b", "dead")).Status);
        AssertRefused(404, "unknown_group", "'workers'", await _server.AskAsync(RawClient.Head("GET /v1/groups/workers")));
    }

    private Task<TestServer> StartAsync(params (string Name, int Slots)[] groups) => TestServer.StartAsync(
        Options(new SqliteStore(_folder.File("fleetlock.db")), groups) with { Logging = log => log.AddProvider(_log) });

    private Task<RawResponse> ResizeAsync(string body, string group = Group) =>
        _server.AskAsync(RawClient.Request("PUT /v1/groups/" + group, Encoding.UTF8.GetBytes(body), ProtocolHeader));

    /// <param name="id">The node id; it is encoded here.</param>
    /// <param name="reason">The reason, encoded.</param>
    /// <param name="group">The group.</param>
    private Task<RawResponse> ReleaseAsync(string id, string reason, string group = Group) =>
        _server.AskAsync(RawClient.Head($"DELETE /v1/groups/{group}/holders/{Uri.EscapeDataString(id)}?reason={reason}", ProtocolHeader));
}
