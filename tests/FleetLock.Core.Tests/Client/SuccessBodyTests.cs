using FleetLock.TestKit;

namespace FleetLock.Core.Tests;

/// <summary>Rule 6: the body of a 200 decides nothing, neither by what it says nor by how it ends.</summary>
public sealed class SuccessBodyTests
{
    public static readonly MatrixTheoryData<FleetLockOperation, string> Bodies = new(
        Exchange.Operations,
        [
            "ok",
            "<html><body>Please log in</body></html>",
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
            "Transfer-Encoding: chunked",
            "Content-Type: nonsense;;;",
            "Content-Encoding: gzip",
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

    private static void AssertSuccess(FleetLockOperation operation, FleetLockResult result)
    {
        Assert.Equal(operation == FleetLockOperation.Lock ? FleetLockStatus.Granted : FleetLockStatus.Released, result.Status);
        Assert.Equal(200, result.HttpStatus);
        Assert.False(result.OutcomeUnknown);
    }
}
