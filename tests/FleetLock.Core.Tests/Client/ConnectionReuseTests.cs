using FleetLock.TestKit;
using Microsoft.Extensions.Time.Testing;

namespace FleetLock.Core.Tests;

/// <summary>No false grant: an answer to one request is never taken for the answer to another one on a pooled connection.</summary>
public sealed class ConnectionReuseTests
{
    private static readonly RawAnswer Full = RawAnswer.Http(409, """{"kind":"failed_lock_semaphore_full","value":"full"}""");

    [Theory]
    [InlineData("HTTP/1.1 409 Conflict\r\nContent-Length: 2\r\n\r\n{}")]
    [InlineData("HTTP/1.1 409 Conflict\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")]
    [InlineData("HTTP/1.1 204 No Content\r\n\r\n")]
    [InlineData("HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n")]
    public async Task A_stray_200_behind_an_answer_is_not_taken_for_the_next_one(string answer)
    {
        await using var server = new RawServer(RawAnswer.Of(answer + "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), Full);
        using var client = Exchange.ClientOf(server.Url);

        var first = await client.SendAsync(FleetLockOperation.Lock);
        var second = await client.SendAsync(FleetLockOperation.Lock);

        Assert.False(first.IsSuccess);
        Assert.Equal(FleetLockStatus.Busy, second.Status);
    }

    [Fact]
    public async Task A_200_that_comes_after_the_time_out_is_not_taken_for_the_next_one()
    {
        var late = new TaskCompletionSource();
        await using var server = new RawServer(RawAnswer.Http(200).After(late.Task), Full);
        var clock = new FakeTimeProvider();
        using var client = Exchange.ClientOf(server.Url, Exchange.FakeTimeout, clock);

        var unlock = client.SendAsync(FleetLockOperation.Unlock);
        await server.Asked;
        clock.Advance(Exchange.FakeTimeout);
        var first = await unlock;
        late.SetResult();
        var second = await client.SendAsync(FleetLockOperation.Lock);

        Assert.Equal(FleetLockStatus.TimedOut, first.Status);
        Assert.Equal(FleetLockStatus.Busy, second.Status);
    }

    [Fact]
    public async Task The_body_of_a_200_is_not_taken_for_the_next_answer()
    {
        const string Nested = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        await using var server = new RawServer(RawAnswer.Http(200, Nested), Full);
        using var client = Exchange.ClientOf(server.Url);

        var unlock = await client.SendAsync(FleetLockOperation.Unlock);
        var locked = await client.SendAsync(FleetLockOperation.Lock);

        Assert.Equal(FleetLockStatus.Released, unlock.Status);
        Assert.Equal(FleetLockStatus.Busy, locked.Status);
    }

    [Fact]
    public async Task Many_requests_at_once_each_get_their_own_answer()
    {
        await using var server = new RawServer(RawAnswer.Http(200), Full);
        using var client = Exchange.ClientOf(server.Url);
        var requests = new Task<FleetLockResult>[20];

        for (var i = 0; i < requests.Length; i++)
            requests[i] = client.SendAsync(FleetLockOperation.Lock);

        Assert.Single(await Task.WhenAll(requests), result => result.IsSuccess);
    }
}
