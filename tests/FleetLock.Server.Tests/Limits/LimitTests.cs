using System.Net;
using FleetLock.TestKit;
using static FleetLock.Server.Tests.Answers;
using static FleetLock.Server.Tests.Sample;

namespace FleetLock.Server.Tests;

/// <summary>What one client may take of the server, and that others are served meanwhile.</summary>
public sealed class LimitTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task A_head_that_comes_too_slowly_is_cut_off()
    {
        await using var server = await StartAsync(new ServerLimits { HeaderTimeout = Second });
        using var slow = await RawClient.ConnectAsync(server.Address);
        await slow.SendAsync("POST /v1/pre-reboot HTTP/1.1\r\nHost: te"u8.ToArray());

        AssertDone(await server.LockAsync("a"));
        var end = await EndOfAsync(slow);

        Assert.True(end is null or { Status: 408 }, end?.Head);
        Assert.Equal(["a"], await server.HoldersAsync());
    }

    [Fact]
    public async Task A_body_that_comes_too_slowly_is_refused_and_grants_nothing()
    {
        await using var server = await StartAsync(new ServerLimits { BodyTimeout = 2 * Second });
        using var slow = await RawClient.ConnectAsync(server.Address);
        var request = TestServer.Request(TestServer.PreReboot, Group, "slow");
        await slow.SendAsync(request.AsMemory(0, request.Length - 1));

        AssertDone(await server.LockAsync("a"));
        AssertRefused(408, "invalid_body", (await slow.ReceiveAsync())!);

        Assert.Equal(["a"], await server.HoldersAsync());
    }

    [Fact]
    public async Task A_body_that_drips_has_no_more_time_than_one_that_stops()
    {
        await using var server = await StartAsync(new ServerLimits { BodyTimeout = 2 * Second });
        using var slow = await RawClient.ConnectAsync(server.Address);
        await slow.SendAsync(RawClient.Head(TestServer.PreReboot, TestServer.ProtocolHeader, "Content-Length: 10000"));
        var answer = slow.ReceiveAsync();
        try
        {
            // As long as it takes: more drops do not make it end. The answer gives up on a test that hangs.
            while (!answer.IsCompleted)
            {
                await slow.SendAsync(" "u8.ToArray());
                await Task.WhenAny(answer, Task.Delay(50, TestContext.Current.CancellationToken));
            }
        }
        catch (IOException)
        {
            // Cut off between two drops.
        }

        Assert.Equal(408, (await answer)!.Status);
    }

    [Fact]
    public async Task One_connection_more_than_there_may_be_is_closed_and_the_others_go_on()
    {
        await using var server = await StartAsync(new ServerLimits { MaxConnections = 2 });
        using var first = await RawClient.ConnectAsync(server.Address);
        using var second = await RawClient.ConnectAsync(server.Address);
        Assert.Equal(200, (await first.AskAsync(RawClient.Head("GET /healthz"))).Status);
        Assert.Equal(200, (await second.AskAsync(RawClient.Head("GET /healthz"))).Status);

        using (var third = await RawClient.ConnectAsync(server.Address))
            Assert.Null(await EndOfAsync(third));

        Assert.Equal(200, (await first.AskAsync(RawClient.Head("GET /healthz"))).Status);
        Assert.Equal(200, (await second.AskAsync(TestServer.Request(TestServer.PreReboot, Group, "a"))).Status);
    }

    [Fact]
    public async Task An_address_that_asks_too_often_is_told_when_to_come_back()
    {
        await using var server = await StartAsync(new ServerLimits { RequestsPerMinutePerAddress = 1 });
        AssertDone(await server.LockAsync("a"));

        var refused = await server.LockAsync("b");

        AssertRefused(429, "too_many_requests", refused);
        Assert.InRange(int.Parse(refused.Header("Retry-After")!, null), 1, 60);
    }

    [Fact]
    public async Task Our_own_client_takes_that_for_busy_with_the_time_to_wait()
    {
        await using var server = await StartAsync(new ServerLimits { RequestsPerMinutePerAddress = 1 });
        using var client = new FleetLockClient(new FleetLockClientOptions { Server = ServerAddress.Parse(server.Address.ToString()), NoProxy = true });
        await client.LockAsync(Group, "a", TestContext.Current.CancellationToken);

        var refused = await client.LockAsync(Group, "b", TestContext.Current.CancellationToken);

        Assert.Equal(FleetLockStatus.Busy, refused.Status);
        Assert.InRange(refused.RetryAfter!.Value, Second, TimeSpan.FromMinutes(1));
    }

    [Fact]
    public void Each_address_has_a_bucket_of_its_own()
    {
        using var limiter = new RequestLimiter(2);

        Assert.Equal([true, true, false], Ask("192.0.2.1", "192.0.2.1", "192.0.2.1"));
        Assert.Equal([true, true, false], Ask("192.0.2.2", "::ffff:192.0.2.2", "192.0.2.2"));
        Assert.Equal([true, true, false], Ask("2001:db8::1", "2001:db8::2", "2001:db8::ffff:0:0:3")); // one /64
        Assert.Equal([true], Ask("2001:db8:0:1::1"));

        List<bool> Ask(params string[] addresses) => [.. Array.ConvertAll(addresses, address => limiter.Admit(IPAddress.Parse(address)) is null)];
    }

    [Fact]
    public void Another_limit_counts_from_now_on()
    {
        using var limiter = new RequestLimiter(1);
        var address = IPAddress.Parse("192.0.2.1");
        Assert.Null(limiter.Admit(address));
        Assert.NotNull(limiter.Admit(address));

        limiter.Use(2);

        Assert.Null(limiter.Admit(address));
        Assert.Null(limiter.Admit(address));
        Assert.NotNull(limiter.Admit(address));
    }

    [Theory]
    [InlineData("192.0.2.1")]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public void By_default_a_fleet_that_comes_back_at_once_through_one_address_meets_no_limit(string address)
    {
        using var limiter = new RequestLimiter(null);
        var from = IPAddress.Parse(address);

        for (var i = 0; i < 60_000; i++)
            Assert.Null(limiter.Admit(from));
    }

    [Fact]
    public void By_default_there_is_a_limit_beyond_loopback_and_none_on_it()
    {
        using var limiter = new RequestLimiter(null);
        var (local, remote) = (0, 0);
        for (var i = 0; i < 200_000; i++)
        {
            local += limiter.Admit(IPAddress.Loopback) is null ? 1 : 0;
            remote += limiter.Admit(IPAddress.Parse("192.0.2.1")) is null ? 1 : 0;
        }

        Assert.Equal(200_000, local);
        Assert.InRange(remote, 60_000, 199_999);
    }

    /// <summary>What comes before the connection's end, if anything does.</summary>
    private static async Task<RawResponse?> EndOfAsync(RawClient client)
    {
        try
        {
            return await client.ReceiveAsync();
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static Task<TestServer> StartAsync(ServerLimits limits) => TestServer.StartAsync(TestServer.Options(new MemoryStore(), (Group, 5)) with { Limits = limits });
}
