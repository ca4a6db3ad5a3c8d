using FleetLock.TestKit;

namespace FleetLock.Core.Tests;

/// <summary>The extension <c>GET /v1/groups</c>, from servers that have it and from those that do not.</summary>
public sealed class GroupListTests
{
    private const string Good =
        """{"groups":[{"group":"workers","slots":2,"free":1,"holders":[{"id":"a","since":"2026-03-01T12:00:00+00:00"}]},{"group":"idle","slots":1,"free":1,"holders":[]}]}""";

    public static readonly TheoryData<int, string> OtherAnswers = new()
    {
        { 404, "404 page not found\n" },
        { 404, Good },
        { 302, Good },
        { 201, Good },
        { 405, "" },
        { 200, "<html><body>Please log in</body></html>" },
        { 200, "" },
        { 200, "null" },
        { 200, "[]" },
        { 200, "42" },
        { 200, "{}" },
        { 200, """{"groups":null}""" },
        { 200, """{"groups":{}}""" },
        { 200, """{"groups":[null]}""" },
        { 200, """{"groups":[{}]}""" },
        { 200, """{"groups":["workers"]}""" },
        { 200, """{"groups":[{"group":"workers","slots":1,"free":1,"holders":null}]}""" },
        { 200, """{"groups":[{"group":"workers","slots":1,"free":0,"holders":[null]}]}""" },
        { 200, """{"groups":[{"group":"workers","slots":1,"free":0,"holders":[{"since":"2026-03-01T12:00:00+00:00"}]}]}""" },
        { 200, """{"groups":[{"group":"workers","slots":"two","free":1,"holders":[]}]}""" },
        { 200, """{"groups":[{"group":"workers","slots":1""" },
    };

    [Theory]
    [InlineData("Content-Type: application/json")]
    [InlineData("Content-Type: text/plain")]
    [InlineData("X-No: content type")]
    public async Task A_list_of_groups_is_read(string header)
    {
        await using var server = new RawServer(RawAnswer.Http(200, Good, header));
        using var client = Exchange.ClientOf(server.Url + "/base/");

        var list = await client.GetGroupsAsync(TestContext.Current.CancellationToken);

        Assert.Collection(
            list.Groups,
            workers =>
            {
                Assert.Equal(("workers", 2, 1), (workers.Group, workers.Slots, workers.Free));
                Assert.Equal(
                    new FleetHolder("a", new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero)) { Group = "workers", Server = server.Url + "/base" },
                    Assert.Single(workers.Holders));
            },
            idle =>
            {
                Assert.Equal(("idle", 1, 1), (idle.Group, idle.Slots, idle.Free));
                Assert.Empty(idle.Holders);
            });
        Assert.Equal("GET /base/v1/groups HTTP/1.1", Assert.Single(server.Requests).Line);
    }

    [Theory]
    [MemberData(nameof(OtherAnswers))]
    public async Task A_server_without_the_extension_is_no_FleetLock_server_of_ours(int status, string body)
    {
        await using var server = new RawServer(RawAnswer.Http(status, body, "Content-Type: application/json", "Location: /elsewhere"), RawAnswer.Http(200, Good));
        using var client = Exchange.ClientOf(server.Url);

        var fault = await Assert.ThrowsAsync<FleetGroupsException>(() => client.GetGroupsAsync(TestContext.Current.CancellationToken));

        Assert.Equal(FleetLockStatus.ProtocolError, fault.Status);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task Members_that_we_do_not_know_are_no_fault()
    {
        await using var server = new RawServer(RawAnswer.Http(200, """{"version":2,"groups":[{"group":"a","slots":1,"free":1,"holders":[],"paused":false}]}"""));
        using var client = Exchange.ClientOf(server.Url);

        var list = await client.GetGroupsAsync(TestContext.Current.CancellationToken);

        Assert.Equal("a", Assert.Single(list.Groups).Group);
    }

    [Theory]
    [InlineData("")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")]
    public async Task Silence_is_a_time_out(string half)
    {
        await using var server = new RawServer(RawAnswer.Of(half).ThenSilence());

        var fault = await Assert.ThrowsAsync<FleetGroupsException>(
            () => Exchange.TimedOutAsync(server, client => client.GetGroupsAsync(TestContext.Current.CancellationToken)));

        Assert.Equal(FleetLockStatus.TimedOut, fault.Status);
        Assert.Matches(@" 127\.0\.0\.1:\d+ .* 30 s \(", fault.Message);
    }

    [Fact]
    public async Task A_lost_connection_is_unreachable()
    {
        await using var server = new RawServer(RawAnswer.Reset);
        using var client = Exchange.ClientOf(server.Url);

        Assert.Equal(FleetLockStatus.Unreachable, (await Assert.ThrowsAsync<FleetGroupsException>(() => client.GetGroupsAsync(TestContext.Current.CancellationToken))).Status);
    }

    [Fact]
    public async Task The_callers_cancellation_is_no_time_out()
    {
        using var cancellation = new CancellationTokenSource();
        await using var server = new RawServer(RawAnswer.Never);
        using var client = Exchange.ClientOf(server.Url);

        var request = client.GetGroupsAsync(cancellation.Token);
        await server.Asked;
        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
    }
}
