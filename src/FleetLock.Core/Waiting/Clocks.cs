namespace FleetLock;

/// <summary>Sleeping and time-outs by a <see cref="TimeProvider"/>, which .NET Framework spells differently.</summary>
internal static class Clocks
{
    internal static Task Delay(TimeProvider clock, TimeSpan time, CancellationToken cancellationToken) =>
#if NET
        Task.Delay(time, clock, cancellationToken);
#else
        clock.Delay(time, cancellationToken);
#endif

    internal static CancellationTokenSource CreateTimeout(TimeProvider clock, TimeSpan time) =>
#if NET
        new(time, clock);
#else
        clock.CreateCancellationTokenSource(time);
#endif
}
