using System.Diagnostics;
using System.Globalization;
using Microsoft.Data.Sqlite;

namespace FleetLock.Benchmarks;

/// <summary>The measurements. Each runs for a fixed time, after a warm-up of a quarter of it.</summary>
internal static class Measure
{
    /// <summary>The groups of every server that is measured, 64 slots each, so that nothing is ever full.</summary>
    internal const int Groups = 32;

    /// <summary>A group's name: bench, bench-1, bench-2 …</summary>
    internal static string Group(int number) => number == 0 ? "bench" : FormattableString.Invariant($"bench-{number}");

    /// <summary>Lock and unlock pairs, one after the other on each connection.</summary>
    /// <param name="server">The server's base address.</param>
    /// <param name="connections">How many connections there are.</param>
    /// <param name="groups">Over how many groups they are spread.</param>
    /// <param name="time">For how long.</param>
    /// <returns>Pairs per second, the median time of a lock in milliseconds, and how many pairs were refused.</returns>
    internal static async Task<Load> PairsAsync(Uri server, int connections, int groups, TimeSpan time)
    {
        async Task<(List<double> Locks, int Refused)> Run(int number, TimeSpan until)
        {
            var body = WireFormat.WriteRequest(Group(number % groups), FormattableString.Invariant($"node-{number}"));
            var (lockRequest, unlockRequest) = (LoadConnection.Prepare("POST", FleetLockProtocol.PreRebootPath, body), LoadConnection.Prepare("POST", FleetLockProtocol.SteadyStatePath, body));
            using var connection = new LoadConnection();
            await connection.ConnectAsync(server);
            var (locks, refused) = (new List<double>(), 0);
            for (var watch = Stopwatch.StartNew(); watch.Elapsed < until;)
            {
                var started = watch.Elapsed;
                var granted = await connection.ExchangeAsync(lockRequest);
                var elapsed = watch.Elapsed - started;
                if (await connection.ExchangeAsync(unlockRequest) && granted)
                    locks.Add(elapsed.TotalMilliseconds);
                else
                    refused++;
            }

            return (locks, refused);
        }

        await Task.WhenAll(Enumerable.Range(0, connections).Select(number => Run(number, time / 4)));
        var results = await Task.WhenAll(Enumerable.Range(0, connections).Select(number => Run(number, time)));
        var sorted = results.SelectMany(result => result.Locks).Order().ToList();
        return new Load(sorted.Count / time.TotalSeconds, sorted.Count == 0 ? 0 : sorted[sorted.Count / 2], results.Sum(result => result.Refused));
    }

    /// <summary>The floor of the network and the web server: two requests that decide nothing.</summary>
    /// <returns>Pairs of requests per second.</returns>
    internal static async Task<double> HttpFloorAsync(Uri server, int connections, TimeSpan time)
    {
        var request = LoadConnection.Prepare("GET", "healthz", []);
        async Task<int> Run(TimeSpan until)
        {
            using var connection = new LoadConnection();
            await connection.ConnectAsync(server);
            var count = 0;
            for (var watch = Stopwatch.StartNew(); watch.Elapsed < until; count++)
                await connection.ExchangeAsync(request);
            return count;
        }

        await Task.WhenAll(Enumerable.Range(0, connections).Select(_ => Run(time / 4)));
        var counts = await Task.WhenAll(Enumerable.Range(0, connections).Select(_ => Run(time)));
        return counts.Sum() / 2.0 / time.TotalSeconds;
    }

    /// <summary>The floor of the disk: bare durable commits of one small row, one after the other.</summary>
    /// <returns>Pairs of commits per second.</returns>
    internal static double DiskFloor(string path, TimeSpan time)
    {
        using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ToString());
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (k INTEGER PRIMARY KEY, v INTEGER); INSERT INTO t VALUES (1, 0)";
        command.ExecuteNonQuery();
        command.CommandText = "UPDATE t SET v = v + 1 WHERE k = 1";
        var count = 0;
        for (var watch = Stopwatch.StartNew(); watch.Elapsed < time; count++)
            command.ExecuteNonQuery();
        return count / 2.0 / time.TotalSeconds;
    }

    /// <summary>Pairs through <see cref="FleetLockClient"/>, one after the other.</summary>
    /// <returns>Milliseconds for a pair.</returns>
    internal static async Task<double> ClientPairAsync(Uri server, TimeSpan time)
    {
        using var client = new FleetLockClient(server.ToString());
        async Task<int> Run(TimeSpan until)
        {
            var count = 0;
            for (var watch = Stopwatch.StartNew(); watch.Elapsed < until; count++)
            {
                (await client.LockAsync(Group(0), "client")).EnsureSuccess();
                (await client.UnlockAsync(Group(0), "client")).EnsureSuccess();
            }

            return count;
        }

        await Run(time / 4);
        return time.TotalMilliseconds / await Run(time);
    }

    /// <summary>What a load came to.</summary>
    internal sealed record Load(double PerSecond, double LockMilliseconds, int Refused);

    internal static double Parse(string number) => double.Parse(number, CultureInfo.InvariantCulture);

    internal static string Show(double number) => number.ToString(number < 100 ? "0.00" : "#,0", CultureInfo.InvariantCulture);
}
