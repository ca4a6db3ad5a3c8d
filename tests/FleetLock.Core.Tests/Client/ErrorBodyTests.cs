using System.Text;
using FleetLock.TestKit;

namespace FleetLock.Core.Tests;

/// <summary>Rule 6: an error's body is read up to 64 KiB, as JSON whatever its content type says, and never by waiting for more than that.</summary>
public sealed class ErrorBodyTests
{
    private const int Limit = 64 * 1024;
    private const string Full = """{"kind":"failed_lock_semaphore_full","value":"all 1 semaphore slots currently locked"}""";

    [Theory]
    [InlineData("Content-Type: application/json")]
    [InlineData("Content-Type: text/plain; charset=utf-8")]
    [InlineData("Content-Type: text/html")]
    [InlineData("Content-Type: application/json; charset=klingon")]
    [InlineData("Content-Type: nonsense;;;")]
    [InlineData("Content-Encoding: gzip")]
    [InlineData("X-No: content type")]
    public async Task The_body_is_read_as_JSON_whatever_the_headers_say(string header) =>
        AssertBusy(await Exchange.OfAsync(FleetLockOperation.Lock, RawAnswer.Http(409, Full, header)));

    [Fact]
    public async Task A_chunked_body_is_read()
    {
        var answer = $"HTTP/1.1 409 Conflict\r\nTransfer-Encoding: chunked\r\n\r\n{Full.Length:x}\r\n{Full}\r\n0\r\n\r\n";

        AssertBusy(await Exchange.OfAsync(FleetLockOperation.Lock, RawAnswer.Of(answer)));
    }

    [Fact]
    public async Task A_body_that_ends_with_the_connection_is_read() =>
        AssertBusy(await Exchange.OfAsync(FleetLockOperation.Lock, RawAnswer.Of("HTTP/1.1 409 Conflict\r\n\r\n" + Full).ThenClose()));

    [Theory]
    [InlineData(Limit, "failed_lock_semaphore_full", FleetLockStatus.Busy)]
    [InlineData(Limit + 1, "generic_http_409", FleetLockStatus.ProtocolError)]
    public async Task The_body_is_read_up_to_64_KiB(int length, string kind, FleetLockStatus expected)
    {
        var frame = WireFormat.WriteError(ErrorKinds.SemaphoreFull, "").Length;
        var body = WireFormat.WriteError(ErrorKinds.SemaphoreFull, new string('x', length - frame));
        Assert.Equal(length, body.Length);

        var result = await Exchange.OfAsync(FleetLockOperation.Lock, RawAnswer.Http(409, body));

        Assert.Equal(kind, result.Kind);
        Assert.Equal(expected, result.Status);
        Assert.True(result.Message.Length <= 500);
    }

    [Theory]
    [InlineData(FleetLockOperation.Lock)]
    [InlineData(FleetLockOperation.Unlock)]
    public async Task A_body_of_10_MB_gives_a_result(FleetLockOperation operation)
    {
        var body = new byte[10 * 1024 * 1024];
        Array.Fill(body, (byte)'[');

        AssertGeneric(await Exchange.OfAsync(operation, RawAnswer.Http(500, body)), 500);
    }

    [Theory]
    [InlineData("HTTP/1.1 409 Conflict\r\n\r\n", "{\"kind\":")]
    [InlineData("HTTP/1.1 409 Conflict\r\nContent-Length: 99999999999\r\n\r\n", "   ")]
    [InlineData("HTTP/1.1 409 Conflict\r\nTransfer-Encoding: chunked\r\n\r\n", "4\r\n[[[[\r\n")]
    public async Task An_endless_body_gives_a_result(string head, string filler) =>
        AssertGeneric(await Exchange.OfAsync(FleetLockOperation.Lock, RawAnswer.Of(head).ThenEndless(filler)), 409);

    [Theory]
    [InlineData("HTTP/1.1 500 Oops\r\nContent-Length: 1000\r\n\r\n{\"kind\":\"failed_lock\",\"val")]
    [InlineData("HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{\"kind\":")]
    [InlineData("HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\nnot a length\r\n")]
    public async Task A_body_that_breaks_off_leaves_the_code(string answer)
    {
        AssertGeneric(await Exchange.OfAsync(FleetLockOperation.Lock, RawAnswer.Of(answer).ThenClose()), 500);
        AssertGeneric(await Exchange.OfAsync(FleetLockOperation.Unlock, RawAnswer.Of(answer).ThenClose()), 500);
    }

    [Fact]
    public async Task A_whole_error_counts_though_more_bytes_were_promised() =>
        AssertBusy(await Exchange.OfAsync(FleetLockOperation.Lock, RawAnswer.Of($"HTTP/1.1 409 Conflict\r\nContent-Length: 1000\r\n\r\n{Full}").ThenClose()));

    [Fact]
    public async Task Text_from_the_server_is_clean_when_it_comes_to_the_caller()
    {
        var body = Encoding.UTF8.GetBytes("""{"kind":"lock_held\u0007","value":"\u001b[2J\u001b[31mheld\r\nby \u202enode\u202c"}""");

        var result = await Exchange.OfAsync(FleetLockOperation.Lock, RawAnswer.Http(423, body));

        Assert.Equal("lock_held", result.Kind);
        Assert.Equal("[2J [31mheld by node", result.Message);
        Assert.True(TerminalText.IsPrintable(new FleetLockException(result).Message));
    }

    private static void AssertBusy(FleetLockResult result)
    {
        Assert.Equal(FleetLockStatus.Busy, result.Status);
        Assert.Equal("failed_lock_semaphore_full", result.Kind);
        Assert.Equal("all 1 semaphore slots currently locked", result.Message);
    }

    private static void AssertGeneric(FleetLockResult result, int status)
    {
        Assert.Equal(FleetLockStatus.ProtocolError, result.Status);
        Assert.Equal(status, result.HttpStatus);
        Assert.Equal($"generic_http_{status}", result.Kind);
        Assert.Equal("(unknown/generic server error)", result.Message);
    }
}
