using FleetLock.TestKit;
using static FleetLock.Server.Tests.Answers;
using static FleetLock.Server.Tests.Sample;
using static FleetLock.Server.Tests.TestServer;

namespace FleetLock.Server.Tests;

/// <summary>Grant ids over a real socket, in a group of one slot.</summary>
public sealed class GrantsHttpTests : IAsyncLifetime
{
    private TestServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await StartAsync(new MemoryStore(), (Group, 1));

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task A_lock_says_which_grant_is_held_and_whether_it_is_new()
    {
        AssertGrant(await LockAsync("a", Grant), Grant, "new");
        AssertGrant(await LockAsync("a", Grant), Grant, "new");
        AssertGrant(await LockAsync("a", OtherGrant), Grant, "held");
        AssertGrant(await _server.LockAsync("a"), Grant, "held");
    }

    [Fact]
    public async Task A_client_without_grant_ids_gets_one_that_the_server_made()
    {
        var first = await _server.LockAsync("a");
        var grantId = first.Header("FleetLock-Grant");

        Assert.True(GrantId.IsValid(grantId));
        AssertGrant(first, grantId!, "new");
        AssertGrant(await _server.LockAsync("a"), grantId!, "held");
    }

    [Fact]
    public async Task A_refusal_carries_no_grant()
    {
        await LockAsync("a", Grant);
        var full = await LockAsync("b", OtherGrant);

        Assert.Equal((409, null, null), (full.Status, full.Header("FleetLock-Grant"), full.Header("FleetLock-Grant-Status")));
    }

    [Theory]
    [InlineData("0123456789abcdef0123456789abcde")]
    [InlineData("0123456789abcdef0123456789abcdef0")]
    [InlineData("0123456789ABCDEF0123456789abcdef")]
    [InlineData("0123456789abcdef-0123456789abcde")]
    [InlineData("0123456789abcdef0123456789abcdeg")]
    [InlineData("0123456789abcdef0123456789abcdef, fedcba9876543210fedcba9876543210")]
    [InlineData("")]
    public async Task A_malformed_grant_id_is_refused_and_takes_no_slot(string grantId)
    {
        AssertRefused(400, "invalid_grant", "32 lower-case hexadecimal digits", await LockAsync("a", grantId));
        Assert.Empty(await _server.HoldersAsync());
    }

    [Fact]
    public async Task A_repeated_grant_header_is_refused()
    {
        var request = RawClient.Request(
            PreReboot, WireFormat.WriteRequest(Group, "a"), ProtocolHeader, "FleetLock-Grant: " + Grant, "FleetLock-Grant: " + Grant);
        AssertRefused(400, "invalid_grant", "2 times", await _server.AskAsync(request));
    }

    [Fact]
    public async Task An_unlock_ignores_the_header()
    {
        await LockAsync("a", Grant);
        AssertDone(await _server.AskAsync(RawClient.Request(SteadyState, WireFormat.WriteRequest(Group, "a"), ProtocolHeader, "FleetLock-Grant: x")));
        Assert.Empty(await _server.HoldersAsync());
    }

    [Fact]
    public async Task A_cancelled_grant_frees_its_slot_and_a_late_lock_with_it_is_refused()
    {
        await LockAsync("a", Grant);

        AssertGrant(await CancelAsync("a", Grant), Grant, "released");
        AssertGrant(await CancelAsync("a", Grant), Grant, "absent");
        AssertRefused(409, "grant_cancelled", "lock again", await LockAsync("a", Grant));
        Assert.Empty(await _server.HoldersAsync());
        AssertGrant(await LockAsync("a", OtherGrant), OtherGrant, "new");
    }

    [Fact]
    public async Task A_cancelled_grant_keeps_what_somebody_else_relies_on()
    {
        await LockAsync("a", Grant);
        await _server.LockAsync("a");

        AssertGrant(await CancelAsync("a", Grant), Grant, "kept");
        AssertGrant(await CancelAsync("a", OtherGrant), OtherGrant, "kept");
        Assert.Equal(["a"], await _server.HoldersAsync());
        AssertDone(await _server.UnlockAsync("a"));
        Assert.Empty(await _server.HoldersAsync());
    }

    [Fact]
    public async Task A_cancelled_grant_ends_its_wait()
    {
        await LockAsync("a", Grant);
        using var waiter = await RawClient.ConnectAsync(_server.Address);
        await waiter.SendAsync(RawClient.Request(
            PreReboot, WireFormat.WriteRequest(Group, "b"), ProtocolHeader, "Prefer: wait=60", "FleetLock-Grant: " + OtherGrant));
        await _server.UntilWaitingAsync(1);

        AssertGrant(await CancelAsync("b", OtherGrant), OtherGrant, "absent");
        AssertRefused(409, "grant_cancelled", "", (await waiter.ReceiveAsync())!);
    }

    [Theory]
    [InlineData("/v1/groups/workers/grants/xyz?id=a", 400, "invalid_grant", "'xyz'")]
    [InlineData("/v1/groups/workers/grants/" + Grant, 400, "invalid_id", "empty")]
    [InlineData("/v1/groups/workers/grants/" + Grant + "?id=a&id=b", 400, "invalid_id", "2 times")]
    [InlineData("/v1/groups/workers/grants/" + Grant + "?id=a&id=a&id=a", 400, "invalid_id", "3 times")]
    [InlineData("/v1/groups/workers/grants/" + Grant + "?id=a&reason=undo&reason=undo", 400, "invalid_request", "2 times")]
    [InlineData("/v1/groups/other/grants/" + Grant + "?id=a", 404, "unknown_group", "'other'")]
    [InlineData("/v1/groups/no_group/grants/" + Grant + "?id=a", 400, "invalid_group", "'no_group'")]
    public async Task A_cancellation_that_names_nothing_valid_is_refused(string path, int status, string kind, string named)
    {
        await LockAsync("a", Grant);

        AssertRefused(status, kind, named, await _server.AskAsync(RawClient.Request("DELETE " + path, [], ProtocolHeader)));
        Assert.Equal(["a"], await _server.HoldersAsync());
    }

    [Fact]
    public async Task A_cancellation_without_the_protocols_header_is_refused()
    {
        await LockAsync("a", Grant);
        AssertRefused(400, "missing_header", "", await _server.AskAsync(RawClient.Request($"DELETE /v1/groups/{Group}/grants/{Grant}?id=a", [])));
        Assert.Equal(["a"], await _server.HoldersAsync());
    }

    [Fact]
    public async Task The_features_are_listed() =>
        Assert.Equal("""{"features":["grants"]}""", (await _server.AskAsync(RawClient.Head("GET /v1"))).Body);

    private static void AssertGrant(RawResponse answer, string grantId, string status)
    {
        AssertDone(answer);
        Assert.Equal((grantId, status), (answer.Header("FleetLock-Grant"), answer.Header("FleetLock-Grant-Status")));
    }

    private Task<RawResponse> LockAsync(string id, string grantId) =>
        _server.AskAsync(RawClient.Request(PreReboot, WireFormat.WriteRequest(Group, id), ProtocolHeader, "FleetLock-Grant: " + grantId));

    private Task<RawResponse> CancelAsync(string id, string grantId) =>
        _server.AskAsync(RawClient.Request($"DELETE /v1/groups/{Group}/grants/{grantId}?id={id}", [], ProtocolHeader));
}
