using System.Diagnostics;
using System.Text;
using FleetLock.TestKit;
using static FleetLock.Server.Tests.Answers;

namespace FleetLock.Server.Tests;

/// <summary>What the etcd tests have in common.</summary>
internal static class Etcd
{
    /// <summary>Where a group's semaphore is, for airlock and us.</summary>
    internal const string Key = "com.coreos.airlock/groups/" + Sample.Group + "/v1/semaphore";

    /// <summary>Where we keep what airlock does not know.</summary>
    internal const string CompanionKey = "com.coreos.airlock/groups/" + Sample.Group + "/v1/fleetlock";

    /// <summary>The mark of a restore.</summary>
    internal const string RestoredKey = StorePrefix + "restored";

    /// <summary>The key whose version counts the writes of all servers.</summary>
    internal const string SequenceKey = StorePrefix + "sequence";

    /// <summary>Where each server process counts its own writes.</summary>
    internal const string WriterPrefix = StorePrefix + "writers/";

    private const string StorePrefix = "com.coreos.airlock/groups/:fleetlock/";

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

    /// <summary>The keys but those of the store itself.</summary>
    internal static async Task<string[]> GroupKeysAsync(this EtcdProcess etcd) =>
        [.. (await etcd.KeysAsync()).Where(key => !key.StartsWith(StorePrefix, StringComparison.Ordinal))];

    /// <summary>The keys of the server processes.</summary>
    internal static async Task<string[]> WritersAsync(this EtcdProcess etcd) =>
        [.. (await etcd.KeysAsync()).Where(key => key.StartsWith(WriterPrefix, StringComparison.Ordinal))];

    /// <summary>Requires that no server has taken etcd for one that went back to an earlier state.</summary>
    internal static async Task AssertNotRestoredAsync(this EtcdProcess etcd) => Assert.Null((await etcd.GetAsync(RestoredKey)).Value);

    /// <summary>Loads until the store reports the restore.</summary>
    /// <returns>The errors before that: the report itself, and those of the connection to the etcd that was killed.</returns>
    internal static async Task<List<string>> UntilMarkedAsync(this EtcdStore store)
    {
        var errors = new List<string>();
        for (var waited = Stopwatch.StartNew(); ;)
        {
            try
            {
                if ((await store.LoadAsync(Sample.Group, TestContext.Current.CancellationToken)).IsRestored)
                    return errors;
            }
            catch (SemaphoreStoreException e)
            {
                errors.Add(e.Message);
            }

            Assert.True(waited.Elapsed < TestTimeout.Hang, string.Join(Environment.NewLine, errors));
        }
    }

    /// <summary>Requires that a server refuses locks because of a restore.</summary>
    /// <remarks>503 says that the outcome is unknown while a connection to the killed etcd is still in use.</remarks>
    internal static async Task AssertRestoredAsync(this TestServer server)
    {
        RawResponse answer;
        var waited = Stopwatch.StartNew();
        do
        {
            answer = await server.LockAsync("c");
            Assert.Equal(503, answer.Status);
            Assert.True(waited.Elapsed < TestTimeout.Hang, answer.Body);
        }
        while (ReadError(answer).Kind == "store_unavailable");
        AssertRefused(503, "store_restored", "fleetlockctl confirm-restore", answer);
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
