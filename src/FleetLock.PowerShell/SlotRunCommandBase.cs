using System.Management.Automation;

namespace FleetLock.PowerShell;

/// <summary>A cmdlet that holds a slot for as long as something of its own runs: how the slot is taken, released, and reported.</summary>
public abstract class SlotRunCommandBase : WaitingCommandBase
{
    private CancellationTokenSource? _giveUp;

    /// <summary>
    /// The longest that the release is tried after the block, in seconds. The default is ten minutes: a server that is updated is back by then.
    /// </summary>
    [Parameter]
    [ValidateRange(0, WaitPolicy.MaxTimeoutSec)]
    public int ReleaseTimeoutSec { get; set; } = (int)SlotRun.ReleaseTimeout.TotalSeconds;

    /// <inheritdoc/>
    protected override void StopProcessing()
    {
        base.StopProcessing();
        try
        {
            Volatile.Read(ref _giveUp)?.CancelAfter(InteractiveLimits.InterruptedRelease);
        }
        catch (ObjectDisposedException)
        {
            // The release ended at the same moment.
        }
    }

    /// <summary>Takes the slot.</summary>
    /// <returns>The run. Where there is no slot, the statement has ended by an error.</returns>
    private protected SlotRun Take(FleetLockClient client, string group, string id, WaitPolicy? policy)
    {
        SlotRun? run = null;
        PossibleLeak? leak = null;
        try
        {
            var result = Await(async token =>
            {
                using var report = new WaitReport(this, Work, client);
                var scope = new RunScope(client.Servers);
                (var taken, run) = await SlotRun
                    .TakeAsync(client, Waiter, scope, group, [id], policy, report.OnStep, found => leak = found, token)
                    .ConfigureAwait(false);
                return taken;
            });
            WriteVerbose(result.ToString());
            if (run is null)
                ThrowTerminatingError(ErrorRecords.From(result, Interlocked.Exchange(ref leak, null)));
            return run!;
        }
        catch when (run is not null)
        {
            // Stopped between the grant and the block.
            using (run)
                leak = Task.Run(() => run.UndoAsync(InteractiveLimits.InterruptedRelease)).GetAwaiter().GetResult();
            throw;
        }
        catch (IOException e)
        {
            ThrowTerminatingError(ErrorRecords.FromRunLock(e));
            throw;
        }
        finally
        {
            // What no error says.
            if (leak is not null)
                ReportLeak(leak);
        }
    }

    /// <summary>Releases the slot, or keeps it, and says what became of it.</summary>
    /// <param name="run">The run.</param>
    /// <param name="group">The group.</param>
    /// <param name="failed">Whether an error is under way, in whose place no other is to stand.</param>
    /// <param name="keep">Whether the slot is kept.</param>
    private protected void Release(SlotRun run, string group, bool failed, bool keep)
    {
        var (result, message) = keep ? (null, "") : Release(run);
        if (result is { IsSuccess: true })
            return;
        if (!keep && (result is null || (Stopping && result.Kind != ErrorKinds.NotHeld)))
            Host.UI.WriteWarningLine(DescribeHeld(run, group, message));
        else if (keep)
            WriteWarning(DescribeKeptOnFailure(run, group));
        else if (result!.Kind == ErrorKinds.ClientGrantKept)
            WriteWarning(DescribeKept(run, group));
        else if (failed && IsStopPreferred)
            WriteWarning(ErrorRecords.FromRelease(result).ToString());
        else
            WriteError(ErrorRecords.FromRelease(result));
    }

    private static string DescribeKeptOnFailure(SlotRun run, string group) =>
        $"The block failed, so the slot of group '{group}' is kept by '{run.Id}'; when the machine is healthy again: "
        + ErrorRecords.UnlockCommand(group, run.Id);

    /// <summary>
    /// Not with the cmdlet's own token: Ctrl+C ends the block, and the slot is released all the same, but not for longer than a person waits.
    /// </summary>
    private (FleetLockResult? Result, string Message) Release(SlotRun run)
    {
        using var giveUp = new CancellationTokenSource();
        Volatile.Write(ref _giveUp, giveUp);
        if (Stopping)
            giveUp.CancelAfter(InteractiveLimits.InterruptedRelease);
        try
        {
            var timeout = TimeSpan.FromSeconds(ReleaseTimeoutSec);
            var result = Task.Run(() => run.ReleaseAsync(timeout, null, giveUp.Token)).GetAwaiter().GetResult();
            return (result, result.Message);
        }
        catch (OperationCanceledException)
        {
            return (null, "the release was interrupted before the server answered");
        }
        finally
        {
            Volatile.Write(ref _giveUp, null);
        }
    }

    /// <summary>What is still held where no error can say so. The note of the grant stays, and with it the next run adopts the slot.</summary>
    private protected static string DescribeHeld(SlotRun run, string group, string reason) =>
        $"The slot of group '{group}' is still held by '{run.Id}': {reason.TrimEnd('.')}. The next run of this slot on this machine takes it over. "
        + $"To release it now: {ErrorRecords.UnlockCommand(group, run.Id)}";

    private static string DescribeKept(SlotRun run, string group)
    {
        var reason = run.WasHeldBefore ? "which held it before the block" : "because another lock was granted it too";
        var unlock = ErrorRecords.UnlockCommand(group, run.Id);
        return $"The slot of group '{group}' stays held by '{run.Id}', {reason}. If nothing else needs it: {unlock}";
    }
}
