using FleetLock.TestKit;

namespace FleetLock.Core.Tests;

/// <summary>The release after a lock that was perhaps granted: one request, an answer of yes or no, and never an exception.</summary>
public sealed class TryReleaseTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static readonly TheoryData<int> OtherCodes = [201, 202, 204, 302, 400, 401, 404, 409, 423, 500, 503];

    [Fact]
    public async Task An_acknowledged_release_is_true()
    {
        await using var server = new RawServer(RawAnswer.Http(200));
        using var client = Exchange.ClientOf(server.Url);

        Assert.True(await client.TryReleaseAsync(Exchange.Group, Exchange.Id, Patience));
        Assert.Equal("POST /v1/steady-state HTTP/1.1", Assert.Single(server.Requests).Line);
    }

    [Theory]
    [MemberData(nameof(OtherCodes))]
    public async Task Every_other_answer_is_false(int status)
    {
        await using var server = new RawServer(RawAnswer.Http(status), RawAnswer.Http(200));
        using var client = Exchange.ClientOf(server.Url);

        Assert.False(await client.TryReleaseAsync(Exchange.Group, Exchange.Id, Patience));
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task No_answer_is_false()
    {
        Assert.False(await TryAsync(RawAnswer.Reset, Patience));
        Assert.False(await TryAsync(RawAnswer.Of("garbage\r\n").ThenClose(), Patience));
        Assert.False(await TryAsync(RawAnswer.Never, Exchange.ShortTimeout));
        Assert.False(await TryAsync(RawAnswer.Never, TimeSpan.Zero));
    }

    [Fact]
    public async Task The_requests_own_time_out_ends_it_too()
    {
        await using var server = new RawServer(RawAnswer.Never);
        using var client = Exchange.ClientOf(server.Url, Exchange.ShortTimeout);

        Assert.False(await client.TryReleaseAsync(Exchange.Group, Exchange.Id, Patience));
    }

    [Fact]
    public async Task What_can_hold_no_slot_is_false()
    {
        await using var server = new RawServer(RawAnswer.Http(200));
        using var client = Exchange.ClientOf(server.Url);

        Assert.False(await client.TryReleaseAsync("under_score", Exchange.Id, Patience));
        Assert.False(await client.TryReleaseAsync(Exchange.Group, "", Patience));
    }

    [Fact]
    public async Task A_client_that_is_closed_already_is_false()
    {
        var client = Exchange.ClientOf("http://127.0.0.1:1");
        client.Dispose();

        Assert.False(await client.TryReleaseAsync(Exchange.Group, Exchange.Id, Patience));
    }

    private static async Task<bool> TryAsync(RawAnswer answer, TimeSpan timeLimit)
    {
        await using var server = new RawServer(answer);
        using var client = Exchange.ClientOf(server.Url);
        return await client.TryReleaseAsync(Exchange.Group, Exchange.Id, timeLimit);
    }
}
