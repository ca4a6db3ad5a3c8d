using System.Management.Automation;
using FleetLock.PowerShell.Completion;

namespace FleetLock.PowerShell.Commands;

/// <summary>
/// <c>Unlock-FleetGroup</c>: releases the slot that an id holds, no matter which client took it; a success too when the id holds none. It takes
/// <c>Lock-FleetGroup</c>'s objects from the pipeline, and writes nothing unless <see cref="PassThru"/> is given. With <see cref="GrantId"/> it
/// releases one grant, and leaves the slot to others that were granted it too. With <see cref="Force"/> an operator frees the slot of another machine that is broken or gone; it takes <c>Get-FleetGroup</c>'s holders from the pipeline.
/// </summary>
[Cmdlet(
    VerbsCommon.Unlock,
    "FleetGroup",
    DefaultParameterSetName = ByGroup,
    SupportsShouldProcess = true)]
[OutputType(typeof(FleetLockResult))]
public sealed class UnlockFleetGroupCommand : SlotCommandBase
{
    private const string Forced = "Force";
    private const string ByGrant = "Grant";

    /// <summary>Makes the cmdlet.</summary>
    public UnlockFleetGroupCommand()
        : base(FleetLockOperation.Unlock)
    {
    }

    /// <inheritdoc/>
    [Parameter(Position = 0, ParameterSetName = ByGroup, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Parameter(Position = 0, ParameterSetName = ById, ValueFromPipelineByPropertyName = true, Mandatory = true)]
    [Parameter(Position = 0, ParameterSetName = ByGrant, ValueFromPipelineByPropertyName = true)]
    [Parameter(Position = 0, ParameterSetName = Forced, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNull]
    [TextOrProperty("Group", Companion = "Id")]
    [ArgumentCompleter(typeof(GroupCompleter))]
    public override string[]? Group { get; set; }

    /// <inheritdoc/>
    [Parameter(ParameterSetName = ByGroup, ValueFromPipelineByPropertyName = true)]
    [Parameter(ParameterSetName = ById, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true, Mandatory = true)]
    [Parameter(ParameterSetName = ByGrant, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Parameter(ParameterSetName = Forced, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNull]
    [TextOrProperty("Id")]
    [ArgumentCompleter(typeof(HolderCompleter))]
    public override string[]? Id { get; set; }

    /// <summary>
    /// The one grant to release, from the result of the lock. Not from the pipeline: an object of <c>Lock-FleetGroup</c> there releases by its id, as the
    /// protocol has it, whether the slot was granted to others too or not.
    /// </summary>
    [Parameter(ParameterSetName = ByGrant, Mandatory = true)]
    [ValidateNotNull]
    public string? GrantId { get; set; }

    /// <summary>Frees the slot of another machine, which may go on as if it held it: be sure that it is broken or gone.</summary>
    [Parameter(ParameterSetName = Forced, Mandatory = true)]
    public SwitchParameter Force { get; set; }

    /// <summary>
    /// Why, for the server's log. <see cref="Force"/> needs it; it is not Mandatory, because nobody is there to be asked in an unattended run. It is in every
    /// set for the same reason: in that of <see cref="Force"/> alone it would ask for the switch.
    /// </summary>
    [Parameter]
    public string? Reason { get; set; }

    /// <summary>Writes the result of each release.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    private protected override string Action => Force ? "Unlock by force" : GrantId is not null ? $"Release the grant {ProtocolRules.Show(GrantId)}" : base.Action;

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        if (!Force && Reason is not null)
        {
            ThrowTerminatingError(ErrorRecords.From(new FleetLockInputException(
                "reason",
                "-Reason is that of a forced release: give -Force too, or leave it out.")));
        }

        if (Force && ProtocolRules.FaultOfReason(Reason) is not null)
            ThrowTerminatingError(ErrorRecords.From(new FleetLockInputException("reason", $"A forced release takes -Reason, for the server's log: 1 to {ProtocolRules.MaxReasonLength} printable characters.")));
        try
        {
            if (GrantId is not null)
                FleetLock.GrantId.Require(GrantId);
        }
        catch (FleetLockInputException e)
        {
            ThrowTerminatingError(ErrorRecords.From(e));
        }
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        // Never this machine's own id by default.
        if (Force && Id is null)
            ThrowTerminatingError(ErrorRecords.From(new FleetLockInputException("id", "A forced release names the machine: give -Id, or holders of Get-FleetGroup from the pipeline.")));
        base.ProcessRecord();
    }

    private protected override Task<FleetLockResult> ReleaseAsync(FleetLockClient client, string group, string id, CancellationToken cancellationToken) => Force
        ? client.ForceReleaseAsync(group, id, Reason!, cancellationToken)
        : GrantId is { } grantId ? client.ReleaseGrantAsync(group, id, grantId, cancellationToken) : base.ReleaseAsync(client, group, id, cancellationToken);

    private protected override void WriteSuccess(FleetLockResult result)
    {
        if (PassThru)
            WriteObject(result);
    }
}
