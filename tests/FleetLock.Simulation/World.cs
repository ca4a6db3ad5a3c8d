namespace FleetLock.Simulation;

/// <summary>What all parts of a simulation share: time, chance, faults, the judge, and the trace.</summary>
internal sealed class World
{
    internal const string Group = "workers";

    private readonly List<string>? _trace;
    private readonly Dictionary<string, string> _names = new(StringComparer.Ordinal);

    internal World(int seed, List<string>? trace)
    {
        _trace = trace;
        Random = new Random(seed);
        Faults = Faults.Draw(Random);
        Slots = Random.Next(1, 4);
        IsBalanced = Random.Next(3) == 0;
        Judge = new Judge(this);
    }

    internal SimulatedTime Time { get; } = new();

    internal Random Random { get; }

    internal Faults Faults { get; }

    internal Judge Judge { get; }

    internal int Slots { get; }

    /// <summary>Whether each request goes to another server, because a load balancer stands before them.</summary>
    internal bool IsBalanced { get; }

    internal bool Happens(double probability) => probability > 0 && Random.NextDouble() < probability;

    internal TimeSpan Between(double fromSeconds, double toSeconds) =>
        TimeSpan.FromSeconds(fromSeconds + ((toSeconds - fromSeconds) * Random.NextDouble()));

    /// <summary>The delay of a message or a disk: mostly short, sometimes long.</summary>
    internal TimeSpan Latency() => Random.Next(20) == 0 ? Between(0.5, 4) : Between(0.001, 0.05);

    internal void Trace(FormattableString text)
    {
        if (_trace is not null)
            _trace.Add(FormattableString.Invariant($"{Time.Now.TotalSeconds,9:0.000}  {text}"));
    }

    /// <summary>A short name for a random grant id, which is the same in each run.</summary>
    internal string Name(string? grantId)
    {
        if (grantId is null)
            return "none";
        if (!_names.TryGetValue(grantId, out var name))
            _names[grantId] = name = "g" + _names.Count;
        return name;
    }
}
