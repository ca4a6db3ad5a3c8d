using FleetLock.TestKit;

namespace FleetLock.Server.Tests;

/// <summary>One etcd for the tests of a class.</summary>
public sealed class EtcdFixture : IAsyncLifetime
{
    private EtcdProcess? _etcd;

    public async ValueTask InitializeAsync()
    {
        if (EtcdProcess.Missing is null)
            _etcd = await EtcdProcess.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_etcd is not null)
            await _etcd.DisposeAsync();
    }

    /// <summary>The etcd, with nothing in it; without one, the test is skipped.</summary>
    internal async Task<EtcdProcess> EmptyAsync()
    {
        Etcd.SkipWithout();
        await _etcd!.ClearAsync();
        return _etcd;
    }
}
