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
}
