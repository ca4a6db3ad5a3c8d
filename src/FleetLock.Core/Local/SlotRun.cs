namespace FleetLock;

/// <summary>
/// A slot held for one run on this machine: the machine's own lock first, then the server's slot. A note tells a later run of the grant, in
/// case this process is killed. A run whose process runs under the slot already takes nothing, and releases nothing.
/// </summary>
public sealed class SlotRun : IDisposable
{
    /// <summary>How long a release is tried if nothing else is said. Ten minutes: a server that is updated is back by then.</summary>
    public static readonly TimeSpan ReleaseTimeout = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan ReleaseInterval = TimeSpan.FromSeconds(5);

    private readonly FleetLockClient _client;
    private readonly SlotWaiter _waiter;
    private readonly RunClaim _claim;
    private readonly string _group;
    private LockOperation? _operation;
    private bool? _isNewGrant;

    private SlotRun(FleetLockClient client, SlotWaiter waiter, RunClaim claim, string group)
    {
        _client = client;
        _waiter = waiter;
        _claim = claim;
        _group = group;
    }

    /// <summary>The node id that holds the slot.</summary>
    public string Id => _claim.Id;

    /// <summary>The grant id, for <see cref="HeldGrants"/>.</summary>
    public string GrantId => _claim.GrantId;

    /// <summary>The run that this process runs under, for people; <see langword="null"/> when this run holds the slot itself.</summary>
    public string? Outer => _claim.Outer?.Describe();

    /// <summary>
    /// Whether the slot is that of an earlier run of this machine, which was killed, could not release it, or kept it on purpose.
    /// </summary>
    public bool IsAdopted => _claim.IsAdopted;

    /// <summary>Whether the id held the slot by a grant that this machine knows nothing of. It stays held at the end.</summary>
    public bool WasHeldBefore => Outer is null && _isNewGrant == false;

    /// <summary>Takes the machine's lock and a slot.</summary>
    /// <param name="client">The client of the server.</param>
    /// <param name="waiter">The waiting loop.</param>
    /// <param name="scope">The semaphore.</param>
    /// <param name="group">The group.</param>
    /// <param name="ids">The node id; where there are several, the first that no other run on this machine has.</param>
    /// <param name="wait">How long to wait; <see langword="null"/> is one try.</param>
    /// <param name="onStep">Told of each try that is followed by another.</param>
    /// <param name="onLeak">Called when a slot may be left at the server that could not be undone.</param>
    /// <param name="cancellationToken">Cancels the wait. What was asked for is undone.</param>
    /// <param name="folder">The folder of the lock files and notes; <see langword="null"/> is <see cref="RunFolder.Find"/>'s.</param>
    /// <returns>The result, and the run when it is <see cref="FleetLockStatus.Granted"/>.</returns>
    /// <exception cref="FleetLockInputException">The group or the id is invalid.</exception>
    /// <exception cref="System.IO.IOException">The lock file or the note cannot be used.</exception>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    public static async Task<(FleetLockResult Result, SlotRun? Run)> TakeAsync(
        FleetLockClient client,
        SlotWaiter waiter,
        RunScope scope,
        string group,
        IReadOnlyList<string> ids,
        WaitPolicy? wait,
        Action<WaitStep>? onStep,
        Action<PossibleLeak> onLeak,
        CancellationToken cancellationToken,
        string? folder = null)
    {
        if (client is null)
            throw new ArgumentNullException(nameof(client));
        if (waiter is null)
            throw new ArgumentNullException(nameof(waiter));

        var claim = new RunClaim(folder ?? RunFolder.Find(), scope, group, ids, RunFolder.FindRoots());
        var run = new SlotRun(client, waiter, claim, group);
        var keep = false;
        try
        {
            // To wait for the end of a run that waits for this process would be to wait for ever.
            var result = wait is null || claim.IsHeldByAncestor()
                ? await run.TryAsync(TimeSpan.Zero, cancellationToken).ConfigureAwait(false)
                : await waiter.WaitAsync(run.TryAsync, wait, onStep, cancellationToken).ConfigureAwait(false);
            keep = result.Status == FleetLockStatus.Granted;
            if (keep)
                return (result, run);
            return (await run.SettleAsync(result, onLeak, cancellationToken).ConfigureAwait(false), null);
        }
        catch when (run._operation is not null && claim.IsAdopted)
        {
            onLeak(run.DescribeLeft(isReservation: false));
            throw;
        }
        catch when (run._operation is not null)
        {
            await run.ForgetUnlessLeakedAsync(report => run._operation.AbandonAsync(report, cancellationToken), onLeak)
                .ConfigureAwait(false);
            throw;
        }
        finally
        {
            if (!keep)
                run.Dispose();
        }
    }

    /// <summary>
    /// Notes the command that runs under the slot, before it executes: a later run waits for it, even if this process is killed.
    /// </summary>
    /// <param name="command">The command's process.</param>
    /// <exception cref="System.IO.IOException">The note cannot be written.</exception>
    public void NoteCommand(ProcessIdentity command) => _claim.NoteCommand(command);

    /// <summary>Undoes a run that never began, for nobody was told of it. The slot of an earlier run stays as it was.</summary>
    /// <param name="timeLimit">The longest to try.</param>
    /// <returns>What may be left at the server; <see langword="null"/> when nothing is.</returns>
    public async Task<PossibleLeak?> UndoAsync(TimeSpan timeLimit)
    {
        if (_operation is null || IsAdopted)
            return null;
        var leak = await _operation.UndoAsync(timeLimit).ConfigureAwait(false);
        if (leak is null)
            _claim.Forget();
        return leak;
    }

    /// <summary>
    /// Releases the grant, and tries again while the server is away, after what still runs under the slot has ended. Where the server does
    /// not support grants it releases whatever the id holds, as the protocol says. Disposing gives the machine's lock back.
    /// </summary>
    /// <param name="timeout">How long to try; <see cref="ReleaseTimeout"/> if nothing else is said. The last request may take ten seconds more.</param>
    /// <param name="onStep">Told of each try that is followed by another.</param>
    /// <param name="cancellationToken">Gives up. The note stays, and the next run adopts the grant.</param>
    /// <returns>
    /// The result; <see cref="FleetLockStatus.Released"/> when the server has acknowledged it.
    /// <see cref="ErrorKinds.ClientGrantKept"/> when another lock shares the slot, <see cref="ErrorKinds.NotHeld"/> when the slot was lost,
    /// and <see cref="ErrorKinds.ClientRunHeld"/> when this process cannot tell whether something still runs under it.
    /// </returns>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    public async Task<FleetLockResult> ReleaseAsync(TimeSpan timeout, Action<WaitStep>? onStep, CancellationToken cancellationToken)
    {
        if (_operation is null)
            return Result(FleetLockOperation.Unlock, FleetLockStatus.Released, null, "the slot is that of the run around this one");

        var untilFree = new WaitPolicy { RetryInterval = RunClaim.Interval };
        var end = await _waiter.WaitAsync(TryEndAsync, untilFree, onStep, cancellationToken).ConfigureAwait(false);
        if (!end.IsSuccess)
            return end;
        var result = await TryReleaseAsync(timeout, onStep, cancellationToken).ConfigureAwait(false);
        if (result.IsSuccess || result.Kind is ErrorKinds.ClientGrantKept or ErrorKinds.NotHeld)
            _claim.Forget();
        return result;
    }

    /// <summary>Gives the machine's lock back. It does not release the slot; the note of a slot that is held stays.</summary>
    public void Dispose() => _claim.Dispose();

    private async Task<FleetLockResult> TryReleaseAsync(TimeSpan timeout, Action<WaitStep>? onStep, CancellationToken cancellationToken)
    {
        // The last request is cut off too: the time-out of one may be longer, or infinite.
        var longest = timeout + LockOperation.UndoTimeLimit;
        using var limit = new Deadline(longest, _client.Options.Clock, cancellationToken);
        var policy = new WaitPolicy { Timeout = timeout, RetryInterval = ReleaseInterval };
        try
        {
            return await _waiter.WaitAsync(TryReleaseAsync, policy, onStep, limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (limit.HasPassed && !cancellationToken.IsCancellationRequested)
        {
            return Result(FleetLockOperation.Unlock, FleetLockStatus.TimedOut, ErrorKinds.ClientFailedRequest, _client.DescribeTimeout(longest)) with
            {
                OutcomeUnknown = true,
            };
        }
    }

    private Task<FleetLockResult> TryReleaseAsync(TimeSpan hold, CancellationToken cancellationToken) =>
        _isNewGrant is null || !FleetLockClient.CanNameInAddress(_group)
            ? _client.UnlockAsync(_group, Id, cancellationToken)
            : _client.ReleaseGrantAsync(_group, Id, GrantId, cancellationToken);

    private Task<FleetLockResult> TryEndAsync(TimeSpan hold, CancellationToken cancellationToken)
    {
        try
        {
            return Task.FromResult(_claim.TryEnd() is { } inner
                ? BusyOnThisMachine(FleetLockOperation.Unlock, $"{inner.Describe()} still runs under the slot")
                : Result(FleetLockOperation.Unlock, FleetLockStatus.Released, null, "nothing runs under the slot"));
        }
        catch (IOException e)
        {
            // What runs under the slot cannot be told, so that it stays.
            var message = e.Message.TrimEnd('.');
            return Task.FromResult(Result(FleetLockOperation.Unlock, FleetLockStatus.Refused, ErrorKinds.ClientRunHeld, message));
        }
    }

    private async Task<FleetLockResult> TryAsync(TimeSpan hold, CancellationToken cancellationToken)
    {
        if (_claim.TryTake() is { } holder)
            return BusyOnThisMachine(FleetLockOperation.Lock, $"a run on this machine has it: {holder}");
        if (_claim.Outer is not null)
        {
            return Result(FleetLockOperation.Lock, FleetLockStatus.Granted, null, $"runs under the slot of {Outer}") with
            {
                GrantId = GrantId,
                IsNewGrant = false,
            };
        }

        _operation ??= new LockOperation(_client, _group, Id, GrantId);
        var result = await _operation.TryAsync(hold, cancellationToken).ConfigureAwait(false);
        if (IsAdopted && result.Kind == ErrorKinds.GrantCancelled)
        {
            // The earlier run has released it, and was killed before it could say so.
            _claim.Renew();
            _operation = new LockOperation(_client, _group, Id, GrantId);
            result = await _operation.TryAsync(hold, cancellationToken).ConfigureAwait(false);
        }

        _isNewGrant = result.IsNewGrant;
        return result;
    }

    /// <summary>Undoes what a result that is not a grant has left behind. The slot of an earlier run stays as it was.</summary>
    private async Task<FleetLockResult> SettleAsync(
        FleetLockResult result,
        Action<PossibleLeak> onLeak,
        CancellationToken cancellationToken)
    {
        if (_operation is null)
            return result;
        if (IsAdopted && !result.SaysNotHeld)
        {
            var isReservation = result.Status == FleetLockStatus.Pending || result.LastStatus == FleetLockStatus.Pending;
            if (result.OutcomeUnknown || isReservation)
                onLeak(DescribeLeft(isReservation));
            return result;
        }

        var operation = _operation;
        var settled = result;
        await ForgetUnlessLeakedAsync(
            async report => settled = await operation.SettleAsync(result, report, cancellationToken).ConfigureAwait(false),
            onLeak).ConfigureAwait(false);
        return settled;
    }

    private PossibleLeak DescribeLeft(bool isReservation) =>
        new(_group, Id, _client.Server.ToString(), isReservation, "an earlier run of this machine may hold it");

    /// <summary>The note of a grant that may be left at the server stays, and the next run adopts it.</summary>
    private async Task ForgetUnlessLeakedAsync(Func<Action<PossibleLeak>, Task> undo, Action<PossibleLeak> onLeak)
    {
        var hasLeaked = false;
        await undo(leak =>
        {
            hasLeaked = true;
            onLeak(leak);
        }).ConfigureAwait(false);
        if (!hasLeaked)
            _claim.Forget();
    }

    private FleetLockResult BusyOnThisMachine(FleetLockOperation operation, string message) =>
        Result(operation, FleetLockStatus.Busy, ErrorKinds.ClientRunHeld, message) with { RetryAfter = RunClaim.Interval };

    private FleetLockResult Result(FleetLockOperation operation, FleetLockStatus status, string? kind, string message) => new()
    {
        Operation = operation,
        Status = status,
        Group = _group,
        Id = Id,
        Server = _client.Server.ToString(),
        Kind = kind,
        Message = message,
        Attempts = 0,
        Time = DateTimeOffset.UtcNow,
    };
}
