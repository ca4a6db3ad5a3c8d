using System;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using FleetLock.TestKit;
using Xunit;
using static FleetLock.Server.Tests.Sample;

namespace FleetLock.Server.Tests;

public sealed class MemoryStoreContractTests : StoreContractTests
{
    private protected override ISemaphoreStore Create(string folder) => new MemoryStore();
}

public sealed class SqliteStoreContractTests : StoreContractTests
{
    private protected override ISemaphoreStore Create(string folder) => new SqliteStore(Path.Combine(folder, "fleetlock.db"));
}

/// <summary>What every store promises.</summary>
public abstract class StoreContractTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _folder = new();
    private readonly ISemaphoreStore _store;

    protected StoreContractTests() => _store = Create(_folder.FullName);

    /// <summary>Ids that SQL, text encodings and string comparisons like to get wrong.</summary>
    public static TheoryData<string> OddIds =>
    [
        "'; DROP TABLE holders; --",
        "\"quoted\"",
        "back\\slash",
        "per%cent_",
        " leading and trailing ",
        "machine-é",
        "machine-e\u0301",
        "節點",
        "😀",
        "null",
        "$id",
        "0123",
        new string('x', 255),
    ];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await _store.OpenAsync(Token);

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        _folder.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task A_group_that_was_never_saved_does_not_exist()
    {
        var stored = await _store.LoadAsync(Group, Token);

        Assert.False(stored.Exists);
        Assert.Empty(stored.Semaphore.Holders);
        Assert.Equal(SlotReply.Full, stored.Semaphore.Lock("a", Since).Reply);
    }

    [Fact]
    public async Task What_was_saved_is_loaded()
    {
        await SaveAsync(StoredSemaphore.None, Held(3, "a", "b"));

        var loaded = await _store.LoadAsync(Group, Token);

        Assert.True(loaded.Exists);
        Assert.Equal(3, loaded.Semaphore.Slots);
        Assert.Equal(["a", "b"], loaded.Semaphore.Holders.Keys);
    }

    [Fact]
    public async Task Since_is_kept_to_the_last_tick()
    {
        await SaveAsync(StoredSemaphore.None, Held(1, "a"));

        Assert.Equal(Since, (await _store.LoadAsync(Group, Token)).Semaphore.Holders["a"]);
    }

    [Fact]
    public async Task Since_of_another_time_zone_is_the_same_moment()
    {
        var elsewhere = Since.ToOffset(TimeSpan.FromHours(-9.5));
        await SaveAsync(StoredSemaphore.None, GroupSemaphore.Empty(1).Lock("a", elsewhere).Next);

        Assert.Equal(Since, (await _store.LoadAsync(Group, Token)).Semaphore.Holders["a"]);
    }

    [Theory]
    [MemberData(nameof(OddIds))]
    public async Task An_odd_id_is_kept_as_it_is_and_can_be_removed(string id)
    {
        var held = await SaveAsync(StoredSemaphore.None, Held(3, id, "other"));
        Assert.Contains(id, (await _store.LoadAsync(Group, Token)).Semaphore.Holders.Keys);

        await SaveAsync(held, held.Semaphore.Unlock(id).Next);
        Assert.Equal(["other"], (await _store.LoadAsync(Group, Token)).Semaphore.Holders.Keys);
    }

    [Fact]
    public async Task Ids_that_differ_only_in_case_are_two_holders()
    {
        await SaveAsync(StoredSemaphore.None, Held(2, "node", "NODE"));

        Assert.Equal(["NODE", "node"], (await _store.LoadAsync(Group, Token)).Semaphore.Holders.Keys);
    }

    [Fact]
    public async Task Groups_that_differ_only_in_case_are_two_groups()
    {
        await SaveAsync(StoredSemaphore.None, Held(1, "a"));

        Assert.False((await _store.LoadAsync("WORKERS", Token)).Exists);
    }

    [Fact]
    public async Task More_holders_than_slots_are_kept()
    {
        await SaveAsync(StoredSemaphore.None, Held(0, "a", "b"));

        Assert.Equal(2, (await _store.LoadAsync(Group, Token)).Semaphore.Holders.Count);
    }

    [Fact]
    public async Task Each_write_counts_the_revision_up_by_one()
    {
        var first = await SaveAsync(StoredSemaphore.None, Held(1));
        var second = await SaveAsync(first, Held(1, "a"));
        var third = await SaveAsync(second, second.Semaphore.WithSlots(5));

        Assert.Equal([1, 2, 3], [first.Revision, second.Revision, third.Revision]);
        Assert.Equal(3, (await _store.LoadAsync(Group, Token)).Revision);
    }

    [Fact]
    public async Task A_writer_that_saw_an_old_revision_saves_nothing()
    {
        var seen = await SaveAsync(StoredSemaphore.None, Held(1));
        await SaveAsync(seen, Held(1, "faster"));

        Assert.Null(await _store.SaveAsync(Group, seen, Held(1, "slower"), Token));

        var loaded = await _store.LoadAsync(Group, Token);
        Assert.Equal(2, loaded.Revision);
        Assert.Equal(["faster"], loaded.Semaphore.Holders.Keys);
    }

    [Fact]
    public async Task A_writer_that_saw_no_group_saves_nothing_when_there_is_one_now()
    {
        await SaveAsync(StoredSemaphore.None, Held(1, "faster"));

        Assert.Null(await _store.SaveAsync(Group, StoredSemaphore.None, Held(1, "slower"), Token));
        Assert.Equal(["faster"], (await _store.LoadAsync(Group, Token)).Semaphore.Holders.Keys);
    }

    [Fact]
    public async Task Saving_what_was_seen_confirms_it_and_writes_nothing()
    {
        var seen = await SaveAsync(StoredSemaphore.None, Held(1, "a"));

        Assert.Equal(seen, await _store.SaveAsync(Group, seen, seen.Semaphore, Token));
        Assert.Equal(1, (await _store.LoadAsync(Group, Token)).Revision);
    }

    [Fact]
    public async Task Confirming_what_was_seen_notices_another_writer()
    {
        var seen = await SaveAsync(StoredSemaphore.None, Held(1, "a"));
        await SaveAsync(seen, Held(1));

        Assert.Null(await _store.SaveAsync(Group, seen, seen.Semaphore, Token));
    }

    [Fact]
    public async Task Confirming_that_there_is_no_group_notices_a_new_one()
    {
        var none = StoredSemaphore.None;
        Assert.Equal(none, await _store.SaveAsync(Group, none, none.Semaphore, Token));

        await SaveAsync(none, Held(1, "a"));
        Assert.Null(await _store.SaveAsync(Group, none, none.Semaphore, Token));
    }

    [Fact]
    public async Task All_groups_are_loaded_each_with_its_own_holders()
    {
        await _store.SaveAsync("one", StoredSemaphore.None, Held(1, "a"), Token);
        await _store.SaveAsync("two", StoredSemaphore.None, Held(2, "a", "b"), Token);
        await _store.SaveAsync("none", StoredSemaphore.None, Held(3), Token);

        var all = await _store.LoadAllAsync(Token);

        Assert.Equal(
            [("none", 3, ""), ("one", 1, "a"), ("two", 2, "a,b")],
            all.OrderBy(group => group.Key, StringComparer.Ordinal)
                .Select(group => (group.Key, group.Value.Semaphore.Slots, string.Join(',', group.Value.Semaphore.Holders.Keys))));
    }

    [Fact]
    public async Task A_list_that_was_loaded_does_not_change_afterwards()
    {
        var before = await _store.LoadAllAsync(Token);
        await SaveAsync(StoredSemaphore.None, Held(1));

        Assert.Empty(before);
    }

    [Fact]
    public async Task Of_many_that_save_the_same_revision_exactly_one_wins()
    {
        var seen = StoredSemaphore.None;
        for (var round = 0; round < 50; round++)
        {
            var start = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var savers = Enumerable.Range(0, 8).Select(async saver =>
            {
                await start.Task;
                return await _store.SaveAsync(Group, seen, Held(1, $"round {round} saver {saver}"), Token);
            }).ToArray();
            start.SetResult();

            var winner = Assert.Single(await Task.WhenAll(savers), saved => saved is not null)!;

            var loaded = await _store.LoadAsync(Group, Token);
            Assert.Equal(round + 1, loaded.Revision);
            Assert.Equal(winner.Semaphore.Holders, loaded.Semaphore.Holders);
            seen = winner;
        }
    }

    [Fact]
    public async Task A_store_can_be_disposed_of_twice()
    {
        await _store.DisposeAsync();
        await _store.DisposeAsync();
    }

    private protected abstract ISemaphoreStore Create(string folder);

    private async Task<StoredSemaphore> SaveAsync(StoredSemaphore seen, GroupSemaphore desired)
    {
        var saved = await _store.SaveAsync(Group, seen, desired, Token);
        Assert.NotNull(saved);
        return saved;
    }
}
