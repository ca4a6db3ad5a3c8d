using System.Diagnostics;
using System.Threading.Channels;
using FleetLock.TestKit;
using Google.Protobuf;
using static FleetLock.Server.Tests.Answers;
using static FleetLock.Server.Tests.Sample;
using static FleetLock.Server.Tests.TestServer;

namespace FleetLock.Server.Tests;

/// <summary>
/// A snapshot is restored while a server cannot reach etcd, and others write before it can, so that the revision is higher than the one that it knows. The
/// counts of writes show it all the same, and nothing else does.
/// </summary>
public sealed class EtcdHistoryTests : IAsyncLifetime
{
    private const string Snapshot = "snapshot.db";

    /// <summary>More than any test loses.</summary>
    private const int Overtaking = 20;

    private EtcdProcess _etcd = null!;
    private TcpRelay _way = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipWhen(EtcdProcess.MissingSnapshots is not null, EtcdProcess.MissingSnapshots ?? "");
        _etcd = await EtcdProcess.StartAsync();
        _way = new TcpRelay(_etcd.Endpoint);
    }

    public async ValueTask DisposeAsync()
    {
        _way?.Dispose();
        if (_etcd is not null)
            await _etcd.DisposeAsync();
    }

    [Fact]
    public async Task Writes_of_another_program_do_not_hide_a_restore()
    {
        await using var server = await StartAsync(StoreOnWay(), (Group, 2));
        Assert.Equal(200, (await server.LockAsync("a")).Status);
        await _etcd.SaveSnapshotAsync(Snapshot);
        Assert.Equal(200, (await server.LockAsync("b")).Status);

        await RestoreUnseenAsync();

        await server.AssertRestoredAsync();
        Assert.Equal(["a"], await server.HoldersAsync());
    }

    [Fact]
    public async Task A_server_that_was_stopped_notices_that_another_one_has_written_on()
    {
        await using var stopped = await StartAsync(StoreOnWay(), (Group, 2));
        Assert.Equal(200, (await stopped.LockAsync("a")).Status);
        await _etcd.SaveSnapshotAsync(Snapshot);
        Assert.Equal(200, (await stopped.LockAsync("b")).Status);

        _way.Cut();
        await _etcd.RestoreSnapshotAsync(Snapshot);
        await using var other = await StartAsync(_etcd.Store(), (Group, 2));
        for (var i = 0; i < Overtaking; i++)
            AssertDone(await other.UnlockAsync("somebody"));
        _way.Mend();

        await stopped.AssertRestoredAsync();
        await other.AssertRestoredAsync();
    }

    [Fact]
    public async Task A_write_is_not_carried_out_on_an_etcd_that_has_lost_one()
    {
        // Without a watch, so that the write itself is what notices it.
        using var connection = new EtcdConnection(Etcd.Options(_way.Endpoint));
        var free = await SaveAsync(StoredSemaphore.None, Held(1));
        await _etcd.SaveSnapshotAsync(Snapshot);
        await SaveAsync(StoredSemaphore.None, Held(1), "another");
        await RestoreUnseenAsync();

        // The group itself has lost nothing.
        SemaphoreStoreException? report = null;
        for (var waited = Stopwatch.StartNew(); report?.Message.Contains("earlier state", StringComparison.Ordinal) != true;)
        {
            report = await Assert.ThrowsAsync<SemaphoreStoreException>(() => SaveAsync(free, Held(1, "b")));
            Assert.True(waited.Elapsed < TestTimeout.Hang, report.Message);
        }

        Assert.Contains(", 1 writes of all servers after 2, 1 of this server after 2)", report.Message, StringComparison.Ordinal);
        Assert.Equal(report.Message, (await _etcd.GetAsync(Etcd.RestoredKey)).Value);
        Assert.Equal(1, (await _etcd.GetAsync(Etcd.Key)).Version);

        async Task<StoredSemaphore> SaveAsync(StoredSemaphore seen, GroupSemaphore desired, string group = Group)
        {
            var batch = new EtcdBatch();
            Assert.True(batch.TryAdd(new EtcdSave(group, seen, desired, mustWrite: false), isWrite: true));
            var response = await connection.TxnAsync(batch.CreateRequest());
            Assert.True(batch.ReadResponse(response, 0).IsSaved);
            return batch.Saves[0].Stored(response.Header.Revision);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_server_that_only_knows_of_a_write_notices_that_it_is_gone(bool isByWatch)
    {
        await using var store = new EtcdStore(Etcd.Options(_way.Endpoint));
        var changes = Channel.CreateUnbounded<string>();
        store.Changed += group => changes.Writer.TryWrite(group);
        await using (var writer = await _etcd.OpenAsync())
        {
            var free = (await writer.SaveAsync(Group, StoredSemaphore.None, Held(1), Token)).Current;
            await _etcd.SaveSnapshotAsync(Snapshot);
            await store.OpenAsync(Token);

            // What it finds when it begins to watch.
            Assert.Equal(Group, await changes.Reader.ReadAsync(Token));
            await writer.SaveAsync(Group, free, Held(1, "a"), Token);
            if (isByWatch)
                Assert.Equal(Group, await changes.Reader.ReadAsync(Token));
            else
                await store.LoadAsync(Group, Token);
        }

        await RestoreUnseenAsync();

        await store.UntilMarkedAsync();
    }

    [Fact]
    public async Task After_it_is_confirmed_all_go_on_without_another_alarm()
    {
        await using var store = await OpenOnWayAsync();
        var free = (await store.SaveAsync(Group, StoredSemaphore.None, Held(1), Token)).Current;
        await _etcd.SaveSnapshotAsync(Snapshot);
        await store.SaveAsync(Group, free, Held(1, "a"), Token);
        await RestoreUnseenAsync();
        await store.UntilMarkedAsync();
        await using var other = await _etcd.OpenAsync();

        Assert.True(await other.ConfirmRestoreAsync(Token));

        for (var i = 2; i < 5; i++)
        {
            foreach (var server in new[] { store, other })
                Assert.True((await server.SaveAsync(Group, await server.LoadAsync(Group, Token), Held(i), Token)).IsSaved);
        }

        await _etcd.AssertNotRestoredAsync();

        // The next one is noticed again.
        await _etcd.SaveSnapshotAsync(Snapshot);
        Assert.True((await store.SaveAsync(Group, await store.LoadAsync(Group, Token), Held(1, "a"), Token)).IsSaved);
        await RestoreUnseenAsync();
        await store.UntilMarkedAsync();
    }

    [Fact]
    public async Task A_write_whose_outcome_is_unknown_is_no_alarm_whether_it_was_carried_out_or_not()
    {
        await using var store = await OpenOnWayAsync();
        var seen = (await store.SaveAsync(Group, StoredSemaphore.None, Held(1), Token)).Current;

        // It is carried out once etcd goes on.
        await _etcd.SuspendAsync();
        store.CallTimeout = TimeSpan.FromSeconds(1);
        await Assert.ThrowsAsync<SemaphoreStoreException>(() => store.SaveAsync(Group, seen, Held(1, "a"), Token));
        store.CallTimeout = TestTimeout.Hang;
        await _etcd.ResumeAsync();
        await SaveTwiceAsync(store);

        // It is not.
        _way.Cut();
        await Assert.ThrowsAsync<SemaphoreStoreException>(() => store.SaveAsync(Group, seen, Held(1, "b"), Token));
        _way.Mend();
        await SaveTwiceAsync(store);

        await _etcd.AssertNotRestoredAsync();
    }

    [Fact]
    public async Task An_older_version_that_counts_nothing_is_no_alarm()
    {
        const string companion = """{"format":1,"configured":1,"holders":{}}""";
        await _etcd.PutPairAsync("""{"total_slots":1,"holders":[]}""", companion);
        await using var store = await _etcd.OpenAsync();
        for (var i = 1; i < 4; i++)
        {
            Assert.True((await store.SaveAsync(Group, await store.LoadAsync(Group, Token), Held(i), Token)).IsSaved);
            await _etcd.PutPairAsync("""{"total_slots":1,"holders":[]}""", companion);
        }

        Assert.False((await store.LoadAllAsync(Token)).IsRestored);
        await _etcd.AssertNotRestoredAsync();
        Assert.Equal(3, (await _etcd.GetAsync(Etcd.SequenceKey)).Version);
    }

    [Fact]
    public async Task The_counts_are_of_all_servers_and_of_each_and_a_server_that_stops_takes_its_own_away()
    {
        await using var first = await _etcd.OpenAsync();
        await using (var second = await _etcd.OpenAsync())
        {
            await first.SaveAsync("first", StoredSemaphore.None, Held(1), Token);
            Assert.Single(await _etcd.WritersAsync());
            var seen = (await second.SaveAsync("second", StoredSemaphore.None, Held(1), Token)).Current;
            await second.SaveAsync("second", seen, seen.Semaphore, Token);
            await second.SaveAsync("second", seen, Held(2), Token);
            await second.LoadAllAsync(Token);

            Assert.Equal(3, (await _etcd.GetAsync(Etcd.SequenceKey)).Version);
            Assert.Equal([1, 2], (await Task.WhenAll((await _etcd.WritersAsync()).Select(_etcd.GetAsync))).Select(key => key.Version).Order());
        }

        var writer = Assert.Single(await _etcd.WritersAsync());
        Assert.Equal(1, (await _etcd.GetAsync(writer)).Version);
        await using (await _etcd.OpenAsync())
            Assert.Equal([writer], await _etcd.WritersAsync());
        Assert.Equal(["first", "second"], (await first.LoadAllAsync(Token)).Semaphores.Keys.Order());
    }

    [Fact]
    public async Task A_server_that_starts_removes_the_oldest_of_very_many_that_were_not_taken_away()
    {
        await using var store = await _etcd.OpenAsync();
        await store.SaveAsync(Group, StoredSemaphore.None, Held(1), Token);
        var own = Assert.Single(await _etcd.WritersAsync());
        await Parallel.ForAsync(0, EtcdWriters.MaxKept, Token, async (i, _) => await _etcd.PutAsync(Etcd.WriterPrefix + "oldest" + i, ""));
        Assert.Equal(EtcdWriters.MaxKept + 1, (await _etcd.WritersAsync()).Length);

        // It has not written for the longest time: the next who starts takes it for one that has ended, and it takes that for a restore.
        await using var other = await _etcd.OpenAsync();
        for (var waited = Stopwatch.StartNew(); (await _etcd.WritersAsync()).Length > EtcdWriters.MaxKept;)
            Assert.True(waited.Elapsed < TestTimeout.Hang, "Nothing is removed.");

        Assert.DoesNotContain(own, await _etcd.WritersAsync());
        await store.UntilMarkedAsync();
    }

    [Fact]
    public void The_oldest_are_removed_unless_they_have_written_since_and_never_ones_own()
    {
        var keys = Enumerable.Range(0, EtcdWriters.MaxKept + 3)
            .Select(i => new EtcdApi.KeyValue { Key = EtcdKeys.Writer(i.ToString("D4", null)), ModRevision = 5000 - i })
            .ToList();
        keys.Add(new EtcdApi.KeyValue { Key = EtcdKeys.Sequence, ModRevision = 1 });
        keys.Add(new EtcdApi.KeyValue { Key = EtcdKeys.Semaphore(Group), ModRevision = 1 });

        var removed = EtcdWriters.CreateRemoval(keys, own: keys[1002].Key)!.Success.Select(operation => operation.RequestTxn).ToList();

        ByteString[] oldest = [keys[1001].Key, keys[1000].Key];
        Assert.Equal(oldest, removed.Select(request => Assert.Single(request.Success).RequestDeleteRange.Key));
        Assert.Equal([3999, 4000], removed.Select(request => Assert.Single(request.Compare).ModRevision));
        Assert.Null(EtcdWriters.CreateRemoval(keys.Take(EtcdWriters.MaxKept + 1), own: keys[0].Key));
        Assert.Equal(64, EtcdWriters.CreateRemoval(keys.Concat(keys).Take(1500), own: keys[0].Key)!.Success.Count);
    }

    [Fact]
    public async Task A_full_batch_is_within_what_etcd_takes_in_a_transaction()
    {
        using var connection = new EtcdConnection(Etcd.Options(_etcd.Endpoint));
        var stored = Enumerable.Repeat(StoredSemaphore.None, 64).ToArray();
        foreach (var isWrite in new[] { true, true, false })
        {
            var batch = new EtcdBatch();
            for (var i = 0; i < stored.Length; i++)
                Assert.True(batch.TryAdd(new EtcdSave("group" + i, stored[i], isWrite ? Held(1, "a") : stored[i].Semaphore, mustWrite: false), isWrite));

            var response = await connection.TxnAsync(batch.CreateRequest());

            Assert.All(Enumerable.Range(0, stored.Length), i => Assert.True(batch.ReadResponse(response, i).IsSaved));
            stored = [.. batch.Saves.Select(save => save.Stored(response.Header.Revision))];
        }
    }

    private static async Task SaveTwiceAsync(EtcdStore store)
    {
        StoredSemaphore? seen = null;
        for (var waited = Stopwatch.StartNew(); seen is null;)
        {
            // A broken connection is found out by the first request.
            await Record.ExceptionAsync(async () => seen = await store.LoadAsync(Group, Token));
            Assert.True(waited.Elapsed < TestTimeout.Hang, "The store has not come back.");
        }

        for (var i = 2; i < 4; i++)
        {
            var (isSaved, current) = await store.SaveAsync(Group, seen, Held(i), Token);
            Assert.True(isSaved);
            seen = current;
        }
    }

    private EtcdStore StoreOnWay() => new(Etcd.Options(_way.Endpoint));

    private Task<EtcdStore> OpenOnWayAsync() => Etcd.OpenAsync(Etcd.Options(_way.Endpoint));

    /// <summary>Restores the snapshot while nobody on the way sees it, and another program writes before they can.</summary>
    private async Task RestoreUnseenAsync()
    {
        _way.Cut();
        await _etcd.RestoreSnapshotAsync(Snapshot);
        for (var i = 0; i < Overtaking; i++)
            await _etcd.PutAsync("of another program", "");
        _way.Mend();
    }
}
