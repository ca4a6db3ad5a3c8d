namespace FleetLock.Server;

/// <summary>
/// A read of the store for those who look again and again: who asks while one is under way shares it, and nobody waits longer than
/// <see cref="Limit"/>. So a store that hangs gets one more call in that time, however many ask.
/// </summary>
/// <typeparam name="T">What is read.</typeparam>
/// <param name="read">Reads it.</param>
/// <param name="clock">The clock for the limit.</param>
/// <param name="metrics">Where failures are counted.</param>
internal sealed class SharedRead<T>(Func<CancellationToken, Task<T>> read, TimeProvider clock, ServerMetrics metrics)
{
    private readonly Lock _lock = new();
    private Task<T>? _underWay;
    private long _started;

    /// <summary>The longest that an asker waits: two seconds, less than a load balancer's or a scraper's own patience.</summary>
    internal static TimeSpan Limit => TimeSpan.FromSeconds(2);

    /// <summary>Reads, or shares the read that is under way.</summary>
    /// <returns>What was read.</returns>
    /// <exception cref="SemaphoreStoreException">The store failed, or did not answer in time.</exception>
    internal async Task<T> AskAsync()
    {
        try
        {
            return await Begin().WaitAsync(Limit, clock);
        }
        catch (Exception e)
        {
            metrics.StoreFailed();
            if (e is TimeoutException or OperationCanceledException)
                throw new SemaphoreStoreException($"the store has not answered for {Limit.TotalSeconds} seconds");
            throw;
        }
    }

    private Task<T> Begin()
    {
        lock (_lock)
        {
            if (_underWay is { IsCompleted: false } underWay && clock.GetElapsedTime(_started) < Limit)
                return underWay;
            _started = clock.GetTimestamp();
            return _underWay = ReadAsync();
        }
    }

    private async Task<T> ReadAsync()
    {
        using var limit = new CancellationTokenSource(Limit, clock);

        // On the pool: a store may block the thread that asks it.
        return await Task.Run(() => read(limit.Token));
    }
}
