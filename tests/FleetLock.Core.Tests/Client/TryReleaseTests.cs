using FleetLock.TestKit;
using Microsoft.Extensions.Time.Testing;

namespace FleetLock.Core.Tests;

/// <summary>The release after a lock that was perhaps granted: one request, an answer of yes or no, and never an exception.</summary>
public sealed class TryReleaseTests
{
    public static readonly TheoryData<int> OtherCodes = [201, 202, 204, 302, 400, 401, 404, 409, 423, 500, 503];

    [Fact]
    public async Task An_acknowledged_release_is_true()
    {
        await using var server = new RawServer(RawAnswer.Http(200));
        using var client = Exchange.ClientOf(server.Url);

        Assert.True(await client.TryReleaseAsync(Exchange.Group, Exchange.Id, TestTimeout.Hang));
        Assert.Equal("POST /v1/steady-state HTTP/1.1", Assert.Single(server.Requests).Line);
    }

    [Theory]
    [MemberData(nameof(OtherCodes))]
    public async Task Every_other_answer_is_false(int status)
    {
        await using var server = new RawServer(RawAnswer.Http(status), RawAnswer.Http(200));
        using var client = Exchange.ClientOf(server.Url);

        Assert.False(await client.TryReleaseAsync(Exchange.Group, Exchange.Id, TestTimeout.Hang));
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task No_answer_is_false()
    {
        Assert.False(await TryAsync(RawAnswer.Reset, TestTimeout.Hang));
        Assert.False(await TryAsync(RawAnswer.Of("garbage\r\n").ThenClose(), TestTimeout.Hang));
        Assert.False(await TryAsync(RawAnswer.Never, TimeSpan.Zero));
    }

    [Fact]
    public async Task The_requests_own_time_out_ends_it_too()
    {
        await using var server = new RawServer(RawAnswer.Never);

        var longer = Exchange.FakeTimeout + Exchange.FakeTimeout;

        Assert.False(await Exchange.TimedOutAsync(server, client => client.TryReleaseAsync(Exchange.Group, Exchange.Id, longer)));
    }

    [Fact]
    public async Task Silence_is_false_when_the_time_is_over_and_not_before()
    {
        var clock = new FakeTimeProvider();
        await using var server = new RawServer(RawAnswer.Never);
        using var client = Exchange.ClientOf(server.Url, Exchange.FakeTimeout, clock);
        var release = client.TryReleaseAsync(Exchange.Group, Exchange.Id, TimeSpan.FromMilliseconds(700));
        await server.Asked;

        clock.Advance(TimeSpan.FromMilliseconds(699));
        Assert.False(release.IsCompleted);
        clock.Advance(TimeSpan.FromMilliseconds(1));

        Assert.False(await release.WaitAsync(TestTimeout.Hang, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task What_can_hold_no_slot_is_false()
    {
        await using var server = new RawServer(RawAnswer.Http(200));
        using var client = Exchange.ClientOf(server.Url);

        Assert.False(await client.TryReleaseAsync("under_score", Exchange.Id, TestTimeout.Hang));
        Assert.False(await client.TryReleaseAsync(Exchange.Group, "", TestTimeout.Hang));
    }

    [Fact]
    public async Task A_client_that_is_closed_already_is_false()
    {
        var client = Exchange.ClientOf("http://127.0.0.1:1");
        client.Dispose();

        Assert.False(await client.TryReleaseAsync(Exchange.Group, Exchange.Id, TestTimeout.Hang));
    }

    private static async Task<bool> TryAsync(RawAnswer answer, TimeSpan timeLimit)
    {
        await using var server = new RawServer(answer);
        using var client = Exchange.ClientOf(server.Url);
        return await client.TryReleaseAsync(Exchange.Group, Exchange.Id, timeLimit);
    }
}
