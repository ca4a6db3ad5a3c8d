using System.Text;
using FleetLock.TestKit;

namespace FleetLock.Server.Tests;

/// <summary>What the etcd tests have in common.</summary>
internal static class Etcd
{
    /// <summary>Where a group's semaphore is, for airlock and us.</summary>
    internal const string Key = "com.coreos.airlock/groups/" + Sample.Group + "/v1/semaphore";

    /// <summary>Where we keep what airlock does not know.</summary>
    internal const string CompanionKey = "com.coreos.airlock/groups/" + Sample.Group + "/v1/fleetlock";

    /// <summary>The mark of a restore.</summary>
    internal const string RestoredKey = "com.coreos.airlock/groups/:fleetlock/restored";

    internal static void SkipWithout() => Assert.SkipWhen(EtcdProcess.Missing is not null, EtcdProcess.Missing ?? "");

    /// <summary>Options whose time-out is far off: a busy etcd is not one that fails.</summary>
    internal static EtcdStoreOptions Options(params Uri[] endpoints) => new() { Endpoints = endpoints, Timeout = TestTimeout.Hang };

    internal static EtcdStore Store(this EtcdProcess etcd) => new(Options(etcd.Endpoint));

    internal static async Task<EtcdStore> OpenAsync(this EtcdProcess etcd) => await OpenAsync(Options(etcd.Endpoint));

    internal static async Task<EtcdStore> OpenAsync(EtcdStoreOptions options)
    {
        var store = new EtcdStore(options);
        await store.OpenAsync(TestContext.Current.CancellationToken);
        return store;
    }

    /// <summary>Writes both keys in one transaction, as any version of ours does.</summary>
    internal static async Task PutPairAsync(this EtcdProcess etcd, string semaphore, string companion)
    {
        static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
        (await etcd.PostAsync("v3/kv/txn", $$$"""
            {"success":[{"requestPut":{"key":"{{{Base64(Key)}}}","value":"{{{Base64(semaphore)}}}"}},
                        {"requestPut":{"key":"{{{Base64(CompanionKey)}}}","value":"{{{Base64(companion)}}}"}}]}
            """)).Dispose();
    }
}
