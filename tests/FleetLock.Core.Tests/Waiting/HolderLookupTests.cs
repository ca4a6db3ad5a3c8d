using FleetLock.TestKit;
using Microsoft.Extensions.Time.Testing;

namespace FleetLock.Core.Tests;

/// <summary>Who holds the slots, for those who wait: told if the server can, and never in the way of the wait.</summary>
public sealed class HolderLookupTests
{
    public static readonly TheoryData<string, string?> Holders = new()
    {
        { "", null },
        { "a", "a" },
        { "a b", "a, b" },
        { "a b c", "a, b, c" },
        { "a b c d", "a, b, c and 1 more" },
        { "a b c d e", "a, b, c and 2 more" },
        { @"\u001b[31mred", "[31mred" },
    };

    [Theory]
    [MemberData(nameof(Holders))]
    public async Task The_first_holders_are_named(string ids, string? expected)
    {
        var holders = ids.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(id => $$"""{"id":"{{id}}","since":"2026-03-01T12:00:00Z"}""");
        var list = $$"""{"groups":[{"group":"other","slots":1,"free":1,"holders":[]},{"group":"workers","slots":5,"free":0,"holders":[{{string.Join(',', holders)}}]}]}""";

        var described = await DescribeAsync(RawAnswer.Http(200, list));

        Assert.Equal(expected is null, described is null);
        Assert.EndsWith(expected ?? "", described ?? "", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(200, """{"groups":[]}""")]
    [InlineData(200, "<html>Please log in</html>")]
    [InlineData(200, "null")]
    [InlineData(302, "")]
    [InlineData(401, "")]
    [InlineData(404, "")]
    [InlineData(500, "")]
    [InlineData(503, """{"kind":"store_unavailable","value":"the store does not answer"}""")]
    public async Task A_server_that_cannot_tell_is_no_fault(int status, string body) => Assert.Null(await DescribeAsync(RawAnswer.Http(status, body)));

    [Fact]
    public async Task A_broken_connection_is_no_fault()
    {
        Assert.Null(await DescribeAsync(RawAnswer.Reset));
        Assert.Null(await DescribeAsync(RawAnswer.Of("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{").ThenClose()));
        Assert.Null(await DescribeAsync(RawAnswer.Of("garbage\r\n").ThenClose()));
    }

    [Fact]
    public async Task The_clients_own_time_out_is_no_fault() => Assert.Null(await DescribeAsync(RawAnswer.Never, Exchange.ShortTimeout));

    [Fact]
    public async Task A_slow_server_is_given_three_seconds_whatever_the_time_out()
    {
        var clock = new FakeTimeProvider();
        await using var server = new RawServer(RawAnswer.Never);
        using var client = Exchange.ClientOf(server.Url, TimeSpan.FromMinutes(5), clock);
        var lookup = new HolderLookup(client).DescribeAsync(Exchange.Group, TestContext.Current.CancellationToken);
        await server.Asked;

        clock.Advance(TimeSpan.FromSeconds(2.9));
        Assert.False(lookup.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(0.1));

        Assert.Null(await lookup.WaitAsync(TestTimeout.Hang, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task The_callers_cancellation_ends_it()
    {
        using var cancellation = new CancellationTokenSource();
        await using var server = new RawServer(RawAnswer.Never);
        using var client = Exchange.ClientOf(server.Url);

        var lookup = new HolderLookup(client).DescribeAsync(Exchange.Group, cancellation.Token);
        await server.Asked;
        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => lookup);
    }

    private static async Task<string?> DescribeAsync(RawAnswer answer, TimeSpan? timeout = null)
    {
        await using var server = new RawServer(answer);
        using var client = Exchange.ClientOf(server.Url, timeout);
        return await new HolderLookup(client).DescribeAsync(Exchange.Group, TestContext.Current.CancellationToken);
    }
}
