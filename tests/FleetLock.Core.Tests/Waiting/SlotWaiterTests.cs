using Microsoft.Extensions.Time.Testing;

namespace FleetLock.Core.Tests;

/// <summary>The waiting loop: when it goes on, when it stops, and what it then says.</summary>
[Trait("Lane", "Fast")]
public sealed class SlotWaiterTests
{
    private static readonly FleetLockResult Granted = ScriptedAttempts.Of(FleetLockStatus.Granted);
    private static readonly FleetLockResult Busy = ScriptedAttempts.Of(FleetLockStatus.Busy, "all 1 semaphore slots currently locked");
    private static readonly FleetLockResult Lost = ScriptedAttempts.Of(FleetLockStatus.TimedOut, "no answer") with { OutcomeUnknown = true };

    private readonly SleeplessClock _clock = new();

    [Theory]
    [InlineData(FleetLockStatus.Granted)]
    [InlineData(FleetLockStatus.Released)]
    [InlineData(FleetLockStatus.Refused)]
    [InlineData(FleetLockStatus.ProtocolError)]
    public async Task What_waiting_cannot_change_ends_it_at_once(FleetLockStatus status)
    {
        var attempts = new ScriptedAttempts(ScriptedAttempts.Of(status));

        var result = await WaitAsync(attempts, new WaitPolicy());

        Assert.Equal(status, result.Status);
        Assert.Equal(1, attempts.Count);
        Assert.Empty(_clock.Sleeps);
        Assert.False(SlotWaiter.IsCurable(status));
    }

    [Theory]
    [InlineData(FleetLockStatus.Busy)]
    [InlineData(FleetLockStatus.Pending)]
    [InlineData(FleetLockStatus.Unreachable)]
    [InlineData(FleetLockStatus.TimedOut)]
    public async Task What_may_pass_is_waited_for(FleetLockStatus status)
    {
        var attempts = new ScriptedAttempts(ScriptedAttempts.Of(status), ScriptedAttempts.Of(status), Granted);

        var result = await WaitAsync(attempts, new WaitPolicy());

        Assert.Equal(FleetLockStatus.Granted, result.Status);
        Assert.Equal(3, attempts.Count);
        Assert.True(SlotWaiter.IsCurable(status));
    }

    [Theory]
    [InlineData(FleetLockStatus.Refused)]
    [InlineData(FleetLockStatus.ProtocolError)]
    public async Task A_hopeless_answer_ends_a_wait_that_has_begun(FleetLockStatus status)
    {
        var attempts = new ScriptedAttempts(Busy, Busy, ScriptedAttempts.Of(status));

        Assert.Equal(status, (await WaitAsync(attempts, new WaitPolicy())).Status);
        Assert.Equal(3, attempts.Count);
    }

    [Fact]
    public async Task There_is_one_last_try_at_the_deadline()
    {
        var attempts = new ScriptedAttempts(Busy);

        await WaitAsync(attempts, new WaitPolicy { Timeout = TimeSpan.FromSeconds(10) });

        Assert.Equal([1, 2, 4, 3], _clock.Sleeps.Select(sleep => sleep.TotalSeconds));
        Assert.Equal(5, attempts.Count);
    }

    [Fact]
    public async Task There_is_only_one_last_try_though_timers_count_whole_milliseconds()
    {
        var attempts = new ScriptedAttempts(Busy) { OnAttempt = () => _clock.Advance(TimeSpan.FromMilliseconds(0.3)) };

        await WaitAsync(attempts, new WaitPolicy { Timeout = TimeSpan.FromSeconds(2) });

        Assert.Equal(3, attempts.Count);
    }

    [Fact]
    public async Task The_last_try_may_be_the_one_that_is_granted()
    {
        var attempts = new ScriptedAttempts(Busy, Busy, Granted);

        var result = await WaitAsync(attempts, new WaitPolicy { Timeout = TimeSpan.FromSeconds(2) });

        Assert.Equal(FleetLockStatus.Granted, result.Status);
        Assert.Equal([1, 1], _clock.Sleeps.Select(sleep => sleep.TotalSeconds));
    }

    [Fact]
    public async Task When_the_time_is_over_the_message_holds_the_last_answer()
    {
        var result = await WaitAsync(new ScriptedAttempts(Busy), new WaitPolicy { Timeout = TimeSpan.FromSeconds(10) });

        Assert.Equal(FleetLockStatus.TimedOut, result.Status);
        Assert.Contains(" 10 s; ", result.Message, StringComparison.Ordinal);
        Assert.EndsWith(Busy.Message, result.Message, StringComparison.Ordinal);
        Assert.Equal("a_kind", result.Kind);
        Assert.Equal(409, result.HttpStatus);
        Assert.False(result.OutcomeUnknown);
    }

    [Fact]
    public async Task A_wait_for_a_release_says_so()
    {
        var limit = new WaitPolicy { Timeout = TimeSpan.FromSeconds(1) };
        var attempts = new ScriptedAttempts(Busy with { Operation = FleetLockOperation.Unlock });

        var released = await WaitAsync(attempts, limit);
        var granted = await WaitAsync(new ScriptedAttempts(Busy), limit);

        Assert.NotEqual(granted.Message, released.Message);
    }

    [Fact]
    public async Task Without_time_there_is_one_try_and_no_sleep()
    {
        var attempts = new ScriptedAttempts(Busy);

        var result = await WaitAsync(attempts, new WaitPolicy { Timeout = TimeSpan.Zero });

        Assert.Equal(FleetLockStatus.TimedOut, result.Status);
        Assert.Equal(1, attempts.Count);
        Assert.Empty(_clock.Sleeps);
    }

    [Fact]
    public async Task A_try_that_outlasts_the_deadline_is_the_last()
    {
        var attempts = new ScriptedAttempts(Busy) { OnAttempt = () => _clock.Advance(TimeSpan.FromSeconds(60)) };

        var result = await WaitAsync(attempts, new WaitPolicy { Timeout = TimeSpan.FromSeconds(30) });

        Assert.Equal(FleetLockStatus.TimedOut, result.Status);
        Assert.Equal(TimeSpan.FromSeconds(60), result.Elapsed);
        Assert.Empty(_clock.Sleeps);
    }

    [Fact]
    public async Task A_grant_after_the_deadline_is_a_grant()
    {
        var attempts = new ScriptedAttempts(Granted) { OnAttempt = () => _clock.Advance(TimeSpan.FromSeconds(60)) };

        Assert.Equal(FleetLockStatus.Granted, (await WaitAsync(attempts, new WaitPolicy { Timeout = TimeSpan.FromSeconds(30) })).Status);
    }

    [Fact]
    public async Task Requests_and_time_of_all_tries_are_summed()
    {
        var attempts = new ScriptedAttempts(Busy with { Attempts = 5 }, Busy, Granted with { Attempts = 2 }) { OnAttempt = () => _clock.Advance(TimeSpan.FromSeconds(10)) };

        var result = await WaitAsync(attempts, new WaitPolicy());

        Assert.Equal(8, result.Attempts);
        Assert.Equal(TimeSpan.FromSeconds(33), result.Elapsed);
    }

    [Fact]
    public async Task A_lost_answer_leaves_the_outcome_unknown_though_later_ones_say_busy()
    {
        var result = await WaitAsync(new ScriptedAttempts(Lost, Busy), new WaitPolicy { Timeout = TimeSpan.FromSeconds(10) });

        Assert.Equal(FleetLockStatus.TimedOut, result.Status);
        Assert.True(result.OutcomeUnknown);
    }

    [Fact]
    public async Task A_lost_answer_leaves_the_outcome_unknown_though_the_last_one_refuses() =>
        Assert.True((await WaitAsync(new ScriptedAttempts(Lost, ScriptedAttempts.Of(FleetLockStatus.Refused)), new WaitPolicy())).OutcomeUnknown);

    [Fact]
    public async Task A_grant_settles_what_a_lost_answer_left_open() =>
        Assert.False((await WaitAsync(new ScriptedAttempts(Lost, Granted), new WaitPolicy())).OutcomeUnknown);

    [Theory]
    [InlineData(true, FleetLockStatus.Released)]
    [InlineData(false, FleetLockStatus.Refused)]
    public async Task A_release_that_finds_nothing_is_done_if_an_earlier_answer_was_lost(bool isLost, FleetLockStatus expected)
    {
        var notHeld = ScriptedAttempts.Of(FleetLockStatus.Refused) with { Operation = FleetLockOperation.Unlock, Kind = ErrorKinds.NotHeld };
        var attempts = new ScriptedAttempts([isLost ? Lost : Busy, notHeld]);

        var result = await WaitAsync(attempts, new WaitPolicy());

        Assert.Equal((expected, expected == FleetLockStatus.Refused ? ErrorKinds.NotHeld : null), (result.Status, result.Kind));
        Assert.False(result.OutcomeUnknown);
    }

    [Fact]
    public async Task Each_try_that_is_followed_by_another_is_told()
    {
        var steps = new List<WaitStep>();

        await WaitAsync(new ScriptedAttempts(Busy, Lost, Granted), new WaitPolicy(), steps.Add);

        Assert.Collection(
            steps,
            step =>
            {
                Assert.Equal((1, TimeSpan.Zero, TimeSpan.FromSeconds(1)), (step.Attempt, step.Waited, step.NextTry));
                Assert.Equal(FleetLockStatus.Busy, step.Result.Status);
            },
            step =>
            {
                Assert.Equal((2, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2)), (step.Attempt, step.Waited, step.NextTry));
                Assert.Equal((FleetLockStatus.TimedOut, 2), (step.Result.Status, step.Result.Attempts));
            });
    }

    [Fact]
    public async Task A_cancellation_ends_a_sleep()
    {
        // A clock that stands still: the wait is asleep when WaitAsync returns, for all before the sleep is done at once.
        using var cancellation = new CancellationTokenSource();
        var attempts = new ScriptedAttempts(Busy);
        var wait = new SlotWaiter(new FakeTimeProvider(), () => 0).WaitAsync(attempts.NextAsync, new WaitPolicy(), null, cancellation.Token);
        Assert.False(wait.IsCompleted);

        await cancellation.CancelAsync();

        var cancelled = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => wait);
        Assert.Equal(cancellation.Token, cancelled.CancellationToken);
        Assert.Equal(1, attempts.Count);
    }

    [Fact]
    public async Task A_cancellation_between_a_try_and_its_sleep_ends_the_wait()
    {
        using var cancellation = new CancellationTokenSource();
        var attempts = new ScriptedAttempts(Busy);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            WaitAsync(attempts, new WaitPolicy(), _ => cancellation.Cancel(), cancellation.Token));

        Assert.Equal(1, attempts.Count);
    }

    [Fact]
    public async Task The_token_reaches_the_tries()
    {
        using var cancellation = new CancellationTokenSource();
        var seen = default(CancellationToken);

        await new SlotWaiter(_clock, () => 0).WaitAsync(
            (_, token) =>
            {
                seen = token;
                return Task.FromResult(Granted);
            },
            new WaitPolicy(),
            null,
            cancellation.Token);

        Assert.Equal(cancellation.Token, seen);
    }

    private Task<FleetLockResult> WaitAsync(
        ScriptedAttempts attempts, WaitPolicy policy, Action<WaitStep>? onStep = null, CancellationToken? cancellationToken = null) =>
        new SlotWaiter(_clock, () => 0).WaitAsync(attempts.NextAsync, policy, onStep, cancellationToken ?? TestContext.Current.CancellationToken);
}
