using System.Diagnostics;
using FleetLock.TestKit;
using static FleetLock.Server.Tests.Answers;
using static FleetLock.Server.Tests.Sample;
using static FleetLock.Server.Tests.TestServer;

namespace FleetLock.Server.Tests;

/// <summary>A snapshot that is restored under running servers: nobody grants until an administrator confirms it.</summary>
public sealed class EtcdRestoreTests : IAsyncLifetime
{
    private const string Snapshot = "snapshot.db";

    private EtcdProcess _etcd = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipWhen(EtcdProcess.MissingSnapshots is not null, EtcdProcess.MissingSnapshots ?? "");
        _etcd = await EtcdProcess.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_etcd is not null)
            await _etcd.DisposeAsync();
    }

    [Theory]
    [InlineData("etcd-cluster")]
    [InlineData("another-cluster")]
    public async Task Two_servers_grant_nothing_after_a_restore_until_it_is_confirmed(string cluster)
    {
        await using var first = await _etcd.OpenAsync();
        await using var second = await _etcd.OpenAsync();
        var free = (await first.SaveAsync(Group, StoredSemaphore.None, Held(1), Token)).Current;
        await _etcd.SaveSnapshotAsync(Snapshot);
        var held = (await first.SaveAsync(Group, free, Held(1, "a"), Token)).Current;
        Assert.Equal(["a"], (await second.LoadAsync(Group, Token)).Semaphore.Holders.Keys);

        await _etcd.RestoreSnapshotAsync(Snapshot, cluster);

        // Whichever of them notices first reports it; the other may find the mark.
        var (saved, reports) = (false, new List<string>());
        try
        {
            saved = (await second.SaveAsync(Group, free, Held(1, "b"), Token)).IsSaved;
        }
        catch (SemaphoreStoreException e)
        {
            reports.Add(e.Message);
        }

        Assert.False(saved);
        reports.AddRange([.. await first.UntilMarkedAsync(), .. await second.UntilMarkedAsync()]);

        // The mark may be seen a moment before the report of it.
        for (var waited = Stopwatch.StartNew(); !reports.Exists(IsReport);)
        {
            Assert.True(waited.Elapsed < TestTimeout.Hang, "Nobody has reported it.");
            foreach (var store in new[] { first, second })
            {
                if (await Record.ExceptionAsync(() => store.LoadAsync(Group, Token)) is { } report)
                    reports.Add(report.Message);
            }
        }

        foreach (var store in new[] { first, second })
        {
            var loaded = await store.LoadAsync(Group, Token);
            Assert.True(loaded.IsRestored);
            Assert.True((await store.LoadAsync("unknown", Token)).IsRestored);
            Assert.All((await store.LoadAllAsync(Token)).Semaphores.Values, semaphore => Assert.True(semaphore.IsRestored));
            foreach (var seen in new[] { free, held, loaded with { IsRestored = false }, StoredSemaphore.None })
                Assert.False((await store.SaveAsync(Group, seen, Held(1, "c"), mustWrite: true, Token)).IsSaved);
        }

        // What has seen the mark may save: releases go on.
        var marked = await first.LoadAsync(Group, Token);
        var released = await first.SaveAsync(Group, marked, Held(1), mustWrite: true, Token);
        Assert.True(released is { IsSaved: true, Current.IsRestored: true });

        Assert.True(await second.ConfirmRestoreAsync(Token));
        Assert.False(await second.ConfirmRestoreAsync(Token));
        var conflict = await first.SaveAsync(Group, released.Current, Held(1, "c"), Token);
        Assert.True(conflict is { IsSaved: false, Current.IsRestored: false });
        var next = await first.SaveAsync(Group, conflict.Current, Held(1, "c"), Token);
        Assert.True(next.IsSaved);
        Assert.True((await second.SaveAsync(Group, next.Current, Held(1), Token)).IsSaved);
        Assert.False((await first.LoadAsync(Group, Token)).IsRestored);
    }

    [Fact]
    public async Task Servers_refuse_locks_and_take_releases_and_a_new_one_knows_of_it()
    {
        await using (var first = await StartAsync(_etcd.Store(), (Group, 2)))
        {
            Assert.Equal(200, (await first.LockAsync("a")).Status);
            await _etcd.SaveSnapshotAsync(Snapshot);
            Assert.Equal(200, (await first.LockAsync("b")).Status);
            await _etcd.RestoreSnapshotAsync(Snapshot);

            // store_unavailable, unless the watch has noticed it before.
            Assert.Equal(503, (await first.LockAsync("c")).Status);
            await first.AssertRestoredAsync();
        }

        await using var second = await StartAsync(_etcd.Store(), (Group, 2));
        await second.AssertRestoredAsync();
        Assert.True((await second.GroupAsync()).StoreRestored);
        AssertDone(await second.UnlockAsync("a"));

        await using var administrator = await _etcd.OpenAsync();
        Assert.True(await administrator.ConfirmRestoreAsync(Token));
        Assert.Equal(200, (await second.LockAsync("c")).Status);
        Assert.False((await second.GroupAsync()).StoreRestored);
    }

    [Fact]
    public async Task A_server_that_is_idle_notices_it_by_its_watch()
    {
        await using var store = await _etcd.OpenAsync();
        await store.SaveAsync(Group, StoredSemaphore.None, Held(1), Token);
        await _etcd.SaveSnapshotAsync(Snapshot);
        await store.SaveAsync("another", StoredSemaphore.None, Held(1), Token);

        await _etcd.RestoreSnapshotAsync(Snapshot);

        for (var waited = Stopwatch.StartNew(); (await _etcd.GetAsync(Etcd.RestoredKey)).Value is null;)
            Assert.True(waited.Elapsed < TestTimeout.Hang, "The store has not noticed.");
        Assert.Contains("went back to an earlier state (revision ", (await _etcd.GetAsync(Etcd.RestoredKey)).Value, StringComparison.Ordinal);

        // The first of its next requests reports it.
        for (var waited = Stopwatch.StartNew(); await Record.ExceptionAsync(() => store.LoadAllAsync(Token)) is not { } error || !IsReport(error.Message);)
            Assert.True(waited.Elapsed < TestTimeout.Hang, "The store has not reported it.");
        Assert.Empty(await store.UntilMarkedAsync());
    }

    [Fact]
    public async Task The_watch_goes_on_after_a_restore()
    {
        await using var store = await _etcd.OpenAsync();
        await using var other = await _etcd.OpenAsync();
        await other.SaveAsync(Group, StoredSemaphore.None, Held(1), Token);
        await _etcd.SaveSnapshotAsync(Snapshot);

        // The watch is to continue at a revision that the restored etcd is far from.
        for (var i = 0; i < 20; i++)
            await _etcd.PutAsync("com.coreos.airlock/groups/more/v1/semaphore", """{"total_slots":1,"holders":[]}""");
        await other.LoadAsync(Group, Token);
        await store.LoadAsync(Group, Token);
        await _etcd.RestoreSnapshotAsync(Snapshot);
        await other.UntilMarkedAsync();
        await store.UntilMarkedAsync();
        var changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        store.Changed += group => changed.TrySetResult();

        var marked = await other.LoadAsync(Group, Token);
        Assert.True((await other.SaveAsync(Group, marked, Held(2), Token)).IsSaved);

        await changed.Task.WaitAsync(TestTimeout.Hang, Token);
    }

    [Fact]
    public async Task A_restart_or_a_compaction_of_etcd_is_not_a_restore()
    {
        await using var store = await _etcd.OpenAsync();
        var seen = (await store.SaveAsync(Group, StoredSemaphore.None, Held(1), Token)).Current;
        await _etcd.CompactAsync();
        await _etcd.KillAsync();
        await _etcd.StartAgainAsync();

        for (var i = 0; i < 3; i++)
            await Record.ExceptionAsync(() => store.LoadAsync(Group, Token));

        Assert.Equal(seen, await store.LoadAsync(Group, Token) with { Semaphore = seen.Semaphore });
        Assert.True((await store.SaveAsync(Group, seen, Held(2), Token)).IsSaved);
        Assert.Null((await _etcd.GetAsync(Etcd.RestoredKey)).Value);
    }

    [Fact]
    public async Task The_mark_is_not_a_group_and_airlock_reads_none_of_it()
    {
        await using var store = await _etcd.OpenAsync();
        await _etcd.PutAsync(Etcd.RestoredKey, "by hand");

        var contents = await store.LoadAllAsync(Token);

        Assert.Empty(contents.Semaphores);
        Assert.Empty(contents.Damaged);

        // airlock reads and writes the keys of its groups alone, which have no colon.
        Assert.False((await store.SaveAsync(":fleetlock", StoredSemaphore.None, Held(1), Token)).IsSaved);
        Assert.True((await store.SaveAsync(":fleetlock", StoredSemaphore.None with { IsRestored = true }, Held(1), Token)).IsSaved);
        Assert.Contains("com.coreos.airlock/groups/%3Afleetlock/v1/semaphore", await _etcd.KeysAsync());
        Assert.True(await store.ConfirmRestoreAsync(Token));
        Assert.False((await store.LoadAsync(":fleetlock", Token)).IsRestored);
    }

    private static bool IsReport(string message) => message.Contains("went back to an earlier state", StringComparison.Ordinal)
        && message.Contains("fleetlockctl confirm-restore", StringComparison.Ordinal);
}
