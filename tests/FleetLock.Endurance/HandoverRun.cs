using System.Diagnostics;
using FleetLock.TestKit;

namespace FleetLock.Endurance;

/// <summary>The time from a release to the grant of the one who waits (<c>Prefer: wait</c>): on one server, and from one server to another on the same etcd.</summary>
internal static class HandoverRun
{
    private const string Group = "workers";

    internal static async Task<bool> RunAsync(int rounds)
    {
        using var folder = new TemporaryDirectory();
        await using var sqlite = await StartAsync("--data", folder.File("handover.db"));
        await MeasureAsync("one server on SQLite", sqlite, sqlite, rounds);
        if (EtcdProcess.Missing is { } missing)
        {
            Console.WriteLine(missing + " That store is not tried.");
            return true;
        }

        await using var etcd = await EtcdProcess.StartAsync();
        await using var first = await StartAsync("--etcd", etcd.Endpoint.ToString());
        await using var second = await StartAsync("--etcd", etcd.Endpoint.ToString());
        await MeasureAsync("one server on etcd", first, first, rounds);
        await MeasureAsync("from one server to another on etcd", first, second, rounds);
        return true;
    }

    private static async Task MeasureAsync(string name, ServerProcess released, ServerProcess waited, int rounds)
    {
        using var holder = new FleetLockClient(released.Address.ToString());
        using var waiter = new FleetLockClient(waited.Address.ToString());
        var times = new List<double>();
        for (var round = 0; round < rounds; round++)
        {
            (await holder.LockAsync(Group, "holder")).EnsureSuccess();
            var waiting = waiter.LockAsync(Group, "waiter", TimeSpan.FromSeconds(30));
            while (await WaitingAsync(waiter) == 0)
                await Task.Delay(1);
            var watch = Stopwatch.StartNew();
            var release = holder.UnlockAsync(Group, "holder");
            (await waiting).EnsureSuccess();
            times.Add(watch.Elapsed.TotalMilliseconds);
            (await release).EnsureSuccess();
            (await waiter.UnlockAsync(Group, "waiter")).EnsureSuccess();
        }

        Figures.Print($"{name}: 50 %, 99 %, most", $"{Figures.Percentile(times, 50):0.00} ms, {Figures.Percentile(times, 99):0.00} ms, {Figures.Percentile(times, 100):0.00} ms");
    }

    private static async Task<int> WaitingAsync(FleetLockClient client) => (await client.GetGroupAsync(Group)).Waiting;

    private static Task<ServerProcess> StartAsync(params string[] store) =>
        ServerProcess.StartUnreadAsync(["--listen", "http://127.0.0.1:0", "--group", Group + "=1", .. store]);
}
