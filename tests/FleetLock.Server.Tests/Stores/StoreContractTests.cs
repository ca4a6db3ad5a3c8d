using FleetLock.TestKit;
using static FleetLock.Server.Tests.Sample;

namespace FleetLock.Server.Tests;

[Trait("Lane", "Fast")]
public sealed class MemoryStoreContractTests : StoreContractTests
{
    private protected override Task<ISemaphoreStore> CreateAsync(string folder) => Task.FromResult<ISemaphoreStore>(new MemoryStore());
}

public sealed class SqliteStoreContractTests : StoreContractTests
{
    private protected override Task<ISemaphoreStore> CreateAsync(string folder) =>
        Task.FromResult<ISemaphoreStore>(new SqliteStore(Path.Combine(folder, "fleetlock.db")));
}

/// <summary>What every store promises.</summary>
public abstract class StoreContractTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _folder = new();
    private ISemaphoreStore _store = null!;

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

    public async ValueTask InitializeAsync()
    {
        _store = await CreateAsync(_folder.FullName);
        await _store.OpenAsync(Token);
    }

    public async ValueTask DisposeAsync()
    {
        // There is none when the test was skipped.
        if (_store is not null)
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
        Assert.Equal(SlotReply.Full, stored.Semaphore.Lock("a", From, Since).Reply);
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
    public async Task What_is_known_of_a_holder_is_kept_to_the_last_tick()
    {
        await SaveAsync(StoredSemaphore.None, Held(1, "a"));

        Assert.Equal(Holder, (await _store.LoadAsync(Group, Token)).Semaphore.Holders["a"]);
    }

    [Fact]
    public async Task When_a_holder_last_asked_is_kept_and_the_rest_of_it_stays()
    {
        var held = await SaveAsync(StoredSemaphore.None, Held(2, "a", "b"));

        await SaveAsync(held, held.Semaphore.Lock("a", "192.0.2.8", Since.AddHours(1)).Next);

        var loaded = (await _store.LoadAsync(Group, Token)).Semaphore;
        Assert.Equal(Holder with { LastSeen = Since.AddHours(1), Renewals = 1 }, loaded.Holders["a"]);
        Assert.Equal(Holder, loaded.Holders["b"]);
    }

    [Fact]
    public async Task A_holder_that_was_released_and_granted_again_within_one_save_is_the_new_one()
    {
        var held = await SaveAsync(StoredSemaphore.None, Held(1, "a"));

        await SaveAsync(held, held.Semaphore.Unlock("a").Next.Lock("a", "192.0.2.8", Since.AddHours(1)).Next);

        Assert.Equal(
            new SlotHolder(Since.AddHours(1), "192.0.2.8", Since.AddHours(1)) { GrantId = Grant },
            (await _store.LoadAsync(Group, Token)).Semaphore.Holders["a"]);
    }

    [Fact]
    public async Task A_holder_whose_address_is_not_known_is_kept()
    {
        await SaveAsync(StoredSemaphore.None, Held(1).Lock("a", null, Since).Next);

        Assert.Equal(Granted with { From = null }, (await _store.LoadAsync(Group, Token)).Semaphore.Holders["a"]);
    }

    [Fact]
    public async Task A_grant_its_renewals_and_that_it_is_shared_are_kept()
    {
        var held = await SaveAsync(StoredSemaphore.None, Held(2).Lock("a", Grant, From, Since).Next);
        Assert.Equal(Granted, (await _store.LoadAsync(Group, Token)).Semaphore.Holders["a"]);

        var renewed = await SaveAsync(held, held.Semaphore.Lock("a", Grant, From, Since).Next);
        Assert.Equal(Granted with { Renewals = 1 }, (await _store.LoadAsync(Group, Token)).Semaphore.Holders["a"]);

        await SaveAsync(renewed, renewed.Semaphore.Lock("a", OtherGrant, From, Since).Next);
        Assert.Equal(Granted with { Renewals = 2, IsShared = true }, (await _store.LoadAsync(Group, Token)).Semaphore.Holders["a"]);
    }

    [Fact]
    public async Task Cancelled_grants_are_kept_in_their_order()
    {
        var first = Held(1).CancelGrant("b", OtherGrant, Since).Next.CancelGrant("a", Grant, Since).Next.CancelGrant("b", Grant, Since).Next;
        var saved = await SaveAsync(StoredSemaphore.None, first);
        Assert.Equal(first.Cancelled, (await _store.LoadAsync(Group, Token)).Semaphore.Cancelled);

        var second = first.CancelGrant("b", OtherGrant, Since.AddMinutes(1)).Next;
        saved = await SaveAsync(saved, second);
        Assert.Equal(second.Cancelled, (await _store.LoadAllAsync(Token)).Semaphores[Group].Semaphore.Cancelled);

        var third = second.CancelGrant("c", Grant, Since.AddMinutes(60)).Next;
        Assert.Equal(2, third.Cancelled.Count);
        await SaveAsync(saved, third);
        Assert.Equal(third.Cancelled, (await _store.LoadAsync(Group, Token)).Semaphore.Cancelled);
    }

    [Fact]
    public async Task A_fence_makes_every_save_fail_that_has_seen_the_same()
    {
        var seen = await SaveAsync(StoredSemaphore.None, Held(1));

        var (isSaved, fenced) = await _store.SaveAsync(Group, seen, seen.Semaphore, mustWrite: true, Token);

        Assert.True(isSaved);
        Assert.NotEqual(seen.Revision, fenced.Revision);
        await AssertConflictAsync(fenced, () => _store.SaveAsync(Group, seen, Held(1, "late"), Token));
        Assert.Empty((await _store.LoadAsync(Group, Token)).Semaphore.Holders);
    }

    [Fact]
    public async Task A_fence_in_a_group_that_was_never_saved_makes_a_late_first_save_fail()
    {
        var none = StoredSemaphore.None;
        Assert.True((await _store.SaveAsync(Group, none, none.Semaphore, mustWrite: true, Token)).IsSaved);

        Assert.False((await _store.SaveAsync(Group, none, Held(1, "late"), Token)).IsSaved);
    }

    [Fact]
    public async Task A_store_that_never_went_back_is_not_restored_and_has_nothing_to_confirm()
    {
        var saved = await SaveAsync(StoredSemaphore.None, Held(1, "a"));

        Assert.False(saved.IsRestored);
        Assert.False((await _store.LoadAsync(Group, Token)).IsRestored);
        Assert.False((await _store.LoadAsync("none", Token)).IsRestored);
        Assert.False((await _store.LoadAllAsync(Token)).Semaphores[Group].IsRestored);
        Assert.False(await _store.ConfirmRestoreAsync(Token));
    }

    [Fact]
    public async Task What_the_configuration_asked_for_is_kept_beside_the_slots()
    {
        var held = await SaveAsync(StoredSemaphore.None, Held(2, "a").WithSlots(5));
        var loaded = await _store.LoadAsync(Group, Token);
        Assert.Equal((5, 2), (loaded.Semaphore.Slots, loaded.Semaphore.Configured));

        var configured = await SaveAsync(held, held.Semaphore.Configure(5));
        Assert.Equal(5, (await _store.LoadAsync(Group, Token)).Semaphore.Configured);
        await SaveAsync(configured, GroupSemaphore.Restore(5, null, configured.Semaphore.Holders));
        Assert.Null((await _store.LoadAsync(Group, Token)).Semaphore.Configured);
    }

    [Fact]
    public async Task Since_of_another_time_zone_is_the_same_moment()
    {
        var elsewhere = Since.ToOffset(TimeSpan.FromHours(-9.5));
        await SaveAsync(StoredSemaphore.None, Held(1).Lock("a", From, elsewhere).Next);

        Assert.Equal(Since, (await _store.LoadAsync(Group, Token)).Semaphore.Holders["a"].Since);
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
    public async Task Every_write_has_a_revision_of_its_own()
    {
        var first = await SaveAsync(StoredSemaphore.None, Held(1));
        var second = await SaveAsync(first, Held(1, "a"));
        var third = await SaveAsync(second, second.Semaphore.WithSlots(5));

        Assert.Distinct([StoredSemaphore.None.Revision, first.Revision, second.Revision, third.Revision]);
        Assert.Equal(third.Revision, (await _store.LoadAsync(Group, Token)).Revision);
    }

    [Fact]
    public async Task A_writer_that_saw_an_old_revision_saves_nothing()
    {
        var seen = await SaveAsync(StoredSemaphore.None, Held(1));
        var faster = await SaveAsync(seen, Held(1, "faster"));

        await AssertConflictAsync(faster, () => _store.SaveAsync(Group, seen, Held(1, "slower"), Token));

        var loaded = await _store.LoadAsync(Group, Token);
        Assert.Equal(faster.Revision, loaded.Revision);
        Assert.Equal(["faster"], loaded.Semaphore.Holders.Keys);
    }

    [Fact]
    public async Task A_writer_that_saw_no_group_saves_nothing_when_there_is_one_now()
    {
        var faster = await SaveAsync(StoredSemaphore.None, Held(1, "faster"));

        await AssertConflictAsync(faster, () => _store.SaveAsync(Group, StoredSemaphore.None, Held(1, "slower"), Token));
        Assert.Equal(["faster"], (await _store.LoadAsync(Group, Token)).Semaphore.Holders.Keys);
    }

    [Fact]
    public async Task Saving_what_was_seen_confirms_it_and_writes_nothing()
    {
        var seen = await SaveAsync(StoredSemaphore.None, Held(1, "a"));

        Assert.Equal(new SaveOutcome(true, seen), await _store.SaveAsync(Group, seen, seen.Semaphore, Token));
        Assert.Equal(seen.Revision, (await _store.LoadAsync(Group, Token)).Revision);
    }

    [Fact]
    public async Task Confirming_what_was_seen_notices_another_writer()
    {
        var seen = await SaveAsync(StoredSemaphore.None, Held(1, "a"));
        var other = await SaveAsync(seen, Held(1, "b"));

        await AssertConflictAsync(other, () => _store.SaveAsync(Group, seen, seen.Semaphore, Token));
    }

    [Fact]
    public async Task Confirming_that_there_is_no_group_notices_a_new_one()
    {
        var none = StoredSemaphore.None;
        Assert.Equal(new SaveOutcome(true, none), await _store.SaveAsync(Group, none, none.Semaphore, Token));

        var other = await SaveAsync(none, Held(1, "a"));
        await AssertConflictAsync(other, () => _store.SaveAsync(Group, none, none.Semaphore, Token));
    }

    [Fact]
    public async Task All_groups_are_loaded_each_with_its_own_holders()
    {
        await _store.SaveAsync("one", StoredSemaphore.None, Held(1, "a"), Token);
        await _store.SaveAsync("two", StoredSemaphore.None, Held(2, "a", "b"), Token);
        await _store.SaveAsync("none", StoredSemaphore.None, Held(3), Token);

        var contents = await _store.LoadAllAsync(Token);

        Assert.Equal(
            [("none", 3, ""), ("one", 1, "a"), ("two", 2, "a,b")],
            contents.Semaphores.OrderBy(group => group.Key, StringComparer.Ordinal)
                .Select(group => (group.Key, group.Value.Semaphore.Slots, string.Join(',', group.Value.Semaphore.Holders.Keys))));
        Assert.Empty(contents.Damaged);
    }

    [Fact]
    public async Task A_list_that_was_loaded_does_not_change_afterwards()
    {
        var before = await _store.LoadAllAsync(Token);
        await SaveAsync(StoredSemaphore.None, Held(1));

        Assert.Empty(before.Semaphores);
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

            var winner = Assert.Single(await Task.WhenAll(savers), outcome => outcome.IsSaved).Current;

            var loaded = await _store.LoadAsync(Group, Token);
            Assert.Equal(winner.Revision, loaded.Revision);
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

    private protected abstract Task<ISemaphoreStore> CreateAsync(string folder);

    private async Task<StoredSemaphore> SaveAsync(StoredSemaphore seen, GroupSemaphore desired)
    {
        var (isSaved, current) = await _store.SaveAsync(Group, seen, desired, Token);
        Assert.True(isSaved);
        return current;
    }

    /// <summary>A save that comes too late saves nothing, and hears what is stored.</summary>
    private static async Task AssertConflictAsync(StoredSemaphore stored, Func<Task<SaveOutcome>> save)
    {
        var (isSaved, current) = await save();
        Assert.False(isSaved);
        Assert.Equal(stored.Revision, current.Revision);
        Assert.Equal(stored.Semaphore.Holders, current.Semaphore.Holders);
    }
}
