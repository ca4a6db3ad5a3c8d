namespace FleetLock;

/// <summary>
/// One lock operation: what was asked, through all waits and retries, and what it may have left behind. It has one grant id, so that an undo ends this
/// operation and never takes a slot that the same id was granted before, or that another operation was granted too.
/// </summary>
/// <remarks>Not for several threads at the same time. An operation that was undone is over: the server refuses its grant id from then on.</remarks>
public sealed class LockOperation
{
    /// <summary>The longest that an undo is tried while somebody waits for the result.</summary>
    public static readonly TimeSpan UndoTimeLimit = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(2);

    private readonly FleetLockClient _client;
    private Trace _trace = Trace.None;

    /// <summary>Makes an operation; it asks for nothing yet.</summary>
    /// <param name="client">The client of the server.</param>
    /// <param name="group">The group.</param>
    /// <param name="id">The node id.</param>
    /// <exception cref="FleetLockInputException">The group or the id is invalid.</exception>
    public LockOperation(FleetLockClient client, string group, string id)
        : this(client, group, id, FleetLock.GrantId.Create())
    {
    }

    internal LockOperation(FleetLockClient client, string group, string id, string grantId)
    {
        GrantId = FleetLock.GrantId.Require(grantId);
        _client = client ?? throw new ArgumentNullException(nameof(client));
        Group = ProtocolRules.RequireGroup(group);
        Id = ProtocolRules.RequireId(id);
    }

    /// <summary>What the requests so far may have left at the server, by rising certainty that it is there.</summary>
    private enum Trace
    {
        /// <summary>No request was sent, or none that can have had an effect.</summary>
        None,

        /// <summary>A request was lost, and a later answer says that the id holds no slot; the lost request may still arrive.</summary>
        Refuted,

        /// <summary>A grant, although no answer says so.</summary>
        Unknown,

        /// <summary>A reservation.</summary>
        Reserved,

        /// <summary>A grant.</summary>
        Granted,
    }

    /// <summary>The group.</summary>
    public string Group { get; }

    /// <summary>The node id.</summary>
    public string Id { get; }

    /// <summary>The operation's grant id.</summary>
    public string GrantId { get; }

    /// <summary>Takes a slot, or waits for one, and undoes what is not a grant in the end.</summary>
    /// <param name="waiter">The waiting loop.</param>
    /// <param name="wait">How long to wait; <see langword="null"/> is one try.</param>
    /// <param name="onStep">Called for each try that is followed by another; may be <see langword="null"/>.</param>
    /// <param name="onLeak">Called when something may be left at the server that could not be undone.</param>
    /// <param name="cancellationToken">Cancels the operation, which is then undone.</param>
    /// <returns>The result.</returns>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    public async Task<FleetLockResult> AcquireAsync(
        SlotWaiter waiter,
        WaitPolicy? wait,
        Action<WaitStep>? onStep,
        Action<PossibleLeak> onLeak,
        CancellationToken cancellationToken)
    {
        if (waiter is null)
            throw new ArgumentNullException(nameof(waiter));
        if (onLeak is null)
            throw new ArgumentNullException(nameof(onLeak));

        try
        {
            var result = wait is null
                ? await TryAsync(TimeSpan.Zero, cancellationToken).ConfigureAwait(false)
                : await waiter.WaitAsync(TryAsync, wait, onStep, cancellationToken).ConfigureAwait(false);
            return await SettleAsync(result, onLeak, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await AbandonAsync(onLeak, cancellationToken).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Asks for the slot, once.</summary>
    /// <param name="hold">How long the server may hold the request.</param>
    /// <param name="cancellationToken">Cancels the request. The outcome is then unknown, and to be undone.</param>
    /// <returns>The result.</returns>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    public async Task<FleetLockResult> TryAsync(TimeSpan hold, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var before = _trace;
        _trace = Trace.Unknown;
        var result = await _client.LockAsync(Group, Id, GrantId, hold, cancellationToken).ConfigureAwait(false);
        _trace = After(before, result);
        return result;
    }

    /// <summary>Undoes what a result that is not a grant has left behind, while somebody waits for the result.</summary>
    /// <param name="result">The result of the operation.</param>
    /// <param name="onLeak">Called when something may be left at the server that could not be undone.</param>
    /// <param name="cancellationToken">Cuts the undo short.</param>
    /// <returns>The result, whose outcome is known if the undo succeeded.</returns>
    internal async Task<FleetLockResult> SettleAsync(FleetLockResult result, Action<PossibleLeak> onLeak, CancellationToken cancellationToken)
    {
        if (result.Status == FleetLockStatus.Granted || _trace == Trace.None)
            return result;

        // Not longer than a request may take: somebody who set that time does not wait ten times as long.
        var options = _client.Options;
        var limit = options.HasTimeout && options.Timeout < UndoTimeLimit ? options.Timeout : UndoTimeLimit;
        if (await UndoAsync(limit, cancellationToken).ConfigureAwait(false) is not { } leak)
            return result with { OutcomeUnknown = false };
        onLeak(leak);
        return result;
    }

    /// <summary>Undoes an operation that ended by an exception.</summary>
    /// <param name="onLeak">Called when something may be left at the server that could not be undone.</param>
    /// <param name="cancellationToken">Tells whether the operation was interrupted: then there is little time.</param>
    /// <returns>A task that completes when it is undone.</returns>
    internal async Task AbandonAsync(Action<PossibleLeak> onLeak, CancellationToken cancellationToken)
    {
        var limit = cancellationToken.IsCancellationRequested ? InteractiveLimits.InterruptedRelease : UndoTimeLimit;
        if (await UndoAsync(limit, CancellationToken.None).ConfigureAwait(false) is { } leak)
            onLeak(leak);
    }

    /// <summary>
    /// Ends the operation at the server: a grant that nobody was told of, a reservation, a request that waits there or is still on its way. It never throws.
    /// A server that does not support grants is left as it is: an unlock might take a slot that the id was granted before.
    /// </summary>
    /// <param name="timeLimit">The longest to try.</param>
    /// <param name="cancellationToken">Cuts it short.</param>
    /// <returns>What may be left at the server; <see langword="null"/> when nothing is.</returns>
    public async Task<PossibleLeak?> UndoAsync(TimeSpan timeLimit, CancellationToken cancellationToken = default)
    {
        if (_trace == Trace.None)
            return null;

        var (reason, isRefused) = await CancelAsync(timeLimit, cancellationToken).ConfigureAwait(false);
        if (reason is null)
        {
            _trace = Trace.None;
            return null;
        }

        // A server without grants has said all that it will ever say. Where the undo was merely not answered, what the lost request began may come yet.
        return _trace == Trace.Refuted && isRefused
            ? null
            : new PossibleLeak(Group, Id, _client.Server.ToString(), _trace == Trace.Reserved, reason);
    }

    private static Trace After(Trace before, FleetLockResult result) => result switch
    {
        { Status: FleetLockStatus.Granted } => Trace.Granted,
        { Status: FleetLockStatus.Pending } => Trace.Reserved,
        { OutcomeUnknown: true } => before > Trace.Unknown ? before : Trace.Unknown,
        { SaysNotHeld: true } => before == Trace.None ? Trace.None : Trace.Refuted,
        _ => before,
    };

    /// <returns>Why it did not succeed, <see langword="null"/> when it did; and whether another try would end in the same way.</returns>
    private async Task<(string? Reason, bool IsRefused)> CancelAsync(TimeSpan timeLimit, CancellationToken cancellationToken)
    {
        using var limit = new Deadline(timeLimit, _client.Options.Clock, cancellationToken);

        // The client's own time-out may be as long as the limit, and either may be first: both say the same.
        var reason = _client.DescribeTimeout(timeLimit);
        try
        {
            for (var sleep = FirstRetry; ; sleep = sleep + sleep < LongestRetry ? sleep + sleep : LongestRetry)
            {
                var result = await _client.CancelGrantAsync(Group, Id, GrantId, isUndo: true, limit.Token).ConfigureAwait(false);
                if (IsEnded(result))
                    return (null, false);
                reason = result.Message;
                if (!SlotWaiter.IsCurable(result.Status))
                    return (reason, true);
                await Clocks.Delay(_client.Options.Clock, sleep, limit.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            return (cancellationToken.IsCancellationRequested ? "it was interrupted" : reason, false);
        }
        catch (FleetLockInputException e)
        {
            // A group that an address cannot name.
            return (e.Message, true);
        }
    }

    /// <summary>Whether nothing of this operation is held any more; a slot that is kept belongs to another operation.</summary>
    private static bool IsEnded(FleetLockResult cancelled) => cancelled.Status == FleetLockStatus.Released || (cancelled.HttpStatus, cancelled.Kind) is
        (200, ErrorKinds.ClientGrantKept or ErrorKinds.NotHeld) or (404, ErrorKinds.UnknownGroup);
}
