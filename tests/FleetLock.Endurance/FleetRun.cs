using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using FleetLock.TestKit;

namespace FleetLock.Endurance;

/// <summary>
/// A fleet that rolls once through a group: every node takes a slot, holds it for a second, and gives it back. Half of them poll as Zincati does,
/// the other half let the server hold the request (<c>Prefer: wait</c>).
/// </summary>
internal sealed class FleetRun
{
    private const string Group = "fleet";

    private static readonly TimeSpan Hold = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(60);

    private readonly FleetLockClient _client;
    private readonly TimeSpan _poll;
    private readonly ConcurrentBag<double> _answers = [];
    private readonly ConcurrentBag<double> _pollersDone = [];
    private readonly ConcurrentBag<double> _waitersDone = [];
    private readonly Stopwatch _time = Stopwatch.StartNew();
    private int _holders;
    private int _mostHolders;
    private int _failures;

    private FleetRun(FleetLockClient client, TimeSpan poll)
    {
        _client = client;
        _poll = poll;
    }

    internal static async Task<bool> RunAsync(int nodes, int slots, TimeSpan poll)
    {
        using var folder = new TemporaryDirectory();
        await using var server = await ServerProcess.StartUnreadAsync(
            "--listen", "http://127.0.0.1:0", "--data", folder.File("fleet.db"), "--group", string.Create(CultureInfo.InvariantCulture, $"{Group}={slots}"));
        using var client = new FleetLockClient(server.Address.ToString());
        var run = new FleetRun(client, poll);
        using var done = new CancellationTokenSource();
        var watch = run.WatchAsync(done.Token);
        await Task.WhenAll(Enumerable.Range(0, nodes).Select(run.RollAsync));
        var time = run._time.Elapsed;
        await done.CancelAsync();
        var mostSeen = await watch;

        var ideal = nodes / (double)slots * Hold.TotalSeconds;
        Figures.Print("nodes, slots, a poller's interval", $"{nodes}, {slots}, {poll.TotalSeconds:0} s");
        Figures.Print("whole time", $"{time.TotalSeconds:0.0} s, {time.TotalSeconds / ideal:0.00} of the ideal {ideal:0} s");
        Figures.Print("the last one who waited, who polled", $"{run._waitersDone.DefaultIfEmpty().Max():0.0} s, {run._pollersDone.DefaultIfEmpty().Max():0.0} s");
        Figures.Print("answers to polls and releases: 50 %, 99 %", $"{Figures.Percentile(run._answers, 50):0.00} ms, {Figures.Percentile(run._answers, 99):0.00} ms ({run._answers.Count} answers)");
        Figures.Print("most holders: as the nodes know, as the server says", $"{run._mostHolders}, {mostSeen} of {slots}");
        Figures.Print("failures", $"{run._failures}");
        Figures.PrintServer(server, time);
        return run._mostHolders <= slots && mostSeen <= slots && run._failures == 0;
    }

    private async Task RollAsync(int number)
    {
        var isPoller = number % 2 == 0;
        var id = string.Create(CultureInfo.InvariantCulture, $"node-{number:00000}");
        var random = new Random(number);
        await Task.Delay(_poll * random.NextDouble());
        await ReleaseAsync(id); // As every client does when it starts.
        while (!await TryTakeAsync(id, isPoller ? TimeSpan.Zero : Wait))
        {
            if (isPoller)
                await Task.Delay(_poll * (0.95 + (0.1 * random.NextDouble())));
        }

        Raise(ref _mostHolders, Interlocked.Increment(ref _holders));
        await Task.Delay(Hold);
        Interlocked.Decrement(ref _holders);
        await ReleaseAsync(id);
        (isPoller ? _pollersDone : _waitersDone).Add(_time.Elapsed.TotalSeconds);
    }

    private async Task<bool> TryTakeAsync(string id, TimeSpan wait)
    {
        var result = await _client.LockAsync(Group, id, wait);
        if (wait == TimeSpan.Zero)
            _answers.Add(result.Elapsed.TotalMilliseconds);
        if (result.Status is not (FleetLockStatus.Granted or FleetLockStatus.Busy))
            Fail(result);
        return result.Status == FleetLockStatus.Granted;
    }

    private async Task ReleaseAsync(string id)
    {
        var result = await _client.UnlockAsync(Group, id);
        _answers.Add(result.Elapsed.TotalMilliseconds);
        if (result.Status != FleetLockStatus.Released)
            Fail(result);
    }

    /// <summary>Asks the server every second how many hold a slot.</summary>
    /// <returns>The most that it said.</returns>
    private async Task<int> WatchAsync(CancellationToken cancellationToken)
    {
        var most = 0;
        while (!cancellationToken.IsCancellationRequested)
        {
            var groups = await _client.GetGroupsAsync(CancellationToken.None);
            most = Math.Max(most, groups!.Groups.Single().Holders.Count);
            await Task.Delay(TimeSpan.FromSeconds(1), CancellationToken.None);
        }

        return most;
    }

    private void Fail(FleetLockResult result)
    {
        if (Interlocked.Increment(ref _failures) <= 10)
            Console.Error.WriteLine($"{result.Id}: {result.Status}: {result.Message}");
    }

    private static void Raise(ref int most, int value)
    {
        for (var seen = Volatile.Read(ref most); value > seen; seen = Volatile.Read(ref most))
            Interlocked.CompareExchange(ref most, value, seen);
    }
}
