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
public sealed class InvokeFleetLockCommand : SlotRunCommandBase
{
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
}
