namespace FleetLock.Server.Tests;

public sealed class EtcdStoreContractTests(EtcdFixture etcd) : StoreContractTests, IClassFixture<EtcdFixture>
{
    private protected override async Task<ISemaphoreStore> CreateAsync(string folder) => (await etcd.EmptyAsync()).Store();
}
