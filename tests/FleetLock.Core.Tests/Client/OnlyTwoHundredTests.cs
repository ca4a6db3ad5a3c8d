using FleetLock.TestKit;

namespace FleetLock.Core.Tests;

/// <summary>Rule 1: only exactly 200 is granted.</summary>
public sealed class OnlyTwoHundredTests
{
    public static readonly MatrixTheoryData<FleetLockOperation, int> OtherCodes = new(
        Exchange.Operations,
        [
            201, 202, 203, 204, 205, 206, 207, 208, 226, 250, 299,
            300, 301, 302, 303, 304, 305, 306, 307, 308, 399,
            400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 415, 418, 421, 422, 423, 425, 426, 428, 429, 431, 451, 499,
            500, 501, 502, 503, 504, 505, 507, 508, 511, 520, 599,
            600, 700, 999,
        ]);

    public static readonly MatrixTheoryData<FleetLockOperation, string> LookAlikes = new(
        Exchange.Operations,
        [
            "HTTP/1.1 2000 OK",
            "HTTP/1.1 20 OK",
            "HTTP/1.1 +200 OK",
            "HTTP/1.1 -200 OK",
            "HTTP/1.1 0200 OK",
            "HTTP/1.1 0x200 OK",
            "HTTP/1.1 200OK",
            "HTTP/1.1 2OO OK",
            "HTTP/1.1 \u00b200 OK",
            "HTTP/1.1 OK 200",
            "HTTP/1.1200 OK",
            "HTTP 200 OK",
            "ICY 200 OK",
            "200 OK",
            "Status: 200 OK",
            "HTTP/1.1 000 OK",
            "HTTP/1.1 409 200 OK",
        ]);

    [Theory]
    [InlineData(FleetLockOperation.Lock, FleetLockStatus.Granted)]
    [InlineData(FleetLockOperation.Unlock, FleetLockStatus.Released)]
    public async Task Exactly_200_is_a_success(FleetLockOperation operation, FleetLockStatus expected)
    {
        var result = await Exchange.OfAsync(operation, RawAnswer.Http(200));

        Assert.Equal(expected, result.Status);
        Assert.True(result.IsSuccess);
        Assert.Equal(200, result.HttpStatus);
        Assert.Null(result.Kind);
        Assert.False(result.OutcomeUnknown);
        Assert.Equal(1, result.Attempts);
        Assert.Same(result, result.EnsureSuccess());
    }

    [Theory]
    [MemberData(nameof(OtherCodes))]
    public async Task Every_other_code_is_a_failure_whatever_its_body_says(FleetLockOperation operation, int status)
    {
        var result = await Exchange.OfAsync(operation, RawAnswer.Http(status, """{"kind":"granted","value":"slot granted"}"""));

        Assert.False(result.IsSuccess);
        Assert.Equal(status, result.HttpStatus);
        Assert.NotNull(result.Kind);
        Assert.Throws<FleetLockException>(result.EnsureSuccess);
    }

    [Theory]
    [InlineData(FleetLockOperation.Lock)]
    [InlineData(FleetLockOperation.Unlock)]
    public async Task A_202_is_pending_and_not_granted(FleetLockOperation operation)
    {
        var result = await Exchange.OfAsync(operation, RawAnswer.Http(202, """{"kind":"waiting_for_node_drain","value":"the node is being drained"}"""));

        Assert.Equal(FleetLockStatus.Pending, result.Status);
        Assert.Equal("waiting_for_node_drain", result.Kind);
    }

    [Theory]
    [MemberData(nameof(LookAlikes))]
    public async Task A_status_line_that_only_looks_like_200_is_a_failure(FleetLockOperation operation, string line)
    {
        var result = await Exchange.OfAsync(operation, RawAnswer.Of(line + "\r\nContent-Length: 0\r\n\r\n").ThenClose());

        Assert.False(result.IsSuccess);
    }

    [Theory]
    [InlineData(FleetLockOperation.Lock, 100)]
    [InlineData(FleetLockOperation.Lock, 102)]
    [InlineData(FleetLockOperation.Lock, 103)]
    [InlineData(FleetLockOperation.Lock, 199)]
    [InlineData(FleetLockOperation.Unlock, 100)]
    [InlineData(FleetLockOperation.Unlock, 103)]
    public async Task An_interim_answer_decides_nothing(FleetLockOperation operation, int interim)
    {
        var answer = $"HTTP/1.1 {interim} Interim\r\n\r\n";

        var broken = await Exchange.OfAsync(operation, RawAnswer.Of(answer).ThenClose());
        var busy = await Exchange.OfAsync(operation, RawAnswer.Of(answer + "HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\n\r\n"));

        Assert.False(broken.IsSuccess);
        Assert.True(broken.OutcomeUnknown);
        Assert.False(busy.IsSuccess);
        Assert.Equal(409, busy.HttpStatus);
    }

    [Theory]
    [InlineData(FleetLockOperation.Lock)]
    [InlineData(FleetLockOperation.Unlock)]
    public async Task An_upgrade_to_another_protocol_is_a_protocol_error(FleetLockOperation operation)
    {
        var result = await Exchange.OfAsync(operation, RawAnswer.Of("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n").ThenClose());

        Assert.Equal(FleetLockStatus.ProtocolError, result.Status);
        Assert.Equal(101, result.HttpStatus);
    }
}
