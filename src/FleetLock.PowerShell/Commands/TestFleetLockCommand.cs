using System.Management.Automation;
using FleetLock.PowerShell.Completion;

namespace FleetLock.PowerShell.Commands;

/// <summary>
/// <c>Test-FleetLock</c>: checks that a lock would work, without asking for one: configuration, identity, connection, protocol. It never
/// sends pre-reboot and changes no slot.
/// </summary>
[Cmdlet(VerbsDiagnostic.Test, "FleetLock")]
[OutputType(typeof(FleetLockCheck), typeof(bool))]
public sealed class TestFleetLockCommand : FleetServerCommandBase
{
    /// <summary>The group; <c>FLEETLOCK_GROUP</c> if not given, and "default" if that is not set either.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNull]
    [TextOrProperty("Group", Companion = "Id")]
    [ArgumentCompleter(typeof(GroupCompleter))]
    public string? Group { get; set; }

    /// <summary>The node id; <c>FLEETLOCK_ID</c> if not given, and this machine's own if that is not set either.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateNotNull]
    [ArgumentCompleter(typeof(HolderCompleter))]
    public string? Id { get; set; }

    /// <summary>Writes only whether every check passed.</summary>
    [Parameter]
    public SwitchParameter Quiet { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        // Each as it comes, because a name that is not found or a server that does not answer takes its time.
        var allPassed = Await(token => new FleetLockDoctor().ExamineAsync(
            () => Resolve(Group, Id),
            Connect,
            check => Work.Post(() => Write(check)),
            token));
        if (Quiet)
            WriteObject(allPassed);
    }

    private void Write(FleetLockCheck check)
    {
        WriteVerbose($"{check.Name}: {(check.Passed ? "passed" : "failed")}: {check.Message}");
        if (!Quiet)
            WriteObject(check);
    }
}
