using System.Collections.Concurrent;

namespace FleetLock.Server;

/// <summary>What the server counts and measures of itself. Counting is an increment and makes nothing: it is on the way of every request.</summary>
internal sealed class ServerMetrics
{
    private readonly TimeProvider _clock = TimeProvider.System;
    private readonly RequestCounters _locks = new(SlotReply.Granted, SlotReply.AlreadyHeld);
    private readonly RequestCounters _unlocks = new(SlotReply.Released, SlotReply.NotHeld);
    private readonly Histogram _storeSeconds = new();
    private long _storeFailures;
    private long _conflicts;
    private long _forcedReleases;

    /// <summary>The time, for <see cref="StoreAnswered"/>.</summary>
    internal long Now => _clock.GetTimestamp();

    /// <summary>The store has saved, or said that another writer was faster.</summary>
    /// <param name="started">When it was asked.</param>
    internal void StoreAnswered(long started) => _storeSeconds.Observe(_clock.GetElapsedTime(started));

    /// <summary>The store could not do what it was asked for, or did not answer.</summary>
    internal void StoreFailed() => Interlocked.Increment(ref _storeFailures);

    /// <summary>Another writer was faster, and the requests are applied anew.</summary>
    internal void Conflict() => Interlocked.Increment(ref _conflicts);

    /// <summary>An operator has freed a slot.</summary>
    internal void ForcedRelease() => Interlocked.Increment(ref _forcedReleases);

    /// <summary>A request of the protocol was done.</summary>
    /// <param name="operation">Which of the two.</param>
    /// <param name="reply">What the semaphore answered.</param>
    internal void Done(FleetLockOperation operation, SlotReply reply) => Of(operation).Count(RequestCounters.Outcome(reply));

    /// <summary>A request of the protocol was refused.</summary>
    /// <param name="operation">Which of the two.</param>
    /// <param name="kind">The error's kind.</param>
    internal void Refused(FleetLockOperation operation, string kind) => Of(operation).Count(RequestCounters.Outcome(kind));

    /// <summary>Writes all that is counted here.</summary>
    /// <param name="text">Where to.</param>
    internal void Write(MetricsText text)
    {
        text.Begin("fleetlock_requests_total", "counter", "Requests of the protocol, by operation and outcome: what was done, or the kind of the error.");
        foreach (var (operation, counters) in Operations())
        {
            foreach (var (outcome, count) in counters.Counts())
                text.Sample("fleetlock_requests_total", count, ("operation", operation), ("outcome", outcome));
        }

        _storeSeconds.Write(text, "fleetlock_store_seconds", "How long the store took to save, or to say that another writer was faster.");
        text.Single("fleetlock_store_conflicts_total", "counter", "Saves that another writer was faster than; the requests were applied anew.", Volatile.Read(ref _conflicts));
        text.Single("fleetlock_store_failures_total", "counter", "Store calls that failed, or were not answered in time.", Volatile.Read(ref _storeFailures));
        text.Single("fleetlock_forced_releases_total", "counter", "Slots that an operator freed.", Volatile.Read(ref _forcedReleases));
        text.Single("airlock_v1_pre_reboot_incoming_requests_total", "counter", "Lock requests, under airlock's name.", _locks.Sum());
        text.Single("airlock_v1_steady_state_incoming_requests_total", "counter", "Unlock requests, under airlock's name.", _unlocks.Sum());
    }

    private RequestCounters Of(FleetLockOperation operation) => operation == FleetLockOperation.Lock ? _locks : _unlocks;

    private (string Name, RequestCounters Counters)[] Operations() => [("lock", _locks), ("unlock", _unlocks)];

    /// <summary>How often each outcome of one operation occurred. All that can occur are there from the start: a rate needs a zero to begin with.</summary>
    private sealed class RequestCounters
    {
        private static readonly string[] Kinds =
        [
            ErrorKinds.MissingHeader, ErrorKinds.InvalidBody, ErrorKinds.BodyTooLarge, ErrorKinds.InvalidGroup, ErrorKinds.InvalidId,
            ErrorKinds.UnknownGroup, ErrorKinds.Unauthorized, ErrorKinds.Forbidden, ErrorKinds.TooManyRequests, ErrorKinds.StoreUnavailable,
            ErrorKinds.ShuttingDown, ErrorKinds.InvalidGrant, ErrorKinds.GrantCancelled, ErrorKinds.StoreRestored,
        ];

        private readonly ConcurrentDictionary<string, Counter> _counters = new(StringComparer.Ordinal);

        internal RequestCounters(SlotReply changed, SlotReply unchanged)
        {
            IEnumerable<string> outcomes = [Outcome(changed), Outcome(unchanged), .. Kinds];
            foreach (var outcome in changed == SlotReply.Granted ? outcomes.Append(Outcome(SlotReply.Full)) : outcomes)
                _counters[outcome] = new Counter();
        }

        internal static string Outcome(SlotReply reply) => reply switch
        {
            SlotReply.Granted => "granted",
            SlotReply.AlreadyHeld or SlotReply.Renewed => "already_held",
            SlotReply.Released => "released",
            SlotReply.NotHeld => ErrorKinds.NotHeld,
            SlotReply.Resized => "resized",
            _ => "full",
        };

        internal static string Outcome(string kind) => kind == ErrorKinds.SemaphoreFull ? Outcome(SlotReply.Full) : kind;

        internal void Count(string outcome) => _counters.GetOrAdd(outcome, static _ => new Counter()).Increment();

        internal IEnumerable<(string Outcome, long Count)> Counts() =>
            _counters.OrderBy(counter => counter.Key, StringComparer.Ordinal).Select(counter => (counter.Key, counter.Value.Value));

        internal long Sum() => _counters.Sum(counter => counter.Value.Value);
    }

    private sealed class Counter
    {
        private long _value;

        internal long Value => Volatile.Read(ref _value);

        internal void Increment() => Interlocked.Increment(ref _value);
    }
}
