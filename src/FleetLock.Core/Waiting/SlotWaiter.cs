namespace FleetLock;

/// <summary>
/// The one waiting loop: a try at once, then jittered and capped sleeps, and one last try at the deadline.
/// </summary>
/// <param name="clock">The clock to sleep by.</param>
/// <param name="random">The source of the jitter, a number from 0 up to 1, so that a fleet does not ask in step.</param>
public sealed class SlotWaiter(TimeProvider clock, Func<double> random)
{
    private static readonly TimeSpan FirstSleep = TimeSpan.FromSeconds(1);

    /// <summary>How long a server is asked to hold a request: short of the minute after which many proxies give up.</summary>
    private static readonly TimeSpan LongestHold = TimeSpan.FromSeconds(30);

    /// <summary>What ends sooner is an error, and not the end of a proxy's patience.</summary>
    private static readonly TimeSpan ShortestCutOff = TimeSpan.FromSeconds(2);

    /// <summary>The part of a proxy's time-out that a request is held for.</summary>
    private const double ShorterHold = 0.8;

    /// <summary>Makes a waiter on the system's clock.</summary>
    public SlotWaiter()
        : this(TimeProvider.System, SystemRandom())
    {
    }

    /// <summary>Repeats an operation until it succeeds, until waiting cannot help, or until the time is over.</summary>
    /// <param name="attempt">The operation: one try. It is told how long the server may hold the request, for those that can; not at all at the first and the last try.</param>
    /// <param name="policy">How long and how often.</param>
    /// <param name="onStep">Told of each try that is followed by another; may be <see langword="null"/>.</param>
    /// <param name="cancellationToken">A token to cancel the operation.</param>
    /// <returns>
    /// The last try's result, with the attempts and the time of all. If the time is over its status is <see cref="FleetLockStatus.TimedOut"/>,
    /// and its message has the last answer.
    /// </returns>
    /// <exception cref="ArgumentOutOfRangeException">The retry interval is not positive.</exception>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    public async Task<FleetLockResult> WaitAsync(
        Func<TimeSpan, CancellationToken, Task<FleetLockResult>> attempt,
        WaitPolicy policy,
        Action<WaitStep>? onStep,
        CancellationToken cancellationToken)
    {
        if (attempt is null)
            throw new ArgumentNullException(nameof(attempt));
        if (policy is null)
            throw new ArgumentNullException(nameof(policy));
        if (policy.RetryInterval <= TimeSpan.Zero)
            throw new ArgumentOutOfRangeException(nameof(policy), policy.RetryInterval, "The retry interval must be positive.");

        var started = clock.GetTimestamp();
        var requests = 0;
        var outcomeUnknown = false;
        var isLast = false;
        var longestHold = LongestHold;
        for (var tries = 1; ; tries++)
        {
            var asked = clock.GetTimestamp();
            var hold = tries == 1 || isLast ? TimeSpan.Zero : longestHold;
            if (policy.Timeout - clock.GetElapsedTime(started) is { } left && left < hold)
                hold = left;
            var result = await attempt(hold, cancellationToken).ConfigureAwait(false);
            requests += result.Attempts;
            var held = clock.GetElapsedTime(asked);
            var wasCutOff = WasCutOff(result, hold, held);
            if (wasCutOff)
            {
                longestHold = TimeSpan.FromSeconds(Math.Floor(held.TotalSeconds * ShorterHold));
                result = result with { Message = FormattableString.Invariant($"a proxy gave up after {held.TotalSeconds:0} s ({result.HttpStatus})") };
            }

            // A release whose answer was lost was carried out, or had nothing to do.
            if (outcomeUnknown && result is { Operation: FleetLockOperation.Unlock, Kind: ErrorKinds.NotHeld })
                result = result with { Status = FleetLockStatus.Released, Kind = null };
            var waited = clock.GetElapsedTime(started);

            // A later answer settles what an earlier lost one left open, except that a refusal does not tell whether the lost one was granted.
            outcomeUnknown = !result.IsSuccess && (outcomeUnknown || result.OutcomeUnknown);
            result = result with { Attempts = requests, Elapsed = waited, OutcomeUnknown = outcomeUnknown };

            if (!IsCurable(result.Status))
                return result;
            if (isLast || waited >= policy.Timeout)
                return GiveUp(result, waited);

            // A server that has held the request has done the waiting; one that only says so is not believed.
            var hasWaited = result.ServerWaited && held >= FirstSleep;
            var sleep = hasWaited || wasCutOff ? TimeSpan.Zero : NextSleep(tries, result.RetryAfter, policy);
            if (policy.Timeout is { } timeout && timeout - waited <= sleep)
            {
                // Remembered, because a timer counts whole milliseconds and may wake a moment too early.
                sleep = timeout - waited;
                isLast = true;
            }

            onStep?.Invoke(new WaitStep(result, tries, waited, sleep));
            await Clocks.Delay(clock, sleep, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Whether a proxy answered in the place of a server that held the request: it waits for less long than the server was asked to. The next request asks for
    /// less, and at once, or a waiter would hold its place for part of the time only.
    /// </summary>
    private static bool WasCutOff(FleetLockResult result, TimeSpan hold, TimeSpan held) => result.HttpStatus is 408 or 502 or 503 or 504 or 524
        && result.Kind?.StartsWith(ErrorKinds.GenericHttpPrefix, StringComparison.Ordinal) == true
        && held >= ShortestCutOff && held < hold;

    /// <summary>Tells whether asking again may help.</summary>
    /// <param name="status">How a try ended.</param>
    /// <returns>True when it may.</returns>
    public static bool IsCurable(FleetLockStatus status) =>
        status is FleetLockStatus.Busy or FleetLockStatus.Pending or FleetLockStatus.Unreachable or FleetLockStatus.TimedOut;

    private static FleetLockResult GiveUp(FleetLockResult last, TimeSpan waited)
    {
        var goal = last.Operation == FleetLockOperation.Lock ? "slot" : "release";
        return last with
        {
            Status = FleetLockStatus.TimedOut,
            LastStatus = last.Status,
            Message = $"no {goal} within {waited.TotalSeconds:0} s; the last answer was: {last.Message}",
        };
    }

    private TimeSpan NextSleep(int tries, TimeSpan? retryAfter, WaitPolicy policy)
    {
        // The server's word, or else 1, 2, 4 … seconds up to the interval.
        var sleep = FirstSleep.Ticks * Math.Pow(2, Math.Min(tries - 1, 20));
        sleep = Math.Min(sleep, policy.RetryInterval.Ticks);
        if (retryAfter is { } asked)
            sleep = Math.Max(Math.Min(asked.Ticks, WaitPolicy.MaxRetryAfter.Ticks), FirstSleep.Ticks);

        // Up to a tenth more, as Zincati does: later, never earlier than the server asked.
        return TimeSpan.FromTicks((long)(sleep * (1 + (0.1 * random()))));
    }

    private static Func<double> SystemRandom()
    {
        var random = new Random();
        return random.NextDouble;
    }
}
