using System.Management.Automation;
using FleetLock.PowerShell.Completion;

namespace FleetLock.PowerShell.Commands;

/// <summary>
/// <c>Invoke-FleetLock</c>: runs a script block while a slot is held, and releases the slot however the block ends: by success, by an
/// error, by Ctrl+C, by a stopped pipeline, by <c>exit</c>, by a signal to the engine. A slot that the id held before stays held. It shares
/// the machine's file lock with <c>fleetlockctl run</c>.
/// </summary>
[Cmdlet(VerbsLifecycle.Invoke, "FleetLock", SupportsShouldProcess = true)]
[OutputType(typeof(object))]
public sealed class InvokeFleetLockCommand : WaitingCommandBase
{
    private CancellationTokenSource? _giveUp;

    /// <summary>The block to run. It runs in a scope of its own, as with the call operator.</summary>
    [Parameter(Position = 0, Mandatory = true, ValueFromPipeline = true)]
    public ScriptBlock ScriptBlock { get; set; } = null!;

    /// <summary>The group; <c>FLEETLOCK_GROUP</c> if not given, and "default" if that is not set either.</summary>
    [Parameter]
    [ValidateNotNull]
    [ArgumentCompleter(typeof(GroupCompleter))]
    public string? Group { get; set; }

    /// <summary>The node id; <c>FLEETLOCK_ID</c> if not given, and this machine's own if that is not set either.</summary>
    [Parameter]
    [ValidateNotNull]
    [ArgumentCompleter(typeof(HolderCompleter))]
    public string? Id { get; set; }

    /// <summary>Arguments for the block.</summary>
    [Parameter]
    [Alias("Args")]
    [ValidateNotNull]
    public object[] ArgumentList { get; set; } = [];

    /// <summary>Keeps the slot when the block ends by an error, so that the fleet stops behind a broken machine.</summary>
    [Parameter]
    public SwitchParameter KeepOnFailure { get; set; }

    /// <summary>The longest that the release is tried after the block, in seconds. The default is ten minutes: a server that is updated is back by then.</summary>
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

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        (FleetLockClient Client, string Group, string Id, WaitPolicy? Policy) slot;
        try
        {
            var configuration = Resolve(Group, Id);
            slot = (Connect(configuration), configuration.RequireGroup(), configuration.RequireId(), PolicyOf(configuration));
        }
        catch (FleetLockInputException e)
        {
            ThrowTerminatingError(ErrorRecords.From(e));
            return;
        }

        if (ShouldProcess($"group '{slot.Group}' as '{slot.Id}' at {slot.Client.Server}", "Run a script block under a slot"))
            RunUnderSlot(slot.Client, slot.Group, slot.Id, slot.Policy);
    }

    private void RunUnderSlot(FleetLockClient client, string group, string id, WaitPolicy? policy)
    {
        using var run = Take(client, group, id, policy);

        // The run around this one has entered already, and leaves after it.
        var isOwn = run.Outer is null;
        var (failed, keep) = (false, false);
#if NET
        using var signals = SignalRelease.Watch(run, message => Host.UI.WriteWarningLine(DescribeHeld(run, group, message)));
#endif
        try
        {
            if (isOwn)
                HeldGrants.Enter(run.GrantId);
            BlockRunner.Run(this, ScriptBlock, ArgumentList);
        }
        catch (Exception e) when (BlockRunner.IsFailure(e))
        {
            (failed, keep) = (true, KeepOnFailure && isOwn);
            throw;
        }
        finally
        {
            if (isOwn)
                HeldGrants.Leave(run.GrantId);
#if NET
            if (keep)
                signals.Dispose();
#endif
            Release(run, group, failed, keep);
        }
    }

    private SlotRun Take(FleetLockClient client, string group, string id, WaitPolicy? policy)
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

    private void Release(SlotRun run, string group, bool failed, bool keep)
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
    private static string DescribeHeld(SlotRun run, string group, string reason) =>
        $"The slot of group '{group}' is still held by '{run.Id}': {reason.TrimEnd('.')}. The next run of this slot on this machine takes it over. "
        + $"To release it now: {ErrorRecords.UnlockCommand(group, run.Id)}";

    private static string DescribeKept(SlotRun run, string group)
    {
        var reason = run.WasHeldBefore ? "which held it before the block" : "because another lock was granted it too";
        var unlock = ErrorRecords.UnlockCommand(group, run.Id);
        return $"The slot of group '{group}' stays held by '{run.Id}', {reason}. If nothing else needs it: {unlock}";
    }
}
