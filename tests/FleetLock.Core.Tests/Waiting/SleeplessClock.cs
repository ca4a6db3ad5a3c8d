using Microsoft.Extensions.Time.Testing;

namespace FleetLock.Core.Tests;

/// <summary>A clock on which every sleep is written down and is over at once, so that a wait of hours is a matter of microseconds and of no race.</summary>
internal sealed class SleeplessClock : FakeTimeProvider
{
    public List<TimeSpan> Sleeps { get; } = [];

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        Sleeps.Add(dueTime);
        Advance(dueTime);
        return timer;
    }
}
