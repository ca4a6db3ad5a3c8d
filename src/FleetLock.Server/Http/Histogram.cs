using System.Globalization;

namespace FleetLock.Server;

/// <summary>How long something took, counted in buckets: from a commit to a disk's cache to a store that hardly answers.</summary>
internal sealed class Histogram
{
    private static readonly double[] Bounds = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    // The last one is for all that took longer.
    private readonly long[] _counts = new long[Bounds.Length + 1];
    private long _ticks;

    /// <summary>Counts one.</summary>
    /// <param name="took">How long it took.</param>
    internal void Observe(TimeSpan took)
    {
        var bucket = 0;
        while (bucket < Bounds.Length && took.TotalSeconds > Bounds[bucket])
            bucket++;
        Interlocked.Increment(ref _counts[bucket]);
        Interlocked.Add(ref _ticks, took.Ticks);
    }

    /// <summary>Writes it as a metric.</summary>
    /// <param name="text">Where to.</param>
    /// <param name="name">The metric's name.</param>
    /// <param name="help">What it is.</param>
    internal void Write(MetricsText text, string name, string help)
    {
        text.Begin(name, "histogram", help);
        var sum = TimeSpan.FromTicks(Volatile.Read(ref _ticks)).TotalSeconds;
        long count = 0;
        for (var i = 0; i < _counts.Length; i++)
        {
            // Each bucket counts those before it too, and so the last is the whole number.
            count += Volatile.Read(ref _counts[i]);
            text.Sample(name + "_bucket", count, ("le", i < Bounds.Length ? Bounds[i].ToString(CultureInfo.InvariantCulture) : "+Inf"));
        }

        text.Sample(name + "_sum", sum);
        text.Sample(name + "_count", count);
    }
}
