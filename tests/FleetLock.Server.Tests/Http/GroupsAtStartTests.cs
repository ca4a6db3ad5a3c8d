using FleetLock.TestKit;
using static FleetLock.Server.Tests.Answers;
using static FleetLock.Server.Tests.Sample;

namespace FleetLock.Server.Tests;

/// <summary>A server that is started again with another configuration on the same file.</summary>
public sealed class GroupsAtStartTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Holders_keep_their_slots_and_their_since()
    {
        await using (var first = await StartAsync((Group, 2)))
            await first.LockAsync("a");

        await using var second = await StartAsync((Group, 2));
        second.Clock.Advance(TimeSpan.FromDays(1));
        AssertDone(await second.LockAsync("a"));
        Assert.Equal([new FleetHolder("a", Since) { From = "127.0.0.1", LastAsked = Since.AddDays(1) }], (await second.GroupAsync()).Holders);
    }

    [Fact]
    public async Task More_slots_are_granted_at_once()
    {
        await using (var first = await StartAsync((Group, 1)))
            await first.LockAsync("a");

        await using var second = await StartAsync((Group, 2));
        Assert.Equal((2, 1), await SlotsAsync(second));
        AssertDone(await second.LockAsync("b"));
        Assert.Equal(["a", "b"], await second.HoldersAsync());
    }

    [Fact]
    public async Task Fewer_slots_drop_no_holder_and_grant_nobody_until_enough_have_released()
    {
        await using (var first = await StartAsync((Group, 3)))
        {
            foreach (var id in new[] { "a", "b", "c" })
                AssertDone(await first.LockAsync(id));
        }

        await using var second = await StartAsync((Group, 1));
        Assert.Equal((1, 0), await SlotsAsync(second));
        Assert.Equal(["a", "b", "c"], await second.HoldersAsync());
        AssertDone(await second.LockAsync("b"));
        AssertDone(await second.UnlockAsync("a"));
        AssertDone(await second.UnlockAsync("b"));
        AssertRefused(409, "failed_lock_semaphore_full", "1", await second.LockAsync("d"));

        AssertDone(await second.UnlockAsync("c"));
        AssertDone(await second.LockAsync("d"));
        Assert.Equal(["d"], await second.HoldersAsync());
    }

    [Fact]
    public async Task No_slots_keep_the_holders_and_grant_nobody()
    {
        await using (var first = await StartAsync((Group, 1)))
            await first.LockAsync("a");

        await using var second = await StartAsync((Group, 0));
        AssertDone(await second.LockAsync("a"));
        Assert.Equal(409, (await second.LockAsync("b")).Status);
        AssertDone(await second.UnlockAsync("a"));
        Assert.Equal(409, (await second.LockAsync("a")).Status);
    }

    [Fact]
    public async Task A_group_that_is_no_longer_configured_can_be_released_and_not_be_locked()
    {
        await using (var first = await StartAsync((Group, 2), ("old", 2)))
        {
            AssertDone(await first.LockAsync("a", "old"));
            AssertDone(await first.LockAsync("b", "old"));
        }

        await using var second = await StartAsync((Group, 2));
        AssertRefused(400, "unknown_group", "'old'", await second.LockAsync("c", "old"));
        AssertRefused(400, "unknown_group", "'old'", await second.LockAsync("a", "old"));
        Assert.Equal(["a", "b"], await second.HoldersAsync("old"));

        AssertDone(await second.UnlockAsync("a", "old"));
        Assert.Equal(["b"], await second.HoldersAsync("old"));
    }

    [Fact]
    public async Task A_group_that_is_no_longer_configured_is_listed_while_it_has_holders()
    {
        await using (var first = await StartAsync((Group, 1), ("with-holder", 1), ("without", 1)))
            await first.LockAsync("a", "with-holder");

        await using var second = await StartAsync((Group, 1));
        Assert.Contains("with-holder", await second.GroupsAsync(), StringComparison.Ordinal);
        Assert.DoesNotContain("without", await second.GroupsAsync(), StringComparison.Ordinal);

        await second.UnlockAsync("a", "with-holder");
        Assert.DoesNotContain("with-holder", await second.GroupsAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_group_that_is_configured_again_has_the_holders_that_it_had()
    {
        await using (var first = await StartAsync((Group, 1), ("old", 1)))
            await first.LockAsync("a", "old");
        await using (var second = await StartAsync((Group, 1)))
            Assert.Equal(400, (await second.LockAsync("a", "old")).Status);

        await using var third = await StartAsync((Group, 1), ("old", 2));
        Assert.Equal(["a"], await third.HoldersAsync("old"));
        AssertDone(await third.LockAsync("b", "old"));
    }

    [Fact]
    public async Task A_start_without_a_change_writes_nothing()
    {
        await using (var first = await StartAsync((Group, 1)))
            await first.LockAsync("a");
        var before = await File.ReadAllBytesAsync(_folder.File("fleetlock.db"), TestContext.Current.CancellationToken);

        await (await StartAsync((Group, 1))).DisposeAsync();

        Assert.Equal(before, await File.ReadAllBytesAsync(_folder.File("fleetlock.db"), TestContext.Current.CancellationToken));
    }

    private Task<TestServer> StartAsync(params (string Name, int Slots)[] groups) =>
        TestServer.StartAsync(new SqliteStore(_folder.File("fleetlock.db")), groups);

    private static async Task<(int Slots, int Free)> SlotsAsync(TestServer server)
    {
        var group = await server.GroupAsync();
        return (group.Slots, group.Free);
    }
}
