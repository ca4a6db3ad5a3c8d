using System.Net;
using System.Net.Sockets;
using FleetLock.TestKit;
using Microsoft.Extensions.Time.Testing;

namespace FleetLock.Core.Tests;

/// <summary>Several servers on the same semaphores: one at a time, and the next one when that is away.</summary>
public sealed class SeveralServersTests
{
    private static readonly RawAnswer Away = RawAnswer.Http(503, """{"kind":"store_unavailable","value":"the store does not answer"}""");
    private static readonly RawAnswer Full = RawAnswer.Http(409, """{"kind":"failed_lock_semaphore_full","value":"full"}""");

    [Fact]
    public async Task The_next_server_is_asked_with_the_same_grant_when_one_refuses_the_connection()
    {
        using var closed = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        closed.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        await using var second = new RawServer(RawAnswer.Http(200));
        using var client = ClientOf($"http://{closed.LocalEndPoint}", second.Url);

        var result = await client.LockAsync(Exchange.Group, Exchange.Id, TestContext.Current.CancellationToken);

        Assert.Equal((FleetLockStatus.Granted, second.Url, false), (result.Status, result.Server, result.OutcomeUnknown));
        Assert.Single(second.Requests);
    }

    [Fact]
    public async Task The_next_server_is_asked_with_the_same_grant_when_one_answers_503_and_stays_in_use()
    {
        await using var first = new RawServer(Away);
        await using var second = new RawServer(RawAnswer.Http(200));
        using var client = ClientOf(first.Url, second.Url);
        var operation = new LockOperation(client, Exchange.Group, Exchange.Id);

        var granted = await operation.TryAsync(TimeSpan.Zero, TestContext.Current.CancellationToken);
        var released = await client.UnlockAsync(Exchange.Group, Exchange.Id, TestContext.Current.CancellationToken);

        Assert.Equal((true, true), (granted.IsSuccess, released.IsSuccess));
        Assert.Single(first.Requests);
        Assert.Equal(2, second.Requests.Count);
        Assert.Equal(first.Requests[0].Header("FleetLock-Grant"), second.Requests[0].Header("FleetLock-Grant"));
        Assert.Equal(second.Url, client.Server.ToString());
    }

    [Fact]
    public async Task Each_server_is_asked_once_and_then_the_first_again()
    {
        await using var first = new RawServer(Away, RawAnswer.Http(200));
        await using var second = new RawServer(Away);
        using var client = ClientOf(first.Url, second.Url);

        var none = await client.LockAsync(Exchange.Group, Exchange.Id, TestContext.Current.CancellationToken);
        Assert.Equal((FleetLockStatus.Unreachable, true), (none.Status, none.OutcomeUnknown));
        Assert.Equal((1, 1), (first.Requests.Count, second.Requests.Count));

        Assert.True((await client.LockAsync(Exchange.Group, Exchange.Id, TestContext.Current.CancellationToken)).IsSuccess);
    }

    [Fact]
    public async Task A_full_group_is_an_answer_and_leaves_what_the_first_may_have_done_unknown()
    {
        await using var first = new RawServer(RawAnswer.Reset);
        await using var second = new RawServer(Full);
        using var client = ClientOf(first.Url, second.Url);

        var result = await client.LockAsync(Exchange.Group, Exchange.Id, TestContext.Current.CancellationToken);

        Assert.Equal((FleetLockStatus.Busy, true), (result.Status, result.OutcomeUnknown));
    }

    [Fact]
    public async Task A_refusal_is_an_answer()
    {
        await using var first = new RawServer(RawAnswer.Http(401));
        await using var second = new RawServer(RawAnswer.Http(200));
        using var client = ClientOf(first.Url, second.Url);

        Assert.Equal(FleetLockStatus.Refused, (await client.LockAsync(Exchange.Group, Exchange.Id, TestContext.Current.CancellationToken)).Status);
        Assert.Empty(second.Requests);
    }

    [Fact]
    public async Task A_server_that_is_silent_has_its_time_and_the_next_request_goes_to_the_next()
    {
        var clock = new FakeTimeProvider();
        await using var first = new RawServer(RawAnswer.Never);
        await using var second = new RawServer(RawAnswer.Http(200));
        using var client = ClientOf(clock, first.Url, second.Url);

        var locking = client.LockAsync(Exchange.Group, Exchange.Id, TestContext.Current.CancellationToken);
        await first.Asked;
        clock.Advance(FleetLockClientOptions.DefaultTimeout);
        Assert.Equal(FleetLockStatus.TimedOut, (await locking).Status);
        Assert.Empty(second.Requests);

        Assert.True((await client.LockAsync(Exchange.Group, Exchange.Id, TestContext.Current.CancellationToken)).IsSuccess);
    }

    [Fact]
    public async Task A_forced_release_that_one_server_may_have_carried_out_is_not_sent_to_another()
    {
        await using var first = new RawServer(RawAnswer.Reset);
        await using var second = new RawServer(RawAnswer.Http(200));
        using var client = ClientOf(first.Url, second.Url);

        var result = await client.ForceReleaseAsync(Exchange.Group, Exchange.Id, "gone", TestContext.Current.CancellationToken);

        Assert.True(result.OutcomeUnknown);
        Assert.Empty(second.Requests);
    }

    [Fact]
    public async Task The_groups_are_asked_of_the_next_server_too()
    {
        await using var first = new RawServer(Away);
        await using var second = new RawServer(RawAnswer.Http(200, """{"groups":[]}"""));
        using var client = ClientOf(first.Url, second.Url);

        Assert.Empty((await client.GetGroupsAsync(TestContext.Current.CancellationToken)).Groups);
    }

    [Theory]
    [InlineData("http://a.example,http://b.example")]
    [InlineData("http://a.example http://b.example")]
    [InlineData(" http://a.example/ ,\n http://b.example , http://a.example")]
    public void Addresses_are_separated_by_commas_or_spaces(string text) =>
        Assert.Equal(["http://a.example", "http://b.example"], ServerAddress.ParseList(text).Select(server => server.ToString()));

    [Fact]
    public void A_comma_in_a_path_separates_nothing() =>
        Assert.Equal("http://a.example/b,c", Assert.Single(ServerAddress.ParseList("http://a.example/b,c")).ToString());

    private static FleetLockClient ClientOf(params string[] urls) => ClientOf(TimeProvider.System, urls);

    private static FleetLockClient ClientOf(TimeProvider clock, params string[] urls) => new(new FleetLockClientOptions
    {
        Server = ServerAddress.Parse(urls[0]),
        OtherServers = [.. urls.Skip(1).Select(ServerAddress.Parse)],
        NoProxy = true,
        Clock = clock,
    });
}
