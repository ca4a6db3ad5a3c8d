using FleetLock.TestKit;
using Microsoft.Extensions.Time.Testing;

namespace FleetLock.Core.Tests;

/// <summary><c>Prefer: wait=N</c> (RFC 7240): a server that can hold a request does the waiting, and one that cannot makes no hot loop.</summary>
public sealed class PreferTests
{
    private static readonly FleetLockResult Granted = ScriptedAttempts.Of(FleetLockStatus.Granted);
    private static readonly FleetLockResult Busy = ScriptedAttempts.Of(FleetLockStatus.Busy);
    private static readonly FleetLockResult BusyAfterWait = Busy with { ServerWaited = true };

    private readonly SleeplessClock _clock = new();

    /// <summary>The seconds to hold, the request's time-out in seconds (0 is none), and the header.</summary>
    public static readonly TheoryData<double, double, string?> Headers = new()
    {
        { 0, 100, null },
        { 0.9, 100, null },
        { -5, 100, null },
        { 1, 100, "wait=1" },
        { 12.7, 100, "wait=12" },
        { 30, 100, "wait=30" },
        { 30, 30, "wait=27" },
        { 30, 20, "wait=18" },
        { 30, 2, "wait=1" },
        { 30, 1, null },
        { 30, 0, "wait=30" },
    };

    public static readonly TheoryData<string, bool> Applied = new()
    {
        { "Preference-Applied: wait=30", true },
        { "Preference-Applied: wait=5", true },
        { "preference-applied:  WAIT=5", true },
        { "Preference-Applied: wait", true },
        { "Preference-Applied: respond-async, wait=5", true },
        { "Preference-Applied: return=minimal", false },
        { "Preference-Applied: waiting=5", false },
        { "Preference-Applied:", false },
        { "Prefer: wait=30", false },
        { "X-Other: wait=30", false },
    };

    [Theory]
    [MemberData(nameof(Headers))]
    public async Task The_header_is_whole_seconds_well_within_the_time_out(double hold, double timeout, string? expected)
    {
        await using var server = new RawServer(RawAnswer.Http(200));
        using var client = Exchange.ClientOf(server.Url, timeout == 0 ? Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(timeout), new FakeTimeProvider());

        await client.LockAsync(Exchange.Group, Exchange.Id, TimeSpan.FromSeconds(hold), TestContext.Current.CancellationToken);

        Assert.Equal(expected, Assert.Single(server.Requests).Header("Prefer"));
    }

    [Theory]
    [MemberData(nameof(Applied))]
    public async Task A_server_that_has_waited_says_so_in_a_header(string header, bool expected)
    {
        var result = await Exchange.OfAsync(FleetLockOperation.Lock, RawAnswer.Http(409, "", header));

        Assert.Equal(expected, result.ServerWaited);
    }

    [Fact]
    public async Task The_first_try_asks_for_an_answer_at_once_and_the_later_ones_to_be_held()
    {
        await using var server = new RawServer(RawAnswer.Http(503), RawAnswer.Http(503), RawAnswer.Http(503), RawAnswer.Http(200));
        using var client = Exchange.ClientOf(server.Url, TimeSpan.FromSeconds(30), new FakeTimeProvider());

        var result = await new SlotWaiter(_clock, () => 0).WaitAsync(
            (hold, token) => client.LockAsync(Exchange.Group, Exchange.Id, hold, token),
            new WaitPolicy(),
            null,
            TestContext.Current.CancellationToken);

        Assert.True(result.IsSuccess);
        Assert.Equal([null, "wait=27", "wait=27", "wait=27"], server.Requests.Select(request => request.Header("Prefer")));
    }

    [Fact]
    public async Task An_unlock_never_asks_to_be_held()
    {
        await using var server = new RawServer(RawAnswer.Http(200));
        using var client = Exchange.ClientOf(server.Url);

        await client.SendAsync(FleetLockOperation.Unlock);

        Assert.Null(Assert.Single(server.Requests).Header("Prefer"));
    }

    [Fact]
    public async Task A_request_is_held_for_30_seconds_at_most()
    {
        var attempts = new ScriptedAttempts(Busy, Busy, Busy, Granted);

        await StepsOfAsync(attempts, new WaitPolicy());

        Assert.Equal([0, 30, 30, 30], attempts.Holds.Select(hold => hold.TotalSeconds));
    }

    [Fact]
    public async Task A_request_is_held_no_longer_than_the_time_that_is_left_and_the_last_one_not_at_all()
    {
        var attempts = new ScriptedAttempts(Busy);

        await StepsOfAsync(attempts, new WaitPolicy { Timeout = TimeSpan.FromSeconds(10) });

        Assert.Equal([0, 9, 7, 3, 0], attempts.Holds.Select(hold => hold.TotalSeconds));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(30)]
    public async Task A_server_that_has_held_the_request_is_asked_again_at_once(double seconds)
    {
        var attempts = new ScriptedAttempts(BusyAfterWait, BusyAfterWait, Granted) { OnAttempt = () => _clock.Advance(TimeSpan.FromSeconds(seconds)) };

        var steps = await StepsOfAsync(attempts, new WaitPolicy());

        Assert.Equal([TimeSpan.Zero, TimeSpan.Zero], steps.Select(step => step.NextTry));
        Assert.Equal(3, attempts.Count);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.01)]
    [InlineData(0.999)]
    public async Task A_server_that_only_claims_to_have_held_it_makes_no_hot_loop(double seconds)
    {
        var attempts = new ScriptedAttempts(BusyAfterWait, BusyAfterWait, BusyAfterWait, Granted) { OnAttempt = () => _clock.Advance(TimeSpan.FromSeconds(seconds)) };

        var steps = await StepsOfAsync(attempts, new WaitPolicy());

        Assert.Equal([1, 2, 4], steps.Select(step => step.NextTry.TotalSeconds));
    }

    [Fact]
    public async Task A_server_that_takes_its_time_without_a_word_has_not_held_it()
    {
        var attempts = new ScriptedAttempts(Busy, Granted) { OnAttempt = () => _clock.Advance(TimeSpan.FromSeconds(20)) };

        Assert.Equal(1, Assert.Single(await StepsOfAsync(attempts, new WaitPolicy())).NextTry.TotalSeconds);
    }

    [Fact]
    public async Task A_wait_that_the_server_has_done_ends_at_the_deadline_too()
    {
        var attempts = new ScriptedAttempts(BusyAfterWait) { OnAttempt = () => _clock.Advance(TimeSpan.FromSeconds(30)) };

        await StepsOfAsync(attempts, new WaitPolicy { Timeout = TimeSpan.FromSeconds(60) });

        Assert.Equal(2, attempts.Count);
    }

    private async Task<List<WaitStep>> StepsOfAsync(ScriptedAttempts attempts, WaitPolicy policy)
    {
        var steps = new List<WaitStep>();
        await new SlotWaiter(_clock, () => 0).WaitAsync(attempts.NextAsync, policy, steps.Add, TestContext.Current.CancellationToken);
        return steps;
    }

    [Theory]
    [InlineData(504, "generic_http_504")]
    [InlineData(524, "generic_http_524")]
    public async Task After_a_proxy_has_given_up_the_server_is_asked_at_once_to_hold_for_less_long(int status, string kind)
    {
        var cutOff = ScriptedAttempts.Of(FleetLockStatus.Unreachable) with { Kind = kind, HttpStatus = status };
        var steps = new List<WaitStep>();
        var attempts = ScriptEach(Busy, cutOff, BusyAfterWait, BusyAfterWait, Granted);

        var result = await new SlotWaiter(_clock, () => 0).WaitAsync(attempts.NextAsync, new WaitPolicy(), steps.Add, TestContext.Current.CancellationToken);

        Assert.True(result.IsSuccess);
        Assert.Equal([0, 30, 12, 12, 12], attempts.Holds.Select(hold => hold.TotalSeconds));
        Assert.Equal([1, 0, 0, 0], steps.Select(step => step.NextTry.TotalSeconds));
        Assert.Equal($"a proxy gave up after 15 s ({status})", steps[1].Result.Message);
    }

    [Theory]
    [InlineData(409, "generic_http_409")]
    [InlineData(503, "store_unavailable")]
    [InlineData(null, "client_failed_request")]
    public async Task Any_other_failure_changes_neither_the_hold_nor_the_sleep(int? status, string kind)
    {
        var failure = ScriptedAttempts.Of(FleetLockStatus.Unreachable) with { Kind = kind, HttpStatus = status };
        var steps = new List<WaitStep>();
        var attempts = ScriptEach(Busy, failure, Granted);

        await new SlotWaiter(_clock, () => 0).WaitAsync(attempts.NextAsync, new WaitPolicy(), steps.Add, TestContext.Current.CancellationToken);

        Assert.Equal([0, 30, 30], attempts.Holds.Select(hold => hold.TotalSeconds));
        Assert.Equal([1, 2], steps.Select(step => step.NextTry.TotalSeconds));
        Assert.Equal("the server's words", steps[1].Result.Message);
    }

    /// <summary>Each try but the first, which is not held, takes 15 seconds.</summary>
    private ScriptedAttempts ScriptEach(params FleetLockResult[] script)
    {
        var isFirst = true;
        return new ScriptedAttempts(script)
        {
            OnAttempt = () =>
            {
                if (!isFirst)
                    _clock.Advance(TimeSpan.FromSeconds(15));
                isFirst = false;
            },
        };
    }
}
