using FleetLock.TestKit;
using static FleetLock.Server.Tests.Answers;
using static FleetLock.Server.Tests.Sample;

namespace FleetLock.Server.Tests;

/// <summary>Without credentials: the plain protocol is for all, and administration for the server's own machine.</summary>
public sealed class WithoutCredentialsTests
{
    public static readonly TheoryData<string> AdminRequests = ["PUT /v1/groups/workers", "DELETE /v1/groups/workers/holders/a?reason=test"];

    [Theory]
    [MemberData(nameof(AdminRequests))]
    public async Task From_loopback_it_is_done(string line)
    {
        await using var server = await StartAsync();

        Assert.Equal(200, (await AskAsync(server, line)).Status);
    }

    [Theory]
    [InlineData("Forwarded: for=192.0.2.1")]
    [InlineData("X-Forwarded-For: 192.0.2.1")]
    [InlineData("x-forwarded-for: 127.0.0.1")]
    [InlineData("Forwarded:")]
    public async Task What_a_proxy_on_this_machine_forwards_is_not_of_this_machine(string header)
    {
        await using var server = await StartAsync();

        foreach (var line in AdminRequests)
            AssertRefused(403, "forbidden", await AskAsync(server, line.Data, header));
        Assert.Equal(3, (await server.GroupAsync()).Slots);
        Assert.Equal(["a"], await server.HoldersAsync());
    }

    [Fact]
    public async Task What_a_proxy_forwards_may_lock_unlock_and_see()
    {
        await using var server = await StartAsync();
        const string Header = "X-Forwarded-For: 192.0.2.1";

        AssertDone(await server.AskAsync(RawClient.Request(TestServer.PreReboot, WireFormat.WriteRequest(Group, "b"), TestServer.ProtocolHeader, Header)));
        AssertDone(await server.AskAsync(RawClient.Request(TestServer.SteadyState, WireFormat.WriteRequest(Group, "b"), TestServer.ProtocolHeader, Header)));
        Assert.Equal(200, (await server.AskAsync(RawClient.Head("GET /v1/groups", Header))).Status);
    }

    [Fact]
    public async Task A_credential_that_nobody_asks_for_does_no_harm()
    {
        await using var server = await StartAsync();

        AssertDone(await server.AskAsync(RawClient.Request(TestServer.PreReboot, WireFormat.WriteRequest(Group, "b"), TestServer.ProtocolHeader, "Authorization: Bearer x")));
    }

    private static async Task<TestServer> StartAsync()
    {
        var server = await TestServer.StartAsync(new MemoryStore(), (Group, 3));
        await server.LockAsync("a");
        return server;
    }

    private static Task<RawResponse> AskAsync(TestServer server, string line, params string[] headers) =>
        server.AskAsync(RawClient.Request(line, line.StartsWith("PUT", StringComparison.Ordinal) ? """{"slots":9}"""u8.ToArray() : [], [TestServer.ProtocolHeader, .. headers]));
}
