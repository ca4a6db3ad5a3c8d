using FleetLock.TestKit;
using Microsoft.Extensions.Time.Testing;

namespace FleetLock.Core.Tests;

/// <summary>The body of a 200 decides nothing, neither by what it says nor by how it ends, unless it is a web page or does not begin.</summary>
public sealed class SuccessBodyTests
{
    public static readonly MatrixTheoryData<FleetLockOperation, string> Bodies = new(
        Exchange.Operations,
        [
            "ok",
            """{"kind":"failed_lock_semaphore_full","value":"all slots are locked"}""",
            """{"error":"no"}""",
            """{"kind":"error""",
            "null",
            "\u0000\u00ff\u00fe",
        ]);

    public static readonly MatrixTheoryData<FleetLockOperation, string> Heads = new(
        Exchange.Operations,
        [
            "Content-Length: 100",
            "Content-Length: 9223372036854775807",
            "Content-Length: banana",
            "Content-Length: -1",
            "Content-Type: nonsense;;;",
            "X-Nothing: in particular",
        ]);

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task A_200_is_a_success_whatever_its_body_says(FleetLockOperation operation, string body) =>
        AssertSuccess(operation, await Exchange.OfAsync(operation, RawAnswer.Http(200, body, "Content-Type: application/json")));

    [Theory]
    [MemberData(nameof(Heads))]
    public async Task A_200_is_a_success_though_its_body_is_cut_short(FleetLockOperation operation, string header) =>
        AssertSuccess(operation, await Exchange.OfAsync(operation, RawAnswer.Of($"HTTP/1.1 200 OK\r\n{header}\r\n\r\nzz").ThenClose()));

    [Theory]
    [MemberData(nameof(Heads))]
    public async Task A_200_is_a_success_at_once_though_its_body_never_ends(FleetLockOperation operation, string header) =>
        AssertSuccess(operation, await Exchange.OfAsync(operation, RawAnswer.Of($"HTTP/1.1 200 OK\r\n{header}\r\n\r\nzz").ThenSilence()));

    [Theory]
    [InlineData(FleetLockOperation.Lock)]
    [InlineData(FleetLockOperation.Unlock)]
    public async Task A_200_is_a_success_though_its_body_is_endless(FleetLockOperation operation) =>
        AssertSuccess(operation, await Exchange.OfAsync(operation, RawAnswer.Of("HTTP/1.1 200 OK\r\n\r\n").ThenEndless("no end ")));

    [Theory]
    [InlineData("HTTP/1.1 200\r\n\r\n")]
    [InlineData("HTTP/1.1 200 \r\n\r\n")]
    [InlineData("HTTP/1.0 200 OK\r\n\r\n")]
    [InlineData("HTTP/1.1 200 Full\r\nContent-Length: 0\r\n\r\n")]
    public async Task The_reason_phrase_and_the_minor_version_decide_nothing(string answer) =>
        AssertSuccess(FleetLockOperation.Lock, await Exchange.OfAsync(FleetLockOperation.Lock, RawAnswer.Of(answer).ThenClose()));

    [Theory]
    [InlineData(FleetLockOperation.Lock, "Content-Length: 100")]
    [InlineData(FleetLockOperation.Lock, "Transfer-Encoding: chunked")]
    [InlineData(FleetLockOperation.Unlock, "Content-Length: 100")]
    public async Task A_200_whose_body_breaks_off_before_it_begins_leaves_the_outcome_unknown(FleetLockOperation operation, string header)
    {
        var result = await Exchange.OfAsync(operation, RawAnswer.Of($"HTTP/1.1 200 OK\r\n{header}\r\n\r\n").ThenClose());

        Assert.Equal((FleetLockStatus.Unreachable, true), (result.Status, result.OutcomeUnknown));
    }

    [Fact]
    public async Task A_200_whose_body_does_not_begin_within_ten_seconds_leaves_the_outcome_unknown()
    {
        var clock = new FakeTimeProvider();
        await using var server = new RawServer(RawAnswer.Of("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n\r\n").ThenSilence());
        using var client = Exchange.ClientOf(server.Url, Timeout.InfiniteTimeSpan, clock);
        var locking = client.LockAsync("workers", "node1", TestContext.Current.CancellationToken);
        while (!locking.IsCompleted)
        {
            clock.Advance(TimeSpan.FromSeconds(10));
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }

        var result = await locking;
        Assert.Equal((FleetLockStatus.TimedOut, 200, true), (result.Status, result.HttpStatus, result.OutcomeUnknown));
        Assert.Contains("within 10 s", result.Message, StringComparison.Ordinal);
    }

    private static void AssertSuccess(FleetLockOperation operation, FleetLockResult result)
    {
        Assert.Equal(operation == FleetLockOperation.Lock ? FleetLockStatus.Granted : FleetLockStatus.Released, result.Status);
        Assert.Equal(200, result.HttpStatus);
        Assert.False(result.OutcomeUnknown);
    }
}
