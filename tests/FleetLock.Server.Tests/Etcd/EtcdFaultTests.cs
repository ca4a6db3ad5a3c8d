using System.Diagnostics;
using FleetLock.TestKit;
using static FleetLock.Server.Tests.Answers;
using static FleetLock.Server.Tests.Sample;
using static FleetLock.Server.Tests.TestServer;

namespace FleetLock.Server.Tests;

/// <summary>etcd away, slow, killed: clients hear of it in time, nothing answered is lost, and nobody has to restart anything.</summary>
public sealed class EtcdFaultTests
{
    private static readonly TimeSpan Short = TimeSpan.FromSeconds(1);

    public EtcdFaultTests() => Etcd.SkipWithout();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Kills_under_load_lose_no_answered_grant_and_no_answered_release()
    {
        const int lives = 5;
        await using var etcd = await EtcdProcess.StartAsync();
        using var fleet = new Fleet(slots: 3, machines: 8, canStoreBeAway: true);
        var random = new Random(1);
        for (var life = 0; life < lives; life++)
        {
            await using (var server = await StartAsync(etcd.Store(), (Group, 3)))
            {
                fleet.RequireNothingWasLost(await server.HoldersAsync());
                var work = fleet.WorkAsync(server.Address);
                await fleet.WaitForAnswersAsync(random.Next(50, 500));
                await etcd.KillAsync();
                await etcd.StartAgainAsync();
                await fleet.WaitForAnswersAsync(random.Next(50, 500));
                await server.DisposeAsync();
                await work;
            }
        }

        await using var last = await StartAsync(etcd.Store(), (Group, 3));
        fleet.RequireNothingWasLost(await last.HoldersAsync());
        await etcd.AssertNotRestoredAsync();
    }

    [Fact]
    public async Task A_server_starts_without_etcd_refuses_and_works_by_itself_when_etcd_comes_up()
    {
        var endpoint = EtcdProcess.FreeEndpoint();
        await using var server = await StartAsync(new EtcdStore(Etcd.Options(endpoint)), (Group, 1));

        AssertRefused(503, "store_unavailable", await server.LockAsync("a"));
        AssertRefused(503, "store_unavailable", await server.UnlockAsync("a"));
        Assert.Equal(503, (await server.AskAsync(RawClient.Head("GET /readyz"))).Status);
        Assert.Equal(200, (await server.AskAsync(RawClient.Head("GET /healthz"))).Status);

        await using var etcd = await EtcdProcess.StartAsync(endpoint);
        AssertDone(await server.LockAsync("a"));
        AssertRefused(409, "failed_lock_semaphore_full", "1", await server.LockAsync("b"));
        Assert.Equal(200, (await server.AskAsync(RawClient.Head("GET /readyz"))).Status);
    }

    [Fact]
    public async Task A_slow_etcd_is_a_503_within_the_time_out_and_the_servers_recover_with_it()
    {
        await using var etcd = await EtcdProcess.StartAsync();
        var store = etcd.Store();
        await using var server = await StartAsync(store, (Group, 1));
        AssertDone(await server.UnlockAsync("a"));

        await etcd.SuspendAsync();
        store.CallTimeout = Short;
        var waited = Stopwatch.StartNew();
        AssertRefused(503, "store_unavailable", "outcome of this request is unknown", await server.LockAsync("a"));
        Assert.InRange(waited.Elapsed, Short - TimeSpan.FromMilliseconds(100), TestTimeout.Hang);
        AssertRefused(503, "store_unavailable", await server.UnlockAsync("a"));
        await etcd.ResumeAsync();
        store.CallTimeout = TestTimeout.Hang;

        // What was refused may yet be granted, now that etcd finds it; the release puts that right.
        AssertDone(await server.UnlockAsync("a"));
        AssertDone(await server.LockAsync("b"));
        AssertRefused(409, "failed_lock_semaphore_full", "1", await server.LockAsync("a"));
        Assert.Equal(["b"], await server.HoldersAsync());
    }

    [Fact]
    public async Task The_fault_names_the_endpoint_and_the_reason()
    {
        var endpoint = EtcdProcess.FreeEndpoint();
        await using var away = await Etcd.OpenAsync(Etcd.Options(endpoint));
        var name = "etcd at " + endpoint.GetLeftPart(UriPartial.Authority);

        foreach (var use in Uses(away))
        {
            var fault = await Assert.ThrowsAsync<SemaphoreStoreException>(use);
            Assert.StartsWith(name, fault.Message, StringComparison.Ordinal);
            Assert.Contains("Connection refused", fault.Message, StringComparison.Ordinal);
        }

        await using var etcd = await EtcdProcess.StartAsync(endpoint);
        await using var slow = await Etcd.OpenAsync(Etcd.Options(endpoint) with { Timeout = Short });
        await etcd.SuspendAsync();
        foreach (var use in Uses(slow))
        {
            var fault = await Assert.ThrowsAsync<SemaphoreStoreException>(use);
            Assert.StartsWith(name, fault.Message, StringComparison.Ordinal);
            Assert.Contains(" 1 s", fault.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_release_is_not_undone_by_a_grant_that_was_given_up_and_comes_late()
    {
        await using var etcd = await EtcdProcess.StartAsync();
        await using var store = await etcd.OpenAsync();
        var seen = (await store.SaveAsync(Group, StoredSemaphore.None, Held(1), Token)).Current;
        await etcd.SuspendAsync();
        store.CallTimeout = Short;
        await Assert.ThrowsAsync<SemaphoreStoreException>(() => store.SaveAsync(Group, seen, Held(1, "a"), Token));
        store.CallTimeout = TestTimeout.Hang;
        await etcd.KillAsync();
        await etcd.StartAgainAsync();

        // The kill has ended the try for certain, but the store cannot know that: confirming what is stored has to make the late one fail.
        var (isSaved, current) = await store.SaveAsync(Group, seen, seen.Semaphore, Token);
        Assert.True(isSaved);
        Assert.NotEqual(seen.Revision, current.Revision);
        Assert.Equal(new SaveOutcome(true, current), await store.SaveAsync(Group, current, current.Semaphore, Token));
        Assert.Equal(2, (await etcd.GetAsync(Etcd.Key)).Version);
    }

    [Fact]
    public async Task With_the_first_of_two_endpoints_down_every_request_is_served()
    {
        await using var etcd = await EtcdProcess.StartAsync();
        await using var server = await StartAsync(new EtcdStore(Etcd.Options(EtcdProcess.FreeEndpoint(), etcd.Endpoint)), (Group, 1));

        AssertDone(await server.LockAsync("a"));
        AssertRefused(409, "failed_lock_semaphore_full", "1", await server.LockAsync("b"));
        Assert.Equal(["a"], await server.HoldersAsync());
    }

    [Fact]
    public async Task A_save_that_did_not_even_reach_its_endpoint_goes_to_the_next_one()
    {
        await using var etcd = await EtcdProcess.StartAsync();
        using var connection = new EtcdConnection(Etcd.Options(EtcdProcess.FreeEndpoint(), EtcdProcess.FreeEndpoint(), etcd.Endpoint));
        var batch = new EtcdBatch();
        Assert.True(batch.TryAdd(new EtcdSave(Group, StoredSemaphore.None, Held(1, "a"), mustWrite: false), isWrite: true));

        Assert.True((await connection.TxnAsync(batch.CreateRequest())).Succeeded);
    }

    [Fact]
    public async Task When_the_endpoint_in_use_fails_the_next_one_serves()
    {
        await using var etcd = await EtcdProcess.StartAsync();
        using var way = new TcpRelay(etcd.Endpoint);
        using var fleet = new Fleet(slots: 3, machines: 8, canStoreBeAway: true);
        await using (var server = await StartAsync(new EtcdStore(Etcd.Options(way.Endpoint, etcd.Endpoint)), (Group, 3)))
        {
            var work = fleet.WorkAsync(server.Address);
            await fleet.WaitForAnswersAsync(200);
            way.Cut();
            await fleet.WaitForAnswersAsync(200);
            await server.DisposeAsync();
            await work;
        }

        await using var last = await StartAsync(etcd.Store(), (Group, 3));
        fleet.RequireNothingWasLost(await last.HoldersAsync());
        await etcd.AssertNotRestoredAsync();
    }

    [Fact]
    public async Task A_closed_store_says_so()
    {
        await using var etcd = await EtcdProcess.StartAsync();
        var store = await etcd.OpenAsync();
        await store.LoadAllAsync(Token);
        await store.DisposeAsync();

        foreach (var use in Uses(store))
            Assert.Contains("closed", (await Assert.ThrowsAsync<SemaphoreStoreException>(use)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_has_queued_up_is_saved_before_the_store_is_closed()
    {
        await using var etcd = await EtcdProcess.StartAsync();
        var store = await etcd.OpenAsync();
        var saves = Enumerable.Range(0, 100).Select(i => store.SaveAsync("group" + i, StoredSemaphore.None, Held(1, "a"), Token)).ToArray();
        await store.DisposeAsync();

        Assert.All(await Task.WhenAll(saves), outcome => Assert.True(outcome.IsSaved));
    }

    private static Func<Task>[] Uses(EtcdStore store) =>
    [
        () => store.LoadAllAsync(Token),
        () => store.LoadAsync(Group, Token),
        () => store.SaveAsync(Group, StoredSemaphore.None, Held(1, "a"), Token),
    ];
}
