namespace FleetLock.Core.Tests;

[Trait("Lane", "Fast")]
public sealed class GrantIdTests
{
    [Fact]
    public async Task Each_grant_id_is_another_on_whichever_thread_it_is_made()
    {
        const int count = 1000;

        var made = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => Enumerable.Range(0, count).Select(_ => GrantId.Create()).ToList())));

        var all = made.SelectMany(ids => ids).ToList();
        Assert.All(all, id => Assert.True(GrantId.IsValid(id)));
        Assert.Equal(4 * count, all.Distinct(StringComparer.Ordinal).Count());
    }
}
