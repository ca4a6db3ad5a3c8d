using FleetLock.TestKit;
using Microsoft.Extensions.Time.Testing;

namespace FleetLock.Core.Tests;

/// <summary>Rule 8: the request's own time-out, and what it leaves open.</summary>
public sealed class TimeoutTests
{
    [Theory]
    [InlineData(FleetLockOperation.Lock, "may have granted")]
    [InlineData(FleetLockOperation.Unlock, "may have released")]
    public async Task Silence_times_out_and_leaves_the_outcome_unknown(FleetLockOperation operation, string warning)
    {
        var result = await Exchange.TimedOutAsync(operation, RawAnswer.Never);

        AssertUnknown(result);
        Assert.Contains(warning, Advice.For(result), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("HTTP/1.1 2")]
    [InlineData("HTTP/1.1 200")]
    [InlineData("HTTP/1.1 200 OK\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n")]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\n")]
    public async Task Silence_after_half_a_head_times_out_and_leaves_the_outcome_unknown(string half) =>
        AssertUnknown(await Exchange.TimedOutAsync(FleetLockOperation.Lock, RawAnswer.Of(half).ThenSilence()));

    [Fact]
    public async Task Silence_in_an_errors_body_times_out_but_the_code_has_settled_the_outcome()
    {
        var half = RawAnswer.Of("HTTP/1.1 409 Conflict\r\nContent-Length: 100\r\n\r\n{\"kind\":").ThenSilence();

        var result = await TestTimeout.LongEnoughAsync(LockAsync, result => result.HttpStatus is not null);

        Assert.Equal(FleetLockStatus.TimedOut, result.Status);
        Assert.Equal(ErrorKinds.ClientFailedRequest, result.Kind);
        Assert.Equal(409, result.HttpStatus);
        Assert.False(result.OutcomeUnknown);
        Assert.Matches(@"409 .* 127\.0\.0\.1:\d+ .* \d+ s", result.Message);

        async Task<FleetLockResult> LockAsync(int seconds)
        {
            await using var server = new RawServer(half);
            using var client = Exchange.ClientOf(server.Url, TimeSpan.FromSeconds(seconds));
            return await client.SendAsync(FleetLockOperation.Lock);
        }
    }

    [Fact]
    public async Task The_time_out_passes_when_its_time_is_over_and_not_before()
    {
        var clock = new FakeTimeProvider();
        await using var server = new RawServer(RawAnswer.Never);
        using var client = Exchange.ClientOf(server.Url, Exchange.FakeTimeout, clock);
        var request = client.SendAsync(FleetLockOperation.Lock);
        await server.Asked;

        clock.Advance(Exchange.FakeTimeout - TimeSpan.FromMilliseconds(1));
        Assert.False(request.IsCompleted);
        clock.Advance(TimeSpan.FromMilliseconds(1));

        Assert.Equal((FleetLockStatus.TimedOut, Exchange.FakeTimeout), ((await request).Status, (await request).Elapsed));
    }

    [Fact]
    public async Task A_time_out_is_no_cancellation_of_the_callers()
    {
        using var cancellation = new CancellationTokenSource();
        await using var server = new RawServer(RawAnswer.Never);

        var result = await Exchange.TimedOutAsync(server, client => client.SendAsync(FleetLockOperation.Lock, cancellation.Token));

        Assert.Equal(FleetLockStatus.TimedOut, result.Status);
    }

    [Fact]
    public async Task An_infinite_time_out_is_no_limit()
    {
        await using var server = new RawServer(RawAnswer.Http(200));
        using var client = Exchange.ClientOf(server.Url, Timeout.InfiniteTimeSpan);

        Assert.Equal(FleetLockStatus.Granted, (await client.SendAsync(FleetLockOperation.Lock)).Status);
    }

    private static void AssertUnknown(FleetLockResult result)
    {
        Assert.Equal(FleetLockStatus.TimedOut, result.Status);
        Assert.Equal(ErrorKinds.ClientFailedRequest, result.Kind);
        Assert.Null(result.HttpStatus);
        Assert.True(result.OutcomeUnknown);
        Assert.Matches(@" 127\.0\.0\.1:\d+ .* 30 s", result.Message);
    }
}
