using FleetLock.TestKit;

namespace FleetLock.Core.Tests;

/// <summary>Rule 8: the caller's cancellation is the caller's, and says that the outcome is unknown.</summary>
public sealed class CancellationTests
{
    public static readonly TheoryData<FleetLockOperation, string> Waits = new()
    {
        { FleetLockOperation.Lock, "" },
        { FleetLockOperation.Lock, "HTTP/1.1 200 OK\r\n" },
        { FleetLockOperation.Lock, "HTTP/1.1 500 Oops\r\nContent-Length: 9\r\n\r\n{" },
        { FleetLockOperation.Unlock, "" },
        { FleetLockOperation.Unlock, "HTTP/1.1 500 Oops\r\nContent-Length: 9\r\n\r\n{" },
    };

    [Theory]
    [MemberData(nameof(Waits))]
    public async Task A_cancelled_request_throws_with_the_callers_token_and_says_that_the_outcome_is_unknown(
        FleetLockOperation operation, string half)
    {
        using var cancellation = new CancellationTokenSource();
        await using var server = new RawServer(RawAnswer.Of(half).ThenSilence());
        using var client = Exchange.ClientOf(server.Url);

        var request = client.SendAsync(operation, cancellation.Token);
        await server.Asked;
        await cancellation.CancelAsync();

        var cancelled = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
        Assert.Equal(cancellation.Token, cancelled.CancellationToken);
        Assert.Contains(Advice.UnknownOutcome(operation), cancelled.Message, StringComparison.Ordinal);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task A_request_that_is_cancelled_beforehand_is_not_sent()
    {
        await using var server = new RawServer(RawAnswer.Http(200));
        using var client = Exchange.ClientOf(server.Url);
        var cancelled = new CancellationToken(canceled: true);

        var thrown = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.SendAsync(FleetLockOperation.Lock, cancelled));

        Assert.Equal(cancelled, thrown.CancellationToken);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task A_cancellation_wins_over_a_transport_failure_that_it_causes()
    {
        using var cancellation = new CancellationTokenSource();
        await using var server = new RawServer(RawAnswer.Of("HTTP/1.1 409 Conflict\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n").ThenSilence());
        using var client = Exchange.ClientOf(server.Url, Timeout.InfiniteTimeSpan);

        var request = client.SendAsync(FleetLockOperation.Lock, cancellation.Token);
        await server.Asked;
        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
    }
}
