using static FleetLock.Server.Tests.Sample;

namespace FleetLock.Server.Tests;

[Trait("Lane", "Fast")]
public sealed class EtcdBatchTests
{
    private readonly EtcdBatch _batch = new();

    [Fact]
    public void A_large_group_goes_alone_so_that_it_takes_no_other_along()
    {
        var large = Held(9_000, [.. Enumerable.Range(0, 9_000).Select(i => i.ToString("D32", null))]);

        Assert.True(Add("small", Held(1)));
        Assert.False(Add("large", large));
        Assert.Equal(["small"], _batch.Saves.Select(save => save.Group));

        var alone = new EtcdBatch();
        Assert.True(alone.TryAdd(Save("large", large), isWrite: true));
        Assert.False(alone.TryAdd(Save("small", Held(1)), isWrite: true));
    }

    [Fact]
    public void A_group_is_in_a_batch_once_and_a_batch_has_as_many_as_etcd_takes()
    {
        Assert.True(Add("0", Held(1)));
        Assert.False(Add("0", Held(2)));
        for (var i = 1; i < 64; i++)
            Assert.True(Add(i.ToString((IFormatProvider?)null), Held(1)));
        Assert.False(Add("64", Held(1)));
    }

    private static EtcdSave Save(string group, GroupSemaphore desired) => new(group, StoredSemaphore.None, desired, mustWrite: false);

    private bool Add(string group, GroupSemaphore desired) => _batch.TryAdd(Save(group, desired), isWrite: true);
}
