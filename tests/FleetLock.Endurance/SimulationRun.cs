using System.Diagnostics;
using System.Globalization;

namespace FleetLock.Endurance;

/// <summary>Simulates fleets from one seed after the other, and prints the events of the first one that breaks a promise.</summary>
internal static class SimulationRun
{
    /// <summary>Runs until the time is over or a seed fails.</summary>
    /// <param name="length">How long.</param>
    /// <param name="first">The first seed. A run of length zero replays that seed alone, and prints its events.</param>
    internal static Task<bool> RunAsync(TimeSpan length, int first)
    {
        if (length <= TimeSpan.Zero)
            return Task.FromResult(Replay(first));

        var clock = Stopwatch.StartNew();
        var (seeds, grants) = (0L, 0L);
        var failed = 0;
        var workers = Enumerable.Range(0, Environment.ProcessorCount).Select(worker => new Thread(() =>
        {
            for (var seed = first + worker; clock.Elapsed < length && Volatile.Read(ref failed) == 0; seed += Environment.ProcessorCount)
            {
                var (violation, granted) = Simulation.Simulation.RunHere(seed);
                Interlocked.Increment(ref seeds);
                Interlocked.Add(ref grants, granted);
                if (violation is not null)
                    Interlocked.CompareExchange(ref failed, seed, 0);
            }
        })).ToList();
        workers.ForEach(worker => worker.Start());
        workers.ForEach(worker => worker.Join());
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{seeds} seeds from {first}, {grants} grants, {seeds / clock.Elapsed.TotalMinutes:0} seeds a minute"));
        return Task.FromResult(failed == 0 || Replay(failed));
    }

    private static bool Replay(int seed)
    {
        var trace = new List<string>();
        var (violation, grants) = Simulation.Simulation.Run(seed, trace);
        trace.ForEach(Console.WriteLine);
        Console.WriteLine($"seed {seed}: {violation ?? "no promise was broken"}, {grants} grants");
        return violation is null;
    }
}
