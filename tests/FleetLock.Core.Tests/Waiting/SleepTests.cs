namespace FleetLock.Core.Tests;

/// <summary>How long the waiting loop sleeps between two tries.</summary>
[Trait("Lane", "Fast")]
public sealed class SleepTests
{
    public static readonly TheoryData<int, double[]> Intervals = new()
    {
        { 30, [1, 2, 4, 8, 16, 30, 30, 30] },
        { 10, [1, 2, 4, 8, 10, 10] },
        { 2, [1, 2, 2, 2] },
        { 1, [1, 1, 1] },
        { 3600, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3600, 3600] },
    };

    public static readonly TheoryData<double, double[]> Jitter = new()
    {
        { 0, [1, 2, 4] },
        { 0.5, [1.05, 2.1, 4.2] },
        { 0.9, [1.09, 2.18, 4.36] },
    };

    public static readonly TheoryData<double, double> Asked = new()
    {
        { 0, 1 },
        { 0.2, 1 },
        { 1, 1 },
        { 7, 7 },
        { 45, 45 },
        { 300, 300 },
        { 301, 300 },
        { 86400, 300 },
    };

    [Theory]
    [MemberData(nameof(Intervals))]
    public async Task The_sleeps_double_from_one_second_up_to_the_interval(int interval, double[] expected)
    {
        var policy = new WaitPolicy { RetryInterval = TimeSpan.FromSeconds(interval) };

        Assert.Equal(expected, await SleepsOfAsync(expected.Length, policy));
    }

    [Fact]
    public async Task The_interval_is_30_seconds_by_default() => Assert.Equal(30, (await SleepsOfAsync(20, new WaitPolicy())).Max());

    [Fact]
    public async Task A_wait_of_a_thousand_tries_does_not_overflow() =>
        Assert.All(await SleepsOfAsync(1000, new WaitPolicy { RetryInterval = TimeSpan.FromDays(7) }), sleep => Assert.InRange(sleep, 1, 7 * 86400));

    [Theory]
    [MemberData(nameof(Jitter))]
    public async Task The_jitter_adds_up_to_a_tenth(double random, double[] expected)
    {
        var sleeps = await SleepsOfAsync(3, new WaitPolicy(), random: random);

        // Timers count whole milliseconds.
        Assert.All(sleeps.Zip(expected), pair => Assert.Equal(pair.Second, pair.First, tolerance: 0.002));
    }

    [Theory]
    [MemberData(nameof(Asked))]
    public async Task Retry_After_is_obeyed_from_one_second_to_five_minutes(double seconds, double expected)
    {
        var policy = new WaitPolicy { RetryInterval = TimeSpan.FromSeconds(30) };

        Assert.Equal([expected, expected], await SleepsOfAsync(2, policy, TimeSpan.FromSeconds(seconds)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.5)]
    [InlineData(0.999)]
    public async Task The_jitter_never_wakes_earlier_than_the_server_asked(double random) =>
        Assert.All(await SleepsOfAsync(5, new WaitPolicy(), TimeSpan.FromSeconds(20), random), sleep => Assert.InRange(sleep, 20, 22));

    [Fact]
    public async Task The_deadline_comes_before_Retry_After()
    {
        var policy = new WaitPolicy { Timeout = TimeSpan.FromSeconds(5) };

        Assert.Equal([5], await SleepsOfAsync(100, policy, TimeSpan.FromSeconds(60)));
    }

    /// <summary>The sleeps between a number of busy answers and a grant.</summary>
    private static async Task<IEnumerable<double>> SleepsOfAsync(int busy, WaitPolicy policy, TimeSpan? retryAfter = null, double random = 0)
    {
        var clock = new SleeplessClock();
        var attempts = new ScriptedAttempts(
            [.. Enumerable.Repeat(ScriptedAttempts.Of(FleetLockStatus.Busy, retryAfter: retryAfter), busy), ScriptedAttempts.Of(FleetLockStatus.Granted)]);
        await new SlotWaiter(clock, () => random).WaitAsync(attempts.NextAsync, policy, null, TestContext.Current.CancellationToken);
        return clock.Sleeps.Select(sleep => sleep.TotalSeconds);
    }
}
