using FleetLock.Server.EtcdApi;
using FleetLock.TestKit;
using static FleetLock.Server.Tests.Answers;
using static FleetLock.Server.Tests.Sample;
using static FleetLock.Server.Tests.TestServer;

namespace FleetLock.Server.Tests;

/// <summary>
/// A grant that one server gave up, and that etcd has not run yet, does not commit once another server has answered the release; nor does a release, once
/// another server has answered the holder's lock. The transaction that is on its way is held back by the test, and sent when it has to lose.
/// </summary>
public sealed class EtcdFenceTests(EtcdFixture fixture) : IClassFixture<EtcdFixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_late_grant_fails_after_an_unlock_that_found_nothing(bool isCancel)
    {
        var etcd = await fixture.EmptyAsync();
        await using var server = await StartAsync(etcd.Store(), (Group, 1));
        AssertDone(await server.UnlockAsync("somebody"));
        var late = await PrepareLateAsync(etcd, seen => seen.Lock("a", Grant, From, Since).Next);

        Assert.Equal(200, (isCancel ? await CancelAsync(server) : await server.UnlockAsync("a")).Status);

        Assert.False(await RunAsync(etcd, late));
        Assert.Empty(await server.HoldersAsync());
        Assert.Equal(200, (await server.LockAsync("b")).Status);
    }

    [Fact]
    public async Task A_late_grant_of_the_first_request_of_a_group_fails_too()
    {
        var etcd = await fixture.EmptyAsync();
        await using var store = await etcd.OpenAsync();
        var late = await PrepareLateAsync(etcd, _ => Held(1, "a"));

        Assert.True((await store.SaveAsync(Group, StoredSemaphore.None, GroupSemaphore.None, mustWrite: true, Token)).IsSaved);

        Assert.False(await RunAsync(etcd, late));
    }

    [Fact]
    public async Task A_late_release_fails_after_the_holder_was_granted_the_slot_again()
    {
        var etcd = await fixture.EmptyAsync();
        await using var server = await StartAsync(etcd.Store(), (Group, 1));
        Assert.Equal(200, (await server.LockAsync("a")).Status);
        var late = await PrepareLateAsync(etcd, seen => seen.Unlock("a").Next);
        Assert.Equal(200, (await server.LockAsync("a")).Status);
        var later = await PrepareLateAsync(etcd, seen => seen.Unlock("a").Next);

        Assert.Equal(200, (await server.LockAsync("a")).Status);

        Assert.False(await RunAsync(etcd, late));
        Assert.False(await RunAsync(etcd, later));
        Assert.Equal(["a"], await server.HoldersAsync());
    }

    [Fact]
    public async Task A_late_grant_of_airlocks_fails_as_well()
    {
        var etcd = await fixture.EmptyAsync();
        await using var server = await StartAsync(etcd.Store(), (Group, 1));
        AssertDone(await server.UnlockAsync("somebody"));
        var (value, version) = await etcd.GetAsync(Etcd.Key);

        AssertDone(await server.UnlockAsync("a"));

        Assert.Equal((value, version + 1), await etcd.GetAsync(Etcd.Key));
        Assert.False(await etcd.TryPutAsync(Etcd.Key, version, """{"total_slots":1,"holders":["a"]}"""));
    }

    [Fact]
    public async Task A_save_fails_where_the_same_revision_has_another_value()
    {
        // Two etcds that have come equally far stand for one before and after a restore that nobody has noticed.
        await using var before = await EtcdProcess.StartAsync();
        await using var after = await EtcdProcess.StartAsync();
        await using var store = await before.OpenAsync();
        var held = (await store.SaveAsync(Group, StoredSemaphore.None, Held(1, "a"), Token)).Current;
        await after.PutPairAsync("""{"total_slots":1,"holders":["b"]}""", (await before.GetAsync(Etcd.CompanionKey)).Value!);
        await using var other = await after.OpenAsync();

        var (isSaved, current) = await other.SaveAsync(Group, held, Held(1), Token);

        Assert.False(isSaved);
        Assert.Equal(["b"], current.Semaphore.Holders.Keys);
        Assert.Equal(((EtcdRevision)held.Revision!).Semaphore, ((EtcdRevision)current.Revision!).Semaphore);
    }

    [Fact]
    public async Task A_lock_that_is_refused_writes_nothing()
    {
        var etcd = await fixture.EmptyAsync();
        await using var server = await StartAsync(etcd.Store(), (Group, 1));
        Assert.Equal(200, (await server.LockAsync("a")).Status);
        var before = await etcd.GetAsync(Etcd.Key);

        Assert.Equal(409, (await server.LockAsync("b")).Status);

        Assert.Equal(before, await etcd.GetAsync(Etcd.Key));
    }

    private static async Task<TxnRequest> PrepareLateAsync(EtcdProcess etcd, Func<GroupSemaphore, GroupSemaphore> change)
    {
        await using var store = await etcd.OpenAsync();
        var seen = await store.LoadAsync(Group, Token);
        var batch = new EtcdBatch();
        Assert.True(batch.TryAdd(new EtcdSave(Group, seen, change(seen.Semaphore), mustWrite: false), isWrite: true));
        return batch.CreateRequest();
    }

    private static async Task<bool> RunAsync(EtcdProcess etcd, TxnRequest request)
    {
        using var connection = new EtcdConnection(Etcd.Options(etcd.Endpoint));
        return (await connection.TxnAsync(request)).Succeeded;
    }

    private static Task<RawResponse> CancelAsync(TestServer server) =>
        server.AskAsync(RawClient.Head($"DELETE /v1/groups/{Group}/grants/{Grant}?id=a", ProtocolHeader));
}
