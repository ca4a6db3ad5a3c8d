using FleetLock.TestKit;

namespace FleetLock.Server.Tests;

/// <summary>Random faults anywhere in a request, the head included: the server never fails, never grants, and serves the next one. Thousands more run in FleetLock.Endurance.</summary>
public sealed class WireFuzzTests(UntouchedServers servers) : IClassFixture<UntouchedServers>
{
    private const int RequestsForEachSeed = 500;

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 4)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Random_faults_are_never_an_error_of_the_server(int seed)
    {
        var random = new Random(seed);
        var requests = Enumerable.Range(0, RequestsForEachSeed).Select(_ => FuzzedRequests.Next(random)).ToArray();
        foreach (var (server, _) in servers.Targets)
        {
            var statuses = await FuzzedExchange.SendAllAsync(server.Address, requests);
            for (var i = 0; i < requests.Length; i++)
                Assert.False(statuses[i] is >= 500 and not 501 and not 505, $"seed {seed}, request {i}: {statuses[i]} for {Convert.ToBase64String(requests[i])}");
        }

        await servers.AssertUntouchedAsync();
    }
}
