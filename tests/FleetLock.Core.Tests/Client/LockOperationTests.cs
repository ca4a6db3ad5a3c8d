using FleetLock.TestKit;

namespace FleetLock.Core.Tests;

/// <summary>An undo ends one lock operation by its grant id, or it ends nothing and says so: it never releases what somebody else may hold.</summary>
public sealed class LockOperationTests
{
    private const string Grant = "0123456789abcdef0123456789abcdef";
    private const string Lock = "POST /v1/pre-reboot HTTP/1.1";
    private const string Undo = $"DELETE /v1/groups/workers/grants/{Grant}?id={Exchange.Id}&reason=undo HTTP/1.1";

    private static readonly TimeSpan Patience = TestTimeout.Hang;
    private static readonly RawAnswer Full = Error(409, "failed_lock_semaphore_full");
    private static readonly RawAnswer Reserved = Error(202, "waiting_for_node_drain");

    private readonly List<PossibleLeak> _leaks = [];

    public static readonly TheoryData<string> Ends = ["released", "kept", "absent"];

    public static readonly TheoryData<int, string, string[]> OtherAnswers = new()
    {
        { 200, "", [] },
        { 200, "", [$"FleetLock-Grant: {Grant}"] },
        { 200, "", ["FleetLock-Grant-Status: released"] },
        { 200, "", ["FleetLock-Grant: ffffffffffffffffffffffffffffffff", "FleetLock-Grant-Status: released"] },
        { 200, "", [$"FleetLock-Grant: {Grant.ToUpperInvariant()}", "FleetLock-Grant-Status: released"] },
        { 200, "", [$"FleetLock-Grant: {Grant}", $"FleetLock-Grant: {Grant}", "FleetLock-Grant-Status: released"] },
        { 200, "", [$"FleetLock-Grant: {Grant}", "FleetLock-Grant-Status: released", "FleetLock-Grant-Status: released"] },
        { 200, "", [$"FleetLock-Grant: {Grant}", "FleetLock-Grant-Status: new"] },
        { 200, "", [$"FleetLock-Grant: {Grant}", "FleetLock-Grant-Status: Released"] },
        { 201, "", [$"FleetLock-Grant: {Grant}", "FleetLock-Grant-Status: released"] },
        { 200, "<html>", ["Content-Type: text/html", $"FleetLock-Grant: {Grant}", "FleetLock-Grant-Status: released"] },
        { 302, "", ["Location: /login"] },
        { 400, """{"kind":"unknown_group","value":"airlock's"}""", [] },
        { 401, """{"kind":"unauthorized","value":"who"}""", [] },
        { 404, "404 page not found", [] },
        { 404, """{"kind":"not_found","value":"no such path"}""", [] },
        { 404, """{"kind":"not_held","value":"holds none"}""", [] },
        { 405, """{"kind":"method_not_allowed","value":"takes POST"}""", [] },
        { 501, "", [] },
    };

    [Theory]
    [MemberData(nameof(Ends))]
    public async Task A_server_that_supports_grants_ends_the_operation(string status)
    {
        await using var server = new RawServer(RawAnswer.Http(200), Ended(status));
        using var client = Exchange.ClientOf(server.Url);
        var operation = await TriedAsync(client);

        Assert.Null(await operation.UndoAsync(Patience, TestContext.Current.CancellationToken));

        Assert.Equal([Lock, Undo], server.Requests.Select(request => request.Line));
        Assert.Equal("true", server.Requests[1].Header("fleet-lock-protocol"));
        Assert.Equal((Grant, null), (server.Requests[0].Header("FleetLock-Grant"), server.Requests[1].Header("FleetLock-Grant")));
    }

    [Fact]
    public async Task A_group_that_the_server_does_not_have_holds_nothing()
    {
        await using var server = new RawServer(RawAnswer.Http(200), Error(404, "unknown_group"));
        using var client = Exchange.ClientOf(server.Url);

        Assert.Null(await (await TriedAsync(client)).UndoAsync(Patience, TestContext.Current.CancellationToken));
    }

    [Theory]
    [MemberData(nameof(OtherAnswers))]
    public async Task On_any_other_answer_the_slot_is_left_and_reported(int status, string body, string[] headers)
    {
        await using var server = new RawServer(RawAnswer.Http(200), RawAnswer.Http(status, body, headers));
        using var client = Exchange.ClientOf(server.Url);

        var leak = await (await TriedAsync(client)).UndoAsync(Patience, TestContext.Current.CancellationToken);

        Assert.Equal((Exchange.Group, Exchange.Id, server.Url, false), (leak!.Group, leak.Id, leak.Server, leak.IsReservation));
        Assert.Equal([Lock, Undo], server.Requests.Select(request => request.Line));
        Assert.Contains("release it with: x", leak.Describe("release it with: x"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failure_that_may_pass_is_tried_again()
    {
        await using var server = new RawServer(RawAnswer.Http(200), Error(503, "store_unavailable"), RawAnswer.Close, Ended("released"));
        using var client = Exchange.ClientOf(server.Url);

        Assert.Null(await (await TriedAsync(client)).UndoAsync(Patience, TestContext.Current.CancellationToken));

        Assert.Equal([Lock, Undo, Undo, Undo], server.Requests.Select(request => request.Line));
    }

    [Fact]
    public async Task Without_an_answer_in_time_the_slot_is_reported()
    {
        await using var server = new RawServer(RawAnswer.Http(200), RawAnswer.Never);
        using var client = Exchange.ClientOf(server.Url);

        var leak = await (await TriedAsync(client)).UndoAsync(Exchange.ShortTimeout, TestContext.Current.CancellationToken);

        Assert.Contains(client.DescribeTimeout(Exchange.ShortTimeout), leak!.Describe("x"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_undone_is_not_undone_again()
    {
        await using var server = new RawServer(RawAnswer.Http(200), Ended("released"));
        using var client = Exchange.ClientOf(server.Url);
        var operation = await TriedAsync(client);

        await operation.UndoAsync(Patience, TestContext.Current.CancellationToken);
        Assert.Null(await operation.UndoAsync(Patience, TestContext.Current.CancellationToken));

        Assert.Equal([Lock, Undo], server.Requests.Select(request => request.Line));
    }

    [Fact]
    public async Task An_operation_that_asked_for_nothing_or_was_refused_leaves_nothing()
    {
        await using var server = new RawServer(Full, Error(400, "unknown_group"), Error(503, "store_restored"));
        using var client = Exchange.ClientOf(server.Url);
        var operation = new LockOperation(client, Exchange.Group, Exchange.Id, Grant);

        Assert.Null(await operation.UndoAsync(Patience, TestContext.Current.CancellationToken));
        for (var answered = 0; answered < 3; answered++)
        {
            Assert.False((await AcquireAsync(operation)).OutcomeUnknown);
            Assert.Null(await operation.UndoAsync(Patience, TestContext.Current.CancellationToken));
        }

        Assert.Equal([Lock, Lock, Lock], server.Requests.Select(request => request.Line));
    }

    [Theory]
    [InlineData(409, "failed_lock_semaphore_full", 0)]
    [InlineData(409, "grant_cancelled", 0)]
    [InlineData(429, "too_many_requests", 1)]
    [InlineData(403, "reboot_window", 1)]
    [InlineData(503, "store_restored", 1)]
    public async Task A_lost_request_is_ended_and_reported_unless_a_later_answer_says_that_nothing_is_held(int status, string kind, int leaks)
    {
        await using var server = new RawServer(RawAnswer.Reset, Error(status, kind), RawAnswer.Http(404));
        using var client = Exchange.ClientOf(server.Url);
        var operation = await TriedAsync(client);

        var result = await AcquireAsync(operation);

        Assert.Equal(leaks, _leaks.Count);
        Assert.Equal([Lock, Lock, Undo], server.Requests.Select(request => request.Line));
        Assert.False(result.OutcomeUnknown);
    }

    [Fact]
    public async Task A_lost_request_is_reported_when_its_undo_is_not_answered_although_nothing_was_held_meanwhile()
    {
        await using var server = new RawServer(Error(503, "store_unavailable"), Full, RawAnswer.Never);
        using var client = Exchange.ClientOf(server.Url);
        var operation = await TriedAsync(client);
        Assert.Equal(FleetLockStatus.Busy, (await operation.TryAsync(TimeSpan.Zero, TestContext.Current.CancellationToken)).Status);

        Assert.NotNull(await operation.UndoAsync(Exchange.ShortTimeout, TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_outcome_that_is_unknown_is_known_once_it_is_undone(bool isSupported)
    {
        await using var server = new RawServer(Error(503, "store_unavailable"), isSupported ? Ended("absent") : RawAnswer.Http(404));
        using var client = Exchange.ClientOf(server.Url);

        var result = await AcquireAsync(new LockOperation(client, Exchange.Group, Exchange.Id, Grant));

        Assert.Equal((FleetLockStatus.Unreachable, !isSupported), (result.Status, result.OutcomeUnknown));
        Assert.Equal(isSupported ? 0 : 1, _leaks.Count);
        Assert.Equal([Lock, Undo], server.Requests.Select(request => request.Line));
    }

    [Fact]
    public async Task A_reservation_is_reported_as_one()
    {
        await using var server = new RawServer(Reserved, RawAnswer.Http(404));
        using var client = Exchange.ClientOf(server.Url);

        Assert.Equal(FleetLockStatus.Pending, (await AcquireAsync(new LockOperation(client, Exchange.Group, Exchange.Id, Grant))).Status);

        Assert.Contains("has reserved", Assert.Single(_leaks).Describe("x"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cancelled_operation_is_undone_before_it_throws()
    {
        using var cancellation = new CancellationTokenSource();
        await using var server = new RawServer(RawAnswer.Never, Ended("absent"));
        using var client = Exchange.ClientOf(server.Url);

        var asking = AcquireAsync(new LockOperation(client, Exchange.Group, Exchange.Id, Grant), null, cancellation.Token);
        await server.Asked;
        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
        Assert.Equal([Lock, Undo], server.Requests.Select(request => request.Line));
        Assert.Empty(_leaks);
    }

    [Fact]
    public async Task A_wait_keeps_its_grant_id_and_two_operations_have_two()
    {
        await using var server = new RawServer(Full, RawAnswer.Close, Error(500, "failed_lock", "conflict on semaphore detected, aborting"), RawAnswer.Http(200));
        using var client = Exchange.ClientOf(server.Url);
        var operation = new LockOperation(client, Exchange.Group, Exchange.Id);

        Assert.Equal(FleetLockStatus.Granted, (await AcquireAsync(operation, new WaitPolicy())).Status);

        Assert.Equal(Enumerable.Repeat(operation.GrantId, 4), server.Requests.Select(request => request.Header("FleetLock-Grant")));
        Assert.NotEqual(operation.GrantId, new LockOperation(client, Exchange.Group, Exchange.Id).GrantId);
    }

    [Fact]
    public async Task A_grant_is_kept()
    {
        await using var server = new RawServer(RawAnswer.Http(200));
        using var client = Exchange.ClientOf(server.Url);

        await AcquireAsync(new LockOperation(client, Exchange.Group, Exchange.Id, Grant));

        Assert.Single(server.Requests);
        Assert.Empty(_leaks);
    }

    [Theory]
    [InlineData("under_score", Exchange.Id)]
    [InlineData(Exchange.Group, "")]
    public void Bad_input_is_refused_at_once(string group, string id)
    {
        using var client = Exchange.ClientOf("http://127.0.0.1:1");

        Assert.Throws<FleetLockInputException>(() => new LockOperation(client, group, id));
    }

    private static RawAnswer Ended(string status) => RawAnswer.Http(200, "", $"FleetLock-Grant: {Grant}", $"FleetLock-Grant-Status: {status}");

    private static RawAnswer Error(int status, string kind, string value = "in so many words") => RawAnswer.Http(status, WireFormat.WriteError(kind, value));

    private static async Task<LockOperation> TriedAsync(FleetLockClient client)
    {
        var operation = new LockOperation(client, Exchange.Group, Exchange.Id, Grant);
        await operation.TryAsync(TimeSpan.Zero, TestContext.Current.CancellationToken);
        return operation;
    }

    private Task<FleetLockResult> AcquireAsync(LockOperation operation, WaitPolicy? wait = null, CancellationToken? cancellationToken = null) =>
        operation.AcquireAsync(new SlotWaiter(new SleeplessClock(), () => 0), wait, null, _leaks.Add, cancellationToken ?? TestContext.Current.CancellationToken);
}
