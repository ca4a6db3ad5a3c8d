namespace FleetLock;

/// <summary>
/// A slot held for one run on this machine: the machine's <see cref="RunLock"/> first, then the server's slot. Whoever takes it releases it.
/// </summary>
public sealed class SlotRun : IDisposable
{
    /// <summary>How long a release is tried: a server that restarts is back by then. One minute.</summary>
    public static readonly WaitPolicy ReleasePolicy = new() { Timeout = TimeSpan.FromMinutes(1), RetryInterval = TimeSpan.FromSeconds(5) };

    /// <summary>A run that ends is noticed soon, unlike a slot on a server that many ask.</summary>
    private static readonly TimeSpan RunLockInterval = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan CleanUpTimeout = TimeSpan.FromSeconds(10);

    private readonly FleetLockClient _client;
    private readonly SlotWaiter _waiter;
    private readonly string _scope;
    private readonly string _group;
    private readonly IReadOnlyList<string> _ids;
    private RunLock? _runLock;
    private bool _isReserved;

    private SlotRun(FleetLockClient client, SlotWaiter waiter, string scope, string group, IReadOnlyList<string> ids)
    {
        _client = client;
        _waiter = waiter;
        _scope = scope;
        _group = group;
        _ids = ids;
        Id = ids[0];
    }

    /// <summary>The node id that holds the slot.</summary>
    public string Id { get; private set; }

    /// <summary>Takes the machine's file lock and a slot.</summary>
    /// <param name="client">The client of the server.</param>
    /// <param name="waiter">The waiting loop.</param>
    /// <param name="scope">What names the semaphore on this machine: the server's base address, or an embedded store's file.</param>
    /// <param name="group">The group.</param>
    /// <param name="ids">The node id; where there are several, the first that no other run on this machine has.</param>
    /// <param name="wait">How long to wait; <see langword="null"/> is one try.</param>
    /// <param name="onStep">Told of each try that is followed by another.</param>
    /// <param name="cancellationToken">Ends the wait. A slot that was perhaps granted is released.</param>
    /// <returns>The result, and the run when it is <see cref="FleetLockStatus.Granted"/>.</returns>
    /// <exception cref="FleetLockInputException">The group or the id breaks its rule.</exception>
    /// <exception cref="System.IO.IOException">The file lock cannot be used.</exception>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    public static async Task<(FleetLockResult Result, SlotRun? Run)> TakeAsync(
        FleetLockClient client,
        SlotWaiter waiter,
        string scope,
        string group,
        IReadOnlyList<string> ids,
        WaitPolicy? wait,
        Action<WaitStep>? onStep,
        CancellationToken cancellationToken)
    {
        if (client is null)
            throw new ArgumentNullException(nameof(client));
        if (waiter is null)
            throw new ArgumentNullException(nameof(waiter));

        if (ids is null || ids.Count == 0)
            throw new ArgumentException("There is no id.", nameof(ids));

        var run = new SlotRun(client, waiter, scope, ProtocolRules.RequireGroup(group), [.. ids.Select(ProtocolRules.RequireId)]);
        var keep = false;
        try
        {
            var result = wait is null
                ? await run.TryAsync(TimeSpan.Zero, cancellationToken).ConfigureAwait(false)
                : await waiter.WaitAsync(run.TryAsync, wait, onStep, cancellationToken).ConfigureAwait(false);
            keep = result.Status == FleetLockStatus.Granted;
            if (result.OutcomeUnknown || (run._isReserved && !keep))
                await run.CleanUpAsync(CleanUpTimeout).ConfigureAwait(false);
            return (result, keep ? run : null);
        }
        catch when (run._runLock is not null)
        {
            // The request that was cancelled may have been granted. Nobody runs under it: the file lock is ours.
            var limit = cancellationToken.IsCancellationRequested ? InteractiveLimits.InterruptedRelease : CleanUpTimeout;
            await run.CleanUpAsync(limit).ConfigureAwait(false);
            throw;
        }
        finally
        {
            if (!keep)
                run.Dispose();
        }
    }

    /// <summary>Releases the slot, and tries again for a minute while the server is away. Disposing gives the file lock back.</summary>
    /// <param name="onStep">Told of each try that is followed by another.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The result; <see cref="FleetLockStatus.Released"/> when the server has acknowledged it.</returns>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    public Task<FleetLockResult> ReleaseAsync(Action<WaitStep>? onStep, CancellationToken cancellationToken) =>
        _waiter.WaitAsync((_, token) => _client.UnlockAsync(_group, Id, token), ReleasePolicy, onStep, cancellationToken);

    /// <summary>Gives the machine's file lock back. It does not release the slot.</summary>
    public void Dispose() => _runLock?.Dispose();

    private async Task<FleetLockResult> TryAsync(TimeSpan hold, CancellationToken cancellationToken)
    {
        var holder = "";
        for (var i = 0; i < _ids.Count && _runLock is null; i++)
        {
            Id = _ids[i];
            _runLock = RunLock.TryTake(_scope, _group, Id, out holder);
        }

        if (_runLock is null)
            return HeldBy(holder);

        var result = await _client.LockAsync(_group, Id, hold, cancellationToken).ConfigureAwait(false);
        _isReserved |= result.Status == FleetLockStatus.Pending;
        return result;
    }

    private FleetLockResult HeldBy(string holder) => new()
    {
        Operation = FleetLockOperation.Lock,
        Status = FleetLockStatus.Busy,
        Group = _group,
        Id = Id,
        Server = _client.Server.ToString(),
        Kind = ErrorKinds.ClientRunHeld,
        Message = $"a run on this machine has it: {holder}",
        RetryAfter = RunLockInterval,
        Attempts = 0,
        Time = DateTimeOffset.UtcNow,
    };

    // Where it fails, the result or the cancellation already says that the outcome is unknown, and how to put it right.
    private Task<bool> CleanUpAsync(TimeSpan limit) => _client.TryReleaseAsync(_group, Id, limit);
}
