using System.Text.Json;
using FleetLock.TestKit;
using static FleetLock.Server.Tests.Answers;
using static FleetLock.Server.Tests.Sample;
using static FleetLock.Server.Tests.TestServer;

namespace FleetLock.Server.Tests;

/// <summary>Two servers on one etcd are one semaphore, and airlock beside them takes part in it.</summary>
public sealed class EtcdServersTests(EtcdFixture fixture) : IClassFixture<EtcdFixture>
{
    private const int Rounds = 1_000;
    private const int Machines = 8;

    [Fact]
    public async Task Of_all_that_ask_both_servers_exactly_one_wins_and_releases_through_the_other()
    {
        var etcd = await fixture.EmptyAsync();
        await using var first = await StartAsync(etcd.Store(), (Group, 1));
        await using var second = await StartAsync(etcd.Store(), (Group, 1));
        var clients = await Task.WhenAll(Enumerable.Range(0, Machines).Select(i => RawClient.ConnectAsync((i % 2 == 0 ? first : second).Address)));

        for (var round = 0; round < Rounds; round++)
        {
            var answers = await Task.WhenAll(clients.Select((client, i) => client.AskAsync(Request(PreReboot, Group, "id" + i))));

            var winner = Assert.Single(Enumerable.Range(0, Machines), i => answers[i].Status == 200);
            Assert.All(answers.Where((_, i) => i != winner), answer => AssertRefused(409, "failed_lock_semaphore_full", "1", answer));
            AssertDone(await clients[(winner + 1) % Machines].AskAsync(Request(SteadyState, Group, "id" + winner)));
        }

        Assert.Equal("""{"total_slots":1,"holders":[]}""", (await etcd.GetAsync(Etcd.Key)).Value);
        await etcd.AssertNotRestoredAsync();
        foreach (var client in clients)
            client.Dispose();
    }

    [Fact]
    public async Task Beside_airlock_there_is_exactly_one_winner_too_and_no_request_fails()
    {
        var etcd = await fixture.EmptyAsync();
        await using var first = await StartAsync(etcd.Store(), (Group, 1));
        await using var second = await StartAsync(etcd.Store(), (Group, 1));
        var clients = await Task.WhenAll(Enumerable.Range(0, Machines).Select(i => RawClient.ConnectAsync((i % 2 == 0 ? first : second).Address)));
        AssertDone(await clients[0].AskAsync(Request(SteadyState, Group, "nobody"))); // So that the group is there when airlock begins.
        var airlocksWins = 0;

        for (var round = 0; round < Rounds; round++)
        {
            // At the same time, but for two rounds: so each of them has won once, however the machine schedules the others.
            var airlock = round == 1 ? null : Task.Run(() => UseAirlockAsync(etcd), TestContext.Current.CancellationToken);
            if (round == 0)
                await airlock!;
            var answers = await Task.WhenAll(clients.Select((client, i) => client.AskAsync(Request(PreReboot, Group, "id" + i))));
            var hasAirlockWon = await (airlock ?? UseAirlockAsync(etcd));

            var winners = Enumerable.Range(0, Machines).Where(i => answers[i].Status == 200).Select(i => "id" + i).Concat(hasAirlockWon ? ["of airlock"] : []);
            var winner = Assert.Single(winners);
            Assert.All(answers.Where(answer => answer.Status != 200), answer => AssertRefused(409, "failed_lock_semaphore_full", "1", answer));
            Assert.Equal($$"""{"total_slots":1,"holders":["{{winner}}"]}""", (await etcd.GetAsync(Etcd.Key)).Value);
            if (hasAirlockWon)
                airlocksWins++;
            AssertDone(await clients[round % Machines].AskAsync(Request(SteadyState, Group, winner)));
        }

        Assert.InRange(airlocksWins, 1, Rounds - 1);
        await etcd.AssertNotRestoredAsync();
        foreach (var client in clients)
            client.Dispose();
    }

    [Fact]
    public async Task A_grant_by_one_server_is_a_grant_again_by_the_other()
    {
        var etcd = await fixture.EmptyAsync();
        await using var first = await StartAsync(etcd.Store(), (Group, 1));
        await using var second = await StartAsync(etcd.Store(), (Group, 1));

        AssertDone(await first.LockAsync("a"));
        AssertDone(await second.LockAsync("a"));
        Assert.Equal(409, (await second.LockAsync("b")).Status);
        AssertDone(await second.UnlockAsync("a"));
        AssertDone(await first.LockAsync("b"));
        Assert.Equal(409, (await second.LockAsync("a")).Status);
    }

    [Fact]
    public async Task Slots_follow_our_configuration_and_no_holder_of_airlocks_is_lost()
    {
        var etcd = await fixture.EmptyAsync();
        await etcd.PutAsync(Etcd.Key, """{"total_slots":1,"holders":["a"]}""");

        await using (var server = await StartAsync(etcd.Store(), (Group, 2)))
        {
            AssertDone(await server.LockAsync("b"));
            AssertRefused(409, "failed_lock_semaphore_full", "2", await server.LockAsync("c"));
            AssertDone(await server.LockAsync("a"));
        }

        Assert.Equal("""{"total_slots":2,"holders":["a","b"]}""", (await etcd.GetAsync(Etcd.Key)).Value);
    }

    [Fact]
    public async Task A_damaged_value_is_a_clear_refusal_for_its_group_alone_until_it_is_mended()
    {
        const string damage = """{"total_slots":1,"hol""";
        var etcd = await fixture.EmptyAsync();
        await etcd.PutAsync(Etcd.Key, damage);
        await using var server = await StartAsync(etcd.Store(), (Group, 1), ("other", 1));

        AssertRefused(503, "store_unavailable", await server.LockAsync("a"));
        AssertRefused(503, "store_unavailable", await server.UnlockAsync("a"));
        AssertDone(await server.LockAsync("a", "other"));
        Assert.Contains(Etcd.Key, (await server.GroupAsync()).Fault, StringComparison.Ordinal);
        Assert.Equal(["a"], await server.HoldersAsync("other"));
        Assert.Equal((damage, 1), await etcd.GetAsync(Etcd.Key));

        await etcd.PutAsync(Etcd.Key, """{"total_slots":1,"holders":["b"]}""");
        AssertRefused(409, "failed_lock_semaphore_full", "1", await server.LockAsync("a"));
    }

    /// <summary>Somebody that holds nothing releases through airlock, which writes then too; and somebody wants a slot.</summary>
    private static async Task<bool> UseAirlockAsync(EtcdProcess etcd)
    {
        await WriteAsAirlockAsync(etcd, holders => [.. holders.Where(id => id != "nobody")]);
        return await WriteAsAirlockAsync(etcd, holders => holders.Length == 0 ? ["of airlock"] : null);
    }

    /// <summary>One try, as airlock does it: read, change, and write if the version is still the same; a lost race is an error for its client.</summary>
    private static async Task<bool> WriteAsAirlockAsync(EtcdProcess etcd, Func<string[], string[]?> change)
    {
        var (value, version) = await etcd.GetAsync(Etcd.Key);
        using var json = JsonDocument.Parse(value!);
        var slots = json.RootElement.GetProperty("total_slots").GetInt32();
        var holders = json.RootElement.GetProperty("holders").EnumerateArray().Select(id => id.GetString()!).ToArray();
        return change(holders) is { } next
            && await etcd.TryPutAsync(Etcd.Key, version, $$"""{"total_slots":{{slots}},"holders":[{{string.Join(',', next.Select(id => $"\"{id}\""))}}]}""");
    }
}
