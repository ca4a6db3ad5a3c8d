using System;
using System.Management.Automation;

namespace FleetLock.PowerShell;

/// <summary>What <c>Lock-FleetGroup</c> and <c>Unlock-FleetGroup</c> share: groups and ids, also from the pipeline, one request for each pair.</summary>
public abstract class SlotCommandBase : FleetServerCommandBase
{
    /// <summary>The set in which strings from the pipeline are groups.</summary>
    private protected const string ByGroup = "Group";

    /// <summary>The set in which strings from the pipeline are ids, because the group is given.</summary>
    private protected const string ById = "Id";

    private readonly FleetLockOperation _operation;

    private protected SlotCommandBase(FleetLockOperation operation) => _operation = operation;

    /// <summary>The groups; <c>FLEETLOCK_GROUP</c> if not given, and "default" if that is not set either.</summary>
    [Parameter(Position = 0, ParameterSetName = ByGroup, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Parameter(Position = 0, ParameterSetName = ById, ValueFromPipelineByPropertyName = true, Mandatory = true)]
    [ValidateNotNull]
    public string[]? Group { get; set; }

    /// <summary>The node ids; <c>FLEETLOCK_ID</c> if not given, and this machine's own if that is not set either.</summary>
    [Parameter(ParameterSetName = ByGroup, ValueFromPipelineByPropertyName = true)]
    [Parameter(ParameterSetName = ById, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true, Mandatory = true)]
    [ValidateNotNull]
    public string[]? Id { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (var group in Group ?? [null!])
        {
            foreach (var id in Id ?? [null!])
                Process(group, id);
        }
    }

    /// <summary>Writes what a success is to the pipeline.</summary>
    /// <param name="result">The result, granted or released.</param>
    private protected abstract void WriteSuccess(FleetLockResult result);

    private void Process(string? group, string? id)
    {
        if (Resolve(group, id) is not var (server, validGroup, validId))
            return;
        if (!ShouldProcess($"group '{validGroup}' as '{validId}' at {server}", _operation.ToString()))
            return;

        var client = Connect(server);
        var result = Await(token => _operation == FleetLockOperation.Lock
            ? client.LockAsync(validGroup, validId, token)
            : client.UnlockAsync(validGroup, validId, token));
        WriteVerbose(FormattableString.Invariant($"{result} after {result.Elapsed.TotalMilliseconds:0} ms"));
        if (result.IsSuccess)
            WriteSuccess(result);
        else
            WriteError(ErrorRecords.From(result));
    }

    private (ServerAddress Server, string Group, string Id)? Resolve(string? group, string? id)
    {
        try
        {
            var configuration = FleetLockConfiguration.Resolve(Uri?.OriginalString, group, id);
            return (configuration.RequireServer(), configuration.RequireGroup(), configuration.RequireId());
        }
        catch (FleetLockInputException e)
        {
            WriteError(ErrorRecords.From(e));
            return null;
        }
    }
}
