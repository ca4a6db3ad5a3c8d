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

    private readonly FleetLockClient _client;
    private readonly SlotWaiter _waiter;
    private readonly string _scope;
    private readonly string _group;
    private readonly IReadOnlyList<string> _ids;
    private RunLock? _runLock;
    private LockOperation? _operation;

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
    /// <param name="onLeak">Called when a slot may be left at the server that could not be undone.</param>
    /// <param name="cancellationToken">Cancels the wait. What was asked for is undone.</param>
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
        Action<PossibleLeak> onLeak,
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
            if (run._operation is not null)
                result = await run._operation.SettleAsync(result, onLeak, cancellationToken).ConfigureAwait(false);
            keep = result.Status == FleetLockStatus.Granted;
            return (result, keep ? run : null);
        }
        catch when (run._operation is not null)
        {
            await run._operation.AbandonAsync(onLeak, cancellationToken).ConfigureAwait(false);
            throw;
        }
        finally
        {
            if (!keep)
                run.Dispose();
        }
    }

    /// <summary>Undoes a run that never began, for nobody was told of it.</summary>
    /// <param name="timeLimit">The longest to try.</param>
    /// <returns>What may be left at the server; <see langword="null"/> when nothing is.</returns>
    public Task<PossibleLeak?> UndoAsync(TimeSpan timeLimit) => _operation!.UndoAsync(timeLimit);

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

        _operation ??= new LockOperation(_client, _group, Id);
        return await _operation.TryAsync(hold, cancellationToken).ConfigureAwait(false);
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
}
