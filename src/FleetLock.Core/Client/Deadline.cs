namespace FleetLock;

/// <summary>The end of a call: the caller's cancellation, or the time-out on a clock, whichever is first.</summary>
internal sealed class Deadline : IDisposable
{
    private readonly CancellationTokenSource _timeout;
    private readonly CancellationTokenSource _either;

    /// <summary>Starts the time-out.</summary>
    /// <param name="timeout">The time-out; <see cref="Timeout.InfiniteTimeSpan"/> is none.</param>
    /// <param name="clock">The clock that it is counted on.</param>
    /// <param name="cancellationToken">The caller's.</param>
    internal Deadline(TimeSpan timeout, TimeProvider clock, CancellationToken cancellationToken)
    {
        _timeout = Clocks.CreateTimeout(clock, timeout);
        _either = CancellationTokenSource.CreateLinkedTokenSource(_timeout.Token, cancellationToken);
    }

    /// <summary>Cancelled at the end.</summary>
    internal CancellationToken Token => _either.Token;

    /// <summary>True when the time is over.</summary>
    internal bool HasPassed => _timeout.IsCancellationRequested;

    public void Dispose()
    {
        _either.Dispose();
        _timeout.Dispose();
    }
}
