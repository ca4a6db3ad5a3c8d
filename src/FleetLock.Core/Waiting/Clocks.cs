namespace FleetLock;

/// <summary>Sleeping and time-outs by a <see cref="TimeProvider"/>, which .NET Framework spells differently.</summary>
internal static class Clocks
{
    internal static Task Delay(TimeProvider clock, TimeSpan time, CancellationToken cancellationToken) =>
#if NET
        clock == TimeProvider.System ? Task.Delay(time, clock, cancellationToken) : DelayInPlaceAsync(clock, time, cancellationToken);
#else
        clock.Delay(time, cancellationToken);
#endif

    internal static CancellationTokenSource CreateTimeout(TimeProvider clock, TimeSpan time) =>
#if NET
        new(time, clock);
#else
        clock.CreateCancellationTokenSource(time);
#endif

#if NET
    /// <summary>
    /// Task.Delay continues on the thread pool when it is cancelled. This one continues where the clock moves or the cancellation happens, so that a
    /// simulation on one thread stays on it.
    /// </summary>
    private static async Task DelayInPlaceAsync(TimeProvider clock, TimeSpan time, CancellationToken cancellationToken)
    {
        var delay = new TaskCompletionSource();
        using var timer = clock.CreateTimer(_ => delay.TrySetResult(), null, time, Timeout.InfiniteTimeSpan);
        using var cancelled = cancellationToken.Register(() => delay.TrySetCanceled(cancellationToken));
        await delay.Task.ConfigureAwait(false);
    }
#endif
}
