using System.Diagnostics;
using FleetLock.TestKit;

namespace FleetLock.Endurance;

/// <summary>Random faults in requests by the thousand, from a fixed seed: no failure of the server, no crash, no memory that keeps growing.</summary>
internal static class FuzzRun
{
    private const int Rounds = 5;

    internal static async Task<bool> RunAsync(int requests, int seed)
    {
        using var folder = new TemporaryDirectory();
        await using var server = await ServerProcess.StartUnreadAsync("--listen", "http://127.0.0.1:0", "--data", folder.File("fuzz.db"), "--group", "workers=1");
        using var client = new FleetLockClient(server.Address.ToString());
        var (random, time) = (new Random(seed), Stopwatch.StartNew());
        var statuses = new SortedDictionary<int, int>();
        for (var round = 1; round <= Rounds; round++)
        {
            var fuzzed = Enumerable.Range(0, requests / Rounds).Select(_ => FuzzedRequests.Next(random)).ToArray();
            foreach (var status in await FuzzedExchange.SendAllAsync(server.Address, fuzzed))
                statuses[status] = statuses.GetValueOrDefault(status) + 1;

            Figures.Print($"memory after {round} of {Rounds} rounds", $"{server.ReadUsage().Memory / 1048576.0:0} MiB");
        }

        var isServed = (await client.LockAsync("workers", "honest")).IsSuccess;
        Figures.Print("requests, seed", $"{requests}, {seed}");
        Figures.Print("answers (0: none)", $"{string.Join(", ", statuses.Select(status => $"{status.Key}: {status.Value}"))}");
        Figures.Print("an honest lock afterwards", $"{(isServed ? "granted" : "refused")}");
        Figures.PrintServer(server, time.Elapsed);
        return isServed && !statuses.Keys.Any(status => status is >= 500 and not 501 and not 505);
    }
}
