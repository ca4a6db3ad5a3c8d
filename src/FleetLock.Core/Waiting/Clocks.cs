namespace FleetLock;

/// <summary>Sleeping by a <see cref="TimeProvider"/>, which .NET Framework spells differently.</summary>
internal static class Clocks
{
    internal static Task Delay(TimeProvider clock, TimeSpan time, CancellationToken cancellationToken) =>
#if NET
        Task.Delay(time, clock, cancellationToken);
#else
        clock.Delay(time, cancellationToken);
#endif
}
