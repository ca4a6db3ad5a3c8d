using FleetLock.TestKit;
using static FleetLock.Server.Tests.Answers;
using static FleetLock.Server.Tests.Sample;
using static FleetLock.Server.Tests.TestServer;

namespace FleetLock.Server.Tests;

/// <summary>Two servers on one SQLite file are one semaphore.</summary>
public sealed class TwoServersTests
{
    [Fact]
    public async Task Of_all_that_ask_both_servers_exactly_one_wins_and_releases_through_the_other()
    {
        const int rounds = 200;
        using var folder = new TemporaryDirectory();
        await using var first = await StartAsync(new SqliteStore(folder.File("fleetlock.db")), (Group, 1));
        await using var second = await StartAsync(new SqliteStore(folder.File("fleetlock.db")), (Group, 1));
        var clients = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => RawClient.ConnectAsync((i % 2 == 0 ? first : second).Address)));

        for (var round = 0; round < rounds; round++)
        {
            var answers = await Task.WhenAll(clients.Select((client, i) => client.AskAsync(Request(PreReboot, Group, "id" + i))));

            var winner = Assert.Single(Enumerable.Range(0, answers.Length), i => answers[i].Status == 200);
            Assert.All(answers.Where((_, i) => i != winner), answer => AssertRefused(409, "failed_lock_semaphore_full", "1", answer));
            var other = winner % 2 == 0 ? second : first;
            Assert.Equal(["id" + winner], await other.HoldersAsync());
            AssertDone(await clients[(winner + 1) % clients.Length].AskAsync(Request(SteadyState, Group, "id" + winner)));
            Assert.Empty(await first.HoldersAsync());
        }

        foreach (var client in clients)
            client.Dispose();
    }

    [Fact]
    public async Task A_grant_by_one_server_is_a_grant_again_by_the_other()
    {
        using var folder = new TemporaryDirectory();
        await using var first = await StartAsync(new SqliteStore(folder.File("fleetlock.db")), (Group, 1));
        await using var second = await StartAsync(new SqliteStore(folder.File("fleetlock.db")), (Group, 1));

        AssertDone(await first.LockAsync("a"));
        AssertDone(await second.LockAsync("a"));
        Assert.Equal(409, (await second.LockAsync("b")).Status);
        AssertDone(await second.UnlockAsync("a"));
        AssertDone(await first.LockAsync("b"));
        Assert.Equal(409, (await second.LockAsync("a")).Status);
    }
}
