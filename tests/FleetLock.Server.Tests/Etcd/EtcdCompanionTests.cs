using System.Collections.Immutable;
using FleetLock.TestKit;
using static FleetLock.Server.Tests.Answers;
using static FleetLock.Server.Tests.Sample;
using static FleetLock.Server.Tests.TestServer;

namespace FleetLock.Server.Tests;

/// <summary>The companion key: whose data counts, what is kept of other versions, and what is refused.</summary>
public sealed class EtcdCompanionTests(EtcdFixture fixture) : IClassFixture<EtcdFixture>, IAsyncLifetime
{
    private static readonly CancelledGrant Cancelled = new("a", OtherGrant, Since.AddHours(1));

    private EtcdProcess _etcd = null!;
    private EtcdStore _store = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _etcd = await fixture.EmptyAsync();
        _store = await _etcd.OpenAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_store is not null)
            await _store.DisposeAsync();
    }

    [Fact]
    public async Task Its_members_have_these_names()
    {
        var holder = Granted with { LastSeen = Since.AddSeconds(1), Renewals = 2, IsShared = true };
        await SaveAsync(StoredSemaphore.None, Semaphore(holder, [Cancelled]));

        const string cancelled = """[{"id":"a","grant":"fedcba9876543210fedcba9876543210","until":"2026-01-02T04:04:05.6789012Z"}]""";
        const string times = """ "since":"2026-01-02T03:04:05.6789012Z","from":"192.0.2.7","last_seen":"2026-01-02T03:04:06.6789012Z" """;
        const string grant = """ "grant":"0123456789abcdef0123456789abcdef","renewals":2,"shared":true """;
        Assert.Equal(
            """{"format":1,"configured":2,"cancelled":CANCELLED,"holders":{"a":{TIMES,GRANT}}}"""
                .Replace("CANCELLED", cancelled, StringComparison.Ordinal)
                .Replace("TIMES", times.Trim(), StringComparison.Ordinal)
                .Replace("GRANT", grant.Trim(), StringComparison.Ordinal),
            (await _etcd.GetAsync(Etcd.CompanionKey)).Value);
        var loaded = (await _store.LoadAsync(Group, Token)).Semaphore;
        Assert.Equal(holder, loaded.Holders["a"]);
        Assert.Equal([Cancelled], loaded.Cancelled);
    }

    [Fact]
    public async Task Last_seen_is_left_out_while_it_is_since()
    {
        await SaveAsync(StoredSemaphore.None, Semaphore(Granted));

        Assert.DoesNotContain("last_seen", (await _etcd.GetAsync(Etcd.CompanionKey)).Value, StringComparison.Ordinal);
        Assert.Equal(Granted, (await _store.LoadAsync(Group, Token)).Semaphore.Holders["a"]);
    }

    [Fact]
    public async Task A_value_without_a_format_is_read_as_version_1_wrote_it()
    {
        await PutBothAsync("""{"configured":2,"holders":{"a":{"since":"2026-01-02T03:04:05.6789012Z","from":"192.0.2.7","asked":"2026-01-02T03:04:06.6789012Z"}}}""");

        var loaded = (await _store.LoadAsync(Group, Token)).Semaphore;

        Assert.Equal((2, Holder with { LastSeen = Since.AddSeconds(1) }), (loaded.Configured, loaded.Holders["a"]));
    }

    [Fact]
    public async Task After_airlock_has_written_nothing_is_known_of_holders_and_all_of_the_group()
    {
        var seen = await SaveAsync(StoredSemaphore.None, Semaphore(Granted, [Cancelled]));

        // airlock has released and granted the id again; to it, nothing has changed.
        await _etcd.PutAsync(Etcd.Key, """{"total_slots":3,"holders":["a"]}""");

        var loaded = await _store.LoadAsync(Group, Token);
        Assert.Equal((2, SlotHolder.Unknown), (loaded.Semaphore.Configured, loaded.Semaphore.Holders["a"]));
        Assert.Equal([Cancelled], loaded.Semaphore.Cancelled);
        Assert.False((await _store.SaveAsync(Group, seen, seen.Semaphore, mustWrite: true, Token)).IsSaved);

        // A fence writes both keys. It must not make the old data valid again.
        var fenced = await _store.SaveAsync(Group, loaded, loaded.Semaphore, mustWrite: true, Token);
        Assert.True(fenced.IsSaved);
        var after = await _store.LoadAsync(Group, Token);
        Assert.Equal(fenced.Current.Revision, after.Revision);
        Assert.Equal(SlotHolder.Unknown, after.Semaphore.Holders["a"]);
    }

    [Fact]
    public async Task A_write_of_the_companion_alone_is_noticed()
    {
        var seen = await SaveAsync(StoredSemaphore.None, Semaphore(Granted));
        await _etcd.PutAsync(Etcd.CompanionKey, """{"format":1}""");

        var (isSaved, current) = await _store.SaveAsync(Group, seen, seen.Semaphore, Token);

        Assert.False(isSaved);
        Assert.Equal(SlotHolder.Unknown, current.Semaphore.Holders["a"]);
    }

    [Fact]
    public async Task Members_of_another_version_are_kept_while_they_are_valid()
    {
        await PutBothAsync(
            """{"freeze":{"until":"2027-01-01T00:00:00Z","by":["ops"]},"configured":2,"cooldown": 60 ,"holders":{"a":{"grant":"old","note":"disk\u0021","boot_id":"7"}}}""");
        var loaded = await _store.LoadAsync(Group, Token);
        const string kept = """ "freeze":{"until":"2027-01-01T00:00:00Z","by":["ops"]},"cooldown":60 """;

        var other = await SaveAsync(loaded, loaded.Semaphore.Lock("b", Grant, null, Since).Next);
        Assert.StartsWith(
            $$"""{"format":1,"configured":2,{{kept.Trim()}},"holders":{"a":{"grant":"old","note":"disk\u0021","boot_id":"7"},"b":{""",
            (await _etcd.GetAsync(Etcd.CompanionKey)).Value,
            StringComparison.Ordinal);

        // A hold of its own, although the id is the same.
        var again = await SaveAsync(other, other.Semaphore.Unlock("a").Next.Lock("a", OtherGrant, null, Since).Next);
        var value = (await _etcd.GetAsync(Etcd.CompanionKey)).Value!;
        Assert.Contains(kept.Trim(), value, StringComparison.Ordinal);
        Assert.DoesNotContain("note", value, StringComparison.Ordinal);

        await _etcd.PutAsync(Etcd.Key, """{"total_slots":2,"holders":["a"]}""");
        var ofAirlock = await _store.LoadAsync(Group, Token);
        await SaveAsync(ofAirlock, ofAirlock.Semaphore.Unlock("a").Next);
        Assert.Contains(kept.Trim(), (await _etcd.GetAsync(Etcd.CompanionKey)).Value, StringComparison.Ordinal);
        Assert.NotEqual(again.Revision, ofAirlock.Revision);
    }

    [Fact]
    public async Task A_holders_unknown_members_end_when_airlock_has_written()
    {
        await PutBothAsync("""{"holders":{"a":{"note":"disk"}}}""");
        await _etcd.PutAsync(Etcd.Key, """{"total_slots":2,"holders":["a"]}""");

        var loaded = await _store.LoadAsync(Group, Token);
        await SaveAsync(loaded, loaded.Semaphore.WithSlots(3));

        Assert.DoesNotContain("note", (await _etcd.GetAsync(Etcd.CompanionKey)).Value, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"format":2,"holders":[]}""", "2")]
    [InlineData("""{"holders":["another form"],"format":99999999999}""", "99999999999")]
    [InlineData("""{"format":"two"}""", "two")]
    [InlineData("""{"format":0}""", "0")]
    [InlineData("""{"format":{}}""", "that is not a number")]
    [InlineData("""{"format":2,"and this is cut off""", "2")]
    public async Task A_newer_format_is_refused_for_its_group_alone_and_left_as_it_is(string value, string format)
    {
        var seen = await SaveAsync(StoredSemaphore.None, Held(1));
        var other = (await _store.SaveAsync("other", StoredSemaphore.None, Held(1), Token)).Current;
        await _etcd.PutAsync(Etcd.CompanionKey, value);
        var before = await _etcd.GetAsync(Etcd.CompanionKey);

        // In one batch with another group too.
        var (refused, saved) = (_store.SaveAsync(Group, seen, Held(1, "a"), Token), _store.SaveAsync("other", other, Held(1, "a"), Token));
        Assert.True((await saved).IsSaved);
        foreach (var use in new Func<Task>[] { () => refused, () => _store.LoadAsync(Group, Token), () => _store.SaveAsync(Group, seen, seen.Semaphore, Token) })
        {
            var error = await Assert.ThrowsAsync<SemaphoreStoreException>(use);
            Assert.Contains($"{Etcd.CompanionKey} has format {format}, and this version reads up to format 1", error.Message, StringComparison.Ordinal);
        }

        Assert.False((await Assert.ThrowsAsync<SemaphoreStoreException>(() => refused)).MayHaveSaved);
        var contents = await _store.LoadAllAsync(Token);
        Assert.Equal(["other"], contents.Semaphores.Keys);
        Assert.Equal([Group], contents.Damaged.Keys);
        Assert.Equal(before, await _etcd.GetAsync(Etcd.CompanionKey));
    }

    [Fact]
    public async Task A_server_does_not_serve_a_group_with_a_newer_format_and_serves_the_others()
    {
        await _etcd.PutAsync(Etcd.CompanionKey, """{"format":2}""");
        await using var server = await StartAsync(_etcd.Store(), (Group, 1), ("other", 1));

        AssertRefused(503, "store_unavailable", "nothing was done", await server.LockAsync("a"));
        AssertRefused(503, "store_unavailable", "nothing was done", await server.UnlockAsync("a"));
        Assert.Equal(200, (await server.LockAsync("a", "other")).Status);
        Assert.Contains("format 2", (await server.GroupAsync()).Fault, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_belongs_to_the_group_outlives_a_semaphore_that_an_operator_deletes()
    {
        var seen = await SaveAsync(StoredSemaphore.None, Semaphore(Granted, [Cancelled]));
        await _etcd.DeleteAsync(Etcd.Key);

        var (isSaved, current) = await _store.SaveAsync(Group, seen, seen.Semaphore, Token);

        Assert.False(isSaved);
        Assert.Equal((2, 2), (current.Semaphore.Slots, current.Semaphore.Configured));
        Assert.Empty(current.Semaphore.Holders);
        Assert.Equal([Cancelled], current.Semaphore.Cancelled);
        var next = await SaveAsync(current, current.Semaphore.Lock("b", Grant, From, Since).Next);
        Assert.Equal(next.Revision, (await _store.LoadAsync(Group, Token)).Revision);
    }

    [Fact]
    public async Task As_many_cancelled_grants_as_a_group_keeps_fit_into_etcd_with_the_longest_ids()
    {
        var semaphore = Held(1, "a");
        for (var i = 0; i < CancelledGrant.MaxKept + 10; i++)
            semaphore = semaphore.CancelGrant(i.ToString("D4", null) + new string('é', 251), GrantId.Create(), Since).Next;

        var saved = await SaveAsync(StoredSemaphore.None, semaphore);
        await SaveAsync(saved, saved.Semaphore.Unlock("a").Next);

        Assert.Equal(semaphore.Cancelled, (await _store.LoadAsync(Group, Token)).Semaphore.Cancelled);
        Assert.Equal(CancelledGrant.MaxKept, semaphore.Cancelled.Count);
    }

    private static GroupSemaphore Semaphore(SlotHolder holder, ImmutableList<CancelledGrant>? cancelled = null) =>
        GroupSemaphore.Restore(3, 2, ImmutableSortedDictionary.Create<string, SlotHolder>(StringComparer.Ordinal).Add("a", holder), cancelled);

    private Task PutBothAsync(string companion) => _etcd.PutPairAsync("""{"total_slots":2,"holders":["a"]}""", companion);

    private async Task<StoredSemaphore> SaveAsync(StoredSemaphore seen, GroupSemaphore desired)
    {
        var (isSaved, current) = await _store.SaveAsync(Group, seen, desired, Token);
        Assert.True(isSaved);
        return current;
    }
}
