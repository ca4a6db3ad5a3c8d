using FleetLock.TestKit;
using Microsoft.Extensions.Time.Testing;

namespace FleetLock.Core.Tests;

/// <summary>A slot held for a run: nobody runs without it, and whatever was or may have been taken is released.</summary>
public sealed class SlotRunTests : IDisposable
{
    private const string Lock = "POST /v1/pre-reboot HTTP/1.1";
    private const string Unlock = "POST /v1/steady-state HTTP/1.1";

    private static readonly RawAnswer Full = RawAnswer.Http(409, """{"kind":"failed_lock_semaphore_full","value":"full"}""");
    private static readonly RawAnswer Reserved = RawAnswer.Http(202, """{"kind":"waiting_for_node_drain","value":"reserved"}""");

    private readonly TemporaryDirectory _directory = new();
    private readonly SleeplessClock _clock = new();
    private readonly List<PossibleLeak> _leaks = [];

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_granted_slot_is_a_run_and_is_released()
    {
        await using var server = new RawServer(RawAnswer.Http(200));
        using var client = Exchange.ClientOf(server.Url);

        var (result, run) = await TakeAsync(client);
        using (run)
        {
            Assert.Equal(FleetLockStatus.Granted, result.Status);
            Assert.Equal("node1", run!.Id);
            Assert.Equal(FleetLockStatus.Released, (await run.ReleaseAsync(SlotRun.ReleaseTimeout, null, TestContext.Current.CancellationToken)).Status);
        }

        Assert.Equal([Lock, Unlock], server.Requests.Select(request => request.Line));
    }

    [Fact]
    public async Task A_second_run_on_the_machine_is_busy_and_asks_the_server_nothing()
    {
        await using var server = new RawServer(RawAnswer.Http(200));
        using var client = Exchange.ClientOf(server.Url);
        using var first = (await TakeAsync(client)).Run;

        var (result, second) = await TakeAsync(client);

        Assert.Null(second);
        Assert.Equal(FleetLockStatus.Busy, result.Status);
        Assert.Equal("client_run_held", result.Kind);
        Assert.Contains($"process {Environment.ProcessId} (", result.Message, StringComparison.Ordinal);
        Assert.Equal(0, result.Attempts);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task Of_several_ids_the_first_free_one_is_taken()
    {
        await using var server = new RawServer(RawAnswer.Http(200));
        using var client = Exchange.ClientOf(server.Url);

        using var first = (await TakeAsync(client, ids: ["node1", "node2"])).Run;
        using var second = (await TakeAsync(client, ids: ["node1", "node2"])).Run;
        var third = (await TakeAsync(client, ids: ["node1", "node2"])).Run;

        Assert.Equal(("node1", "node2"), (first!.Id, second!.Id));
        Assert.Null(third);
    }

    [Fact]
    public async Task A_full_group_is_no_run_and_leaves_the_machine_free()
    {
        await using var server = new RawServer(Full, RawAnswer.Http(200));
        using var client = Exchange.ClientOf(server.Url);

        var (result, none) = await TakeAsync(client);
        using var run = (await TakeAsync(client)).Run;

        Assert.Null(none);
        Assert.Equal(FleetLockStatus.Busy, result.Status);
        Assert.NotNull(run);
        Assert.Equal([Lock, Lock], server.Requests.Select(request => request.Line));
    }

    [Fact]
    public async Task A_slot_is_waited_for()
    {
        await using var server = new RawServer(Full, Full, RawAnswer.Http(200));
        using var client = Exchange.ClientOf(server.Url);

        var (result, run) = await TakeAsync(client, wait: new WaitPolicy());
        using (run)
            Assert.Equal((FleetLockStatus.Granted, 3), (result.Status, result.Attempts));
    }

    [Fact]
    public async Task A_slot_that_was_perhaps_granted_is_undone_and_never_unlocked()
    {
        await using var server = new RawServer(RawAnswer.Reset, RawAnswer.Http(404));
        using var client = Exchange.ClientOf(server.Url);

        var (result, run) = await TakeAsync(client);

        Assert.Null(run);
        Assert.True(result.OutcomeUnknown);
        AssertUndone(server, 1);
        Assert.Equal(("workers", "node1", false), (Assert.Single(_leaks).Group, _leaks[0].Id, _leaks[0].IsReservation));
    }

    [Fact]
    public async Task A_slot_that_is_only_reserved_when_the_wait_ends_is_undone_and_never_unlocked()
    {
        await using var server = new RawServer(Reserved, Reserved, RawAnswer.Http(404));
        using var client = Exchange.ClientOf(server.Url);

        var (result, run) = await TakeAsync(client, wait: new WaitPolicy { Timeout = TimeSpan.FromSeconds(1) });

        Assert.Null(run);
        Assert.Equal(FleetLockStatus.TimedOut, result.Status);
        AssertUndone(server, 2);
        Assert.True(Assert.Single(_leaks).IsReservation);
    }

    [Fact]
    public async Task A_cancelled_request_is_undone_and_leaves_the_machine_free()
    {
        using var cancellation = new CancellationTokenSource();
        await using var server = new RawServer(RawAnswer.Never, RawAnswer.Http(400, """{"kind":"bad_request","value":"no"}"""), RawAnswer.Http(200));
        using var client = Exchange.ClientOf(server.Url, clock: new FakeTimeProvider());

        var taking = TakeAsync(client, cancellationToken: cancellation.Token);
        await server.Asked;
        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => taking);
        AssertUndone(server, 1);
        Assert.Single(_leaks);
        using var next = (await TakeAsync(client)).Run;
        Assert.NotNull(next);
    }

    [Fact]
    public async Task A_release_that_is_not_answered_holds_up_a_cancellation_for_less_than_a_second()
    {
        var clock = new FakeTimeProvider();
        using var cancellation = new CancellationTokenSource();
        await using var server = new RawServer(RawAnswer.Never);
        using var client = Exchange.ClientOf(server.Url, Exchange.FakeTimeout, clock);
        var taking = TakeAsync(client, cancellationToken: cancellation.Token);
        await server.Asked;
        await cancellation.CancelAsync();
        while (server.Requests.Count < 2)
            await Task.Delay(1, TestContext.Current.CancellationToken);

        clock.Advance(TimeSpan.FromMilliseconds(699));
        Assert.False(taking.IsCompleted);
        clock.Advance(TimeSpan.FromMilliseconds(1));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => taking.WaitAsync(TestTimeout.Hang, TestContext.Current.CancellationToken));
        AssertUndone(server, 1);
    }

    [Fact]
    public async Task A_release_is_tried_again_while_the_server_is_away()
    {
        await using var server = new RawServer(RawAnswer.Http(200), RawAnswer.Http(503), RawAnswer.Reset, RawAnswer.Http(200));
        using var client = Exchange.ClientOf(server.Url);
        using var run = (await TakeAsync(client)).Run;

        var result = await run!.ReleaseAsync(SlotRun.ReleaseTimeout, null, TestContext.Current.CancellationToken);

        Assert.Equal(FleetLockStatus.Released, result.Status);
        Assert.Equal([Lock, Unlock, Unlock, Unlock], server.Requests.Select(request => request.Line));
    }

    [Fact]
    public async Task A_release_gives_up_after_its_time_out_and_the_next_run_adopts_the_slot()
    {
        await using var server = new RawServer(RawAnswer.Http(200), RawAnswer.Http(503));
        using var client = Exchange.ClientOf(server.Url);
        using var run = (await TakeAsync(client)).Run;

        var result = await run!.ReleaseAsync(TimeSpan.FromSeconds(60), null, TestContext.Current.CancellationToken);

        Assert.Equal(FleetLockStatus.TimedOut, result.Status);
        Assert.Equal(60, _clock.Sleeps.Sum(sleep => sleep.TotalSeconds));
        run.Dispose();
        await TakeAsync(client);
        AssertSameGrant(server.Requests[0], server.Requests[^1]);
    }

    [Fact]
    public async Task A_release_that_is_not_answered_is_cut_off_ten_seconds_after_its_time_out()
    {
        var clock = new FakeTimeProvider();
        await using var server = new RawServer(RawAnswer.Http(200), RawAnswer.Never);
        using var client = Exchange.ClientOf(server.Url, Timeout.InfiniteTimeSpan, clock);
        using var run = (await TakeAsync(client)).Run;
        var releasing = run!.ReleaseAsync(TimeSpan.FromSeconds(3), null, TestContext.Current.CancellationToken);
        while (server.Requests.Count < 2)
            await Task.Delay(1, TestContext.Current.CancellationToken);

        clock.Advance(TimeSpan.FromSeconds(12.9));
        Assert.False(releasing.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(0.1));

        var result = await releasing.WaitAsync(TestTimeout.Hang, TestContext.Current.CancellationToken);
        Assert.Equal((FleetLockStatus.TimedOut, true), (result.Status, result.OutcomeUnknown));
    }

    [Theory]
    [InlineData("under_score", "node1")]
    [InlineData("workers", " ")]
    public async Task Bad_input_asks_the_server_nothing(string group, string id)
    {
        await using var server = new RawServer(RawAnswer.Http(200));
        using var client = Exchange.ClientOf(server.Url);

        await Assert.ThrowsAsync<FleetLockInputException>(() => TakeAsync(client, group, [id]));

        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task A_run_that_never_began_is_undone()
    {
        await using var server = new RawServer(RawAnswer.Http(200), RawAnswer.Http(404));
        using var client = Exchange.ClientOf(server.Url);
        using var run = (await TakeAsync(client)).Run;

        Assert.NotNull(await run!.UndoAsync(TestTimeout.Hang));

        AssertUndone(server, 1);
    }

    [Theory]
    [InlineData("released", FleetLockStatus.Released, null)]
    [InlineData("kept", FleetLockStatus.Refused, "client_grant_kept")]
    [InlineData("absent", FleetLockStatus.Refused, "not_held")]
    public async Task Where_there_are_grants_only_that_of_the_run_is_released(string answer, FleetLockStatus status, string? kind)
    {
        await using var server = WithGrants("new", answer);
        using var client = Exchange.ClientOf(server.Url);
        var run = (await TakeAsync(client)).Run;
        using (run)
        {
            var result = await run!.ReleaseAsync(SlotRun.ReleaseTimeout, null, TestContext.Current.CancellationToken);
            Assert.Equal((status, kind), (result.Status, result.Kind));
        }

        Assert.Equal([Lock, $"DELETE /v1/groups/workers/grants/{run.GrantId}?id=node1 HTTP/1.1"], server.Requests.Select(request => request.Line));
        Assert.False((await TakeAsync(client)).Run!.IsAdopted);
    }

    [Fact]
    public async Task The_slot_of_a_run_that_was_not_released_is_adopted_with_its_grant_id()
    {
        await using var server = WithGrants("new", "released");
        using var client = Exchange.ClientOf(server.Url);
        (await TakeAsync(client)).Run!.Dispose();

        using var next = (await TakeAsync(client)).Run;

        Assert.True(next!.IsAdopted);
        AssertSameGrant(server.Requests[0], server.Requests[1]);
        Assert.True((await next.ReleaseAsync(SlotRun.ReleaseTimeout, null, TestContext.Current.CancellationToken)).IsSuccess);
    }

    [Fact]
    public async Task A_grant_that_was_cancelled_is_asked_for_anew_with_a_fresh_id()
    {
        await using var server = new RawServer(
            RawAnswer.Http(200),
            RawAnswer.Http(409, """{"kind":"grant_cancelled","value":"cancelled"}"""),
            RawAnswer.Http(200));
        using var client = Exchange.ClientOf(server.Url);
        (await TakeAsync(client)).Run!.Dispose();

        using var next = (await TakeAsync(client)).Run;

        Assert.False(next!.IsAdopted);
        AssertSameGrant(server.Requests[0], server.Requests[1]);
        Assert.NotEqual(server.Requests[1].Header("FleetLock-Grant"), server.Requests[2].Header("FleetLock-Grant"));
    }

    [Fact]
    public async Task A_lost_answer_to_a_run_that_adopts_is_not_undone_and_is_reported()
    {
        await using var server = new RawServer(RawAnswer.Http(200), RawAnswer.Reset);
        using var client = Exchange.ClientOf(server.Url);
        (await TakeAsync(client)).Run!.Dispose();

        var (result, run) = await TakeAsync(client);

        Assert.Null(run);
        Assert.True(result.OutcomeUnknown);
        Assert.Equal([Lock, Lock], server.Requests.Select(request => request.Line));
        Assert.Equal("node1", Assert.Single(_leaks).Id);
    }

    [Fact]
    public async Task The_undo_of_a_run_leaves_the_slot_of_an_earlier_one()
    {
        await using var server = WithGrants("new", "released");
        using var client = Exchange.ClientOf(server.Url);
        (await TakeAsync(client)).Run!.Dispose();
        using (var next = (await TakeAsync(client)).Run)
            Assert.Null(await next!.UndoAsync(TestTimeout.Hang));

        Assert.Equal([Lock, Lock], server.Requests.Select(request => request.Line));
        Assert.True((await TakeAsync(client)).Run!.IsAdopted);
    }

    [Fact]
    public async Task A_slot_is_not_released_while_it_cannot_be_told_what_runs_under_it()
    {
        await using var server = WithGrants("new", "released");
        using var client = Exchange.ClientOf(server.Url);
        using var run = (await TakeAsync(client)).Run;
        var note = Directory.GetFiles(_directory.FullName, "*.note").Single();
        Directory.CreateDirectory(Path.ChangeExtension(note, ".ending"));

        var result = await run!.ReleaseAsync(SlotRun.ReleaseTimeout, null, TestContext.Current.CancellationToken);

        Assert.Equal((FleetLockStatus.Refused, "client_run_held"), (result.Status, result.Kind));
        Assert.Contains(note, result.Message, StringComparison.Ordinal);
        Assert.Single(server.Requests);
    }

    /// <summary>All locks had one grant id, and what ended them named it.</summary>
    private static void AssertUndone(RawServer server, int locks)
    {
        var grantId = server.Requests[0].Header("FleetLock-Grant");
        Assert.Equal(Enumerable.Repeat(grantId, locks), server.Requests.Take(locks).Select(request => request.Header("FleetLock-Grant")));
        Assert.Equal(
            [.. Enumerable.Repeat(Lock, locks), $"DELETE /v1/groups/workers/grants/{grantId}?id=node1&reason=undo HTTP/1.1"],
            server.Requests.Select(request => request.Line));
    }

    private Task<(FleetLockResult Result, SlotRun? Run)> TakeAsync(
        FleetLockClient client,
        string group = "workers",
        IReadOnlyList<string>? ids = null,
        WaitPolicy? wait = null,
        CancellationToken? cancellationToken = null) =>
        SlotRun.TakeAsync(
            client,
            new SlotWaiter(_clock, () => 0),
            new RunScope(client.Server.ToString()),
            group,
            ids ?? ["node1"],
            wait,
            null,
            _leaks.Add,
            cancellationToken ?? TestContext.Current.CancellationToken,
            _directory.FullName);

    private static void AssertSameGrant(RawRequest first, RawRequest second) => Assert.Equal(first.Header("FleetLock-Grant"), second.Header("FleetLock-Grant"));

    /// <summary>A server with grants, which answers a lock and the release of a grant with these states.</summary>
    private static RawServer WithGrants(string lockStatus, string releaseStatus) => new(request =>
    {
        var isLock = request.Line == Lock;
        var grantId = isLock ? request.Header("FleetLock-Grant") : request.Line.Split('/', '?')[5];
        return RawAnswer.Http(200, "", $"FleetLock-Grant: {grantId}", $"FleetLock-Grant-Status: {(isLock ? lockStatus : releaseStatus)}");
    });
}
