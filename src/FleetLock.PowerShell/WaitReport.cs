using System.Management.Automation;

namespace FleetLock.PowerShell;

/// <summary>Tells the person who waits: progress with the holders and the time so far, a verbose line for each try, a warning when the server goes away.</summary>
/// <param name="command">The cmdlet.</param>
/// <param name="work">Its calls.</param>
/// <param name="client">The client of the server.</param>
internal sealed class WaitReport(Cmdlet command, PipelineWork work, FleetLockClient client) : IDisposable
{
    private static int Activities;

    private readonly int _activity = Interlocked.Increment(ref Activities);
    private readonly HolderLookup _holders = new(client);
    private readonly TaskCompletionSource<bool> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private string _lastMessage = "";
    private bool _wasUnreachable;
    private bool _hasProgress;
    private bool _isOver;

    /// <summary>A try that is followed by another.</summary>
    /// <param name="step">The try.</param>
    internal void OnStep(WaitStep step)
    {
        var isNews = step.Result.Message != _lastMessage;
        var isUnreachable = step.Result.Status == FleetLockStatus.Unreachable;
        var wentAway = isUnreachable && !_wasUnreachable;
        (_lastMessage, _wasUnreachable, _hasProgress) = (step.Result.Message, isUnreachable, true);

        work.Post(() =>
        {
            command.WriteVerbose(FormattableString.Invariant($"Try {step.Attempt}: {step.Result}; the next in {step.NextTry.TotalSeconds:0.#} s."));
            if (wentAway)
                command.WriteWarning($"Still waiting: {step.Result.Message}.");
            Show(step, null);
        });
        if (isNews && step.Result.Status == FleetLockStatus.Busy)
            work.Start(token => AddHoldersAsync(step, token));
    }

    /// <summary>Ends the progress. It is to be called within the call that waits, so that there is still somebody who writes it.</summary>
    public void Dispose()
    {
        _ended.TrySetResult(true);
        if (!_hasProgress)
            return;
        work.Post(() =>
        {
            _isOver = true;
            command.WriteProgress(new ProgressRecord(_activity, "Waiting", "Done") { RecordType = ProgressRecordType.Completed });
        });
    }

    private async Task AddHoldersAsync(WaitStep step, CancellationToken stopped)
    {
        // A list that comes after the wait is of no use, and must not keep the cmdlet.
        var lookup = _holders.DescribeAsync(step.Result.Group, stopped);
        if (await Task.WhenAny(lookup, _ended.Task).ConfigureAwait(false) == lookup && await lookup.ConfigureAwait(false) is { } holders)
            work.Post(() => Show(step, holders));
    }

    private void Show(WaitStep step, string? holders)
    {
        if (_isOver)
            return;
        var activity = step.Result.Operation == FleetLockOperation.Lock ? "Waiting for a slot of group" : "Waiting for the release in group";
        command.WriteProgress(new ProgressRecord(_activity, $"{activity} '{step.Result.Group}'", $"{step.Result.Message}{(holders is null ? "" : $"; {holders}")}")
        {
            CurrentOperation = FormattableString.Invariant($"{step.Waited.TotalSeconds:0} s so far"),
        });
    }
}
