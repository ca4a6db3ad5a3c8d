using FleetLock.TestKit;
using static FleetLock.Server.Tests.Sample;

namespace FleetLock.Server.Tests;

/// <summary>Keys and values in etcd: airlock's to the byte, and ours beside them.</summary>
public sealed class EtcdValueTests(EtcdFixture fixture) : IClassFixture<EtcdFixture>, IAsyncLifetime
{
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
    public async Task A_semaphore_is_airlocks_key_and_value_with_the_holders_sorted()
    {
        await SaveAsync(StoredSemaphore.None, Held(3, "b", "a", "B"));

        Assert.Equal("""{"total_slots":3,"holders":["B","a","b"]}""", (await _etcd.GetAsync(Etcd.Key)).Value);
    }

    [Fact]
    public async Task A_semaphore_without_holders_has_an_empty_list()
    {
        await SaveAsync(StoredSemaphore.None, Held(2));

        Assert.Equal("""{"total_slots":2,"holders":[]}""", (await _etcd.GetAsync(Etcd.Key)).Value);
    }

    [Fact]
    public async Task Holders_are_sorted_by_their_bytes_as_Go_does()
    {
        // In UTF-16, U+1F600 begins with 0xD83D and comes before U+FF21; in UTF-8 it comes after it.
        await SaveAsync(StoredSemaphore.None, Held(3, "\U0001F600", "\uFF21", "a"));

        var value = (await _etcd.GetAsync(Etcd.Key)).Value!;
        using var json = System.Text.Json.JsonDocument.Parse(value);
        Assert.Equal(["a", "\uFF21", "\U0001F600"], json.RootElement.GetProperty("holders").EnumerateArray().Select(id => id.GetString()));
    }

    [Theory]
    [InlineData("default", "default")]
    [InlineData("Rack-7.b", "Rack-7.b")]
    [InlineData("a b", "a+b")]
    [InlineData("a/b+c%", "a%2Fb%2Bc%25")]
    [InlineData("é_~", "%C3%A9_~")]
    public async Task A_groups_name_is_escaped_as_airlock_does(string group, string escaped)
    {
        Assert.True((await _store.SaveAsync(group, StoredSemaphore.None, Held(1, "a"), Token)).IsSaved);

        Assert.Equal([$"com.coreos.airlock/groups/{escaped}/v1/fleetlock", $"com.coreos.airlock/groups/{escaped}/v1/semaphore"], await _etcd.GroupKeysAsync());
        Assert.Equal([group], (await _store.LoadAllAsync(Token)).Semaphores.Keys);
        Assert.Equal(["a"], (await _store.LoadAsync(group, Token)).Semaphore.Holders.Keys);
    }

    [Theory]
    [InlineData("""{"total_slots":2,"holders":["a","b"]}""", 2, "a,b")]
    [InlineData("""{"total_slots":2,"holders":[]}""", 2, "")]
    [InlineData("""{"total_slots":2,"holders":null}""", 2, "")]
    [InlineData("""{"total_slots":0,"holders":["b","a"]}""", 0, "a,b")]
    [InlineData("""{"holders":["a\u003cb"],"more":{"holders":["x"],"total_slots":9},"total_slots":1}""", 1, "a<b")]
    public async Task What_airlock_wrote_is_read(string value, int slots, string holders)
    {
        await _etcd.PutAsync(Etcd.Key, value);

        var loaded = await _store.LoadAsync(Group, Token);

        Assert.True(loaded.Exists);
        Assert.Equal((slots, null, holders), (loaded.Semaphore.Slots, loaded.Semaphore.Configured, string.Join(',', loaded.Semaphore.Holders.Keys)));
        Assert.All(loaded.Semaphore.Holders.Values, holder => Assert.Equal(SlotHolder.Unknown, holder));
    }

    [Fact]
    public async Task What_is_known_of_holders_ends_when_airlock_has_rewritten_the_value()
    {
        await SaveAsync(StoredSemaphore.None, Held(3, "a", "b"));

        await _etcd.PutAsync(Etcd.Key, """{"total_slots":3,"holders":["a","c"]}""");

        var loaded = (await _store.LoadAsync(Group, Token)).Semaphore;
        Assert.Equal(3, loaded.Configured);
        Assert.Equal(["a", "c"], loaded.Holders.Keys);
        Assert.All(loaded.Holders.Values, holder => Assert.Equal(SlotHolder.Unknown, holder));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("""{"holders":{"a":{"since":"yesterday"}}}""")]
    [InlineData("""{"holders":["a"]}""")]
    [InlineData("""{"configured":"3"}""")]
    public async Task What_we_know_is_not_missed_when_it_is_gone_or_damaged(string? extras)
    {
        var seen = await SaveAsync(StoredSemaphore.None, Held(3, "a"));
        if (extras is null)
            await _etcd.DeleteAsync(Etcd.CompanionKey);
        else
            await _etcd.PutAsync(Etcd.CompanionKey, extras);

        var loaded = await _store.LoadAsync(Group, Token);

        Assert.NotEqual(seen.Revision, loaded.Revision);
        Assert.Equal(SlotHolder.Unknown, Assert.Single(loaded.Semaphore.Holders).Value);
        Assert.True((await _store.SaveAsync(Group, loaded, Held(3, "a", "b"), Token)).IsSaved);
        Assert.Equal(Held(3, "a", "b").Holders, (await _store.LoadAsync(Group, Token)).Semaphore.Holders);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("hello")]
    [InlineData("""{"total_slots":1}""")]
    [InlineData("""{"holders":[]}""")]
    [InlineData("""{"total_slots":1,"holders":["a"]""")]
    [InlineData("""{"total_slots":1,"holders":["a"]}}""")]
    [InlineData("""{"total_slots":-1,"holders":[]}""")]
    [InlineData("""{"total_slots":"1","holders":[]}""")]
    [InlineData("""{"total_slots":1.5,"holders":[]}""")]
    [InlineData("""{"total_slots":99999999999,"holders":[]}""")]
    [InlineData("""{"total_slots":1,"holders":{}}""")]
    [InlineData("""{"total_slots":1,"holders":[1]}""")]
    [InlineData("""{"total_slots":1,"holders":["\ud800"]}""")]
    public async Task A_damaged_value_is_a_clear_error_for_its_group_alone_and_left_as_it_is(string value)
    {
        var seen = await SaveAsync(StoredSemaphore.None, Held(1));
        await _store.SaveAsync("other", StoredSemaphore.None, Held(1, "a"), Token);
        await _etcd.PutAsync(Etcd.Key, value);
        var before = await _etcd.GetAsync(Etcd.Key);

        Func<Task>[] uses =
        [
            () => _store.LoadAsync(Group, Token),
            () => _store.SaveAsync(Group, seen, Held(1, "a"), Token),
            () => _store.SaveAsync(Group, seen, seen.Semaphore, Token),
            () => _store.SaveAsync(Group, StoredSemaphore.None, Held(1, "a"), Token),
        ];
        foreach (var use in uses)
        {
            var fault = await Assert.ThrowsAsync<SemaphoreStoreException>(use);
            Assert.Contains(Etcd.Key, fault.Message, StringComparison.Ordinal);
        }

        var contents = await _store.LoadAllAsync(Token);
        Assert.Equal(["other"], contents.Semaphores.Keys);
        Assert.Contains(Etcd.Key, Assert.Single(contents.Damaged, group => group.Key == Group).Value, StringComparison.Ordinal);
        Assert.Equal(before, await _etcd.GetAsync(Etcd.Key));
    }

    [Fact]
    public async Task Keys_of_others_are_passed_over()
    {
        await SaveAsync(StoredSemaphore.None, Held(1, "a"));
        foreach (var key in new[] { "workers/v2/semaphore", "workers/v1/other", "/v1/semaphore", "semaphore", "", "a b/v1/semaphore", "a%2/v1/semaphore", "x/v1/v1/semaphore/more" })
            await _etcd.PutAsync("com.coreos.airlock/groups/" + key, "not ours");

        var contents = await _store.LoadAllAsync(Token);

        Assert.Equal([Group], contents.Semaphores.Keys);
        Assert.Empty(contents.Damaged);
    }

    [Fact]
    public async Task Many_groups_at_once_have_each_its_own_outcome()
    {
        // More than etcd takes in one transaction.
        var groups = Enumerable.Range(0, 200).Select(i => "group" + i).ToArray();
        foreach (var group in groups.Where((_, i) => i % 3 == 0))
            await _etcd.PutAsync($"com.coreos.airlock/groups/{group}/v1/semaphore", """{"total_slots":1,"holders":["faster"]}""");

        var outcomes = await Task.WhenAll(groups.Select(group => _store.SaveAsync(group, StoredSemaphore.None, Held(1, "a"), Token)));

        for (var i = 0; i < groups.Length; i++)
        {
            Assert.Equal(i % 3 != 0, outcomes[i].IsSaved);
            Assert.Equal([i % 3 == 0 ? "faster" : "a"], outcomes[i].Current.Semaphore.Holders.Keys);
            Assert.Equal(outcomes[i].Current.Revision, (await _store.LoadAsync(groups[i], Token)).Revision);
        }
    }

    private async Task<StoredSemaphore> SaveAsync(StoredSemaphore seen, GroupSemaphore desired)
    {
        var (isSaved, current) = await _store.SaveAsync(Group, seen, desired, Token);
        Assert.True(isSaved);
        return current;
    }
}
