namespace FleetLock.Simulation;

/// <summary>The one clock and scheduler of a simulation: events run on one thread, in the order of their times and then of their scheduling.</summary>
internal sealed class SimulatedTime : TimeProvider
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly PriorityQueue<Action, (long Time, long Number)> _events = new();
    private long _now;
    private long _number;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    internal TimeSpan Now => TimeSpan.FromTicks(_now);

    public override DateTimeOffset GetUtcNow() => Start.AddTicks(_now);

    public override long GetTimestamp() => _now;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, () => callback(state));
        timer.Change(dueTime, period);
        return timer;
    }

    internal void After(TimeSpan delay, Action action) => _events.Enqueue(action, (_now + Math.Max(0, delay.Ticks), _number++));

    /// <summary>Runs the events until a time, or until there are none.</summary>
    internal void RunUntil(TimeSpan end)
    {
        while (_events.TryPeek(out _, out var next) && next.Time <= end.Ticks)
        {
            _now = next.Time;
            _events.Dequeue()();
        }

        _now = Math.Max(_now, end.Ticks);
    }

    private sealed class Timer(SimulatedTime time, Action callback) : ITimer
    {
        private int _version;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            var version = ++_version;
            if (dueTime >= TimeSpan.Zero)
                time.After(dueTime, () => Fire(version, period));
            return true;
        }

        public void Dispose() => _version++;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        private void Fire(int version, TimeSpan period)
        {
            if (version != _version)
                return;
            if (period > TimeSpan.Zero)
                time.After(period, () => Fire(version, period));
            callback();
        }
    }
}
