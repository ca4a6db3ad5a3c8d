using System.Management.Automation;
using FleetLock.PowerShell.Completion;

namespace FleetLock.PowerShell;

/// <summary>What <c>Lock-FleetGroup</c> and <c>Unlock-FleetGroup</c> share: groups and ids, also from the pipeline, one request for each pair.</summary>
public abstract class SlotCommandBase : WaitingCommandBase
{
    /// <summary>The set in which strings from the pipeline are groups.</summary>
    private protected const string ByGroup = "Group";

    /// <summary>The set in which strings from the pipeline are ids, because the group is given.</summary>
    private protected const string ById = "Id";

    // What is answered within this time is written before the next item is asked for, so that a quick server is asked in order.
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(5);

    private readonly FleetLockOperation _operation;

    private protected SlotCommandBase(FleetLockOperation operation) => _operation = operation;

    /// <summary>The groups; <c>FLEETLOCK_GROUP</c> if not given, and "default" if that is not set either.</summary>
    [Parameter(Position = 0, ParameterSetName = ByGroup, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Parameter(Position = 0, ParameterSetName = ById, ValueFromPipelineByPropertyName = true, Mandatory = true)]
    [ValidateNotNull]
    [TextOrProperty("Group", Companion = "Id")]
    [ArgumentCompleter(typeof(GroupCompleter))]
    public virtual string[]? Group { get; set; }

    /// <summary>The node ids; <c>FLEETLOCK_ID</c> if not given, and this machine's own if that is not set either.</summary>
    [Parameter(ParameterSetName = ByGroup, ValueFromPipelineByPropertyName = true)]
    [Parameter(ParameterSetName = ById, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true, Mandatory = true)]
    [ValidateNotNull]
    [TextOrProperty("Id")]
    [ArgumentCompleter(typeof(HolderCompleter))]
    public virtual string[]? Id { get; set; }

    /// <summary>How many requests may be under way at the same time. The default is 16.</summary>
    [Parameter]
    [ValidateRange(1, 1000)]
    public int ThrottleLimit { get; set; } = 16;

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        // Objects are of other machines: never this machine's own id for them.
        if (Id is null && TextOrPropertyAttribute.IsWithoutCompanion(Group))
        {
            WriteError(ErrorRecords.From(new FleetLockInputException("id", "An object has the property 'Group' and no property 'Id'. Give -Id, or objects with both.")));
            return;
        }

        foreach (var group in Group ?? [null!])
        {
            foreach (var id in Id ?? [null!])
                Process(group, id);
        }
    }

    /// <inheritdoc/>
    protected override void EndProcessing() => Work.Drain(0);

    /// <summary>What is done, as <c>-WhatIf</c> and <c>-Confirm</c> say it.</summary>
    private protected virtual string Action => _operation.ToString();

    /// <summary>Sends one release.</summary>
    /// <param name="client">The client of the server.</param>
    /// <param name="group">The group.</param>
    /// <param name="id">The node id.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    /// <returns>The result.</returns>
    private protected virtual Task<FleetLockResult> ReleaseAsync(FleetLockClient client, string group, string id, CancellationToken cancellationToken) =>
        client.UnlockAsync(group, id, cancellationToken);

    /// <summary>Writes what a success is to the pipeline.</summary>
    /// <param name="result">The result, granted or released.</param>
    private protected abstract void WriteSuccess(FleetLockResult result);

    private void Process(string? group, string? id)
    {
        SlotCall call;
        try
        {
            var configuration = Resolve(group, id);
            call = new SlotCall(Connect(configuration), configuration.RequireGroup(), configuration.RequireId(), PolicyOf(configuration));
        }
        catch (FleetLockInputException e)
        {
            WriteError(ErrorRecords.From(e));
            return;
        }

        if (!ShouldProcess($"group '{call.Group}' as '{call.Id}' at {call.Client.Server}", Action))
            return;

        Work.Start(token => _operation == FleetLockOperation.Lock ? LockAsync(call, token) : UnlockAsync(call, token)).Wait(Patience);
        Work.Drain(ThrottleLimit - 1);
    }

    private async Task LockAsync(SlotCall call, CancellationToken stopped)
    {
        using var report = new WaitReport(this, Work, call.Client);
        var operation = new LockOperation(call.Client, call.Group, call.Id);
        PossibleLeak? leak = null;
        try
        {
            var result = await operation.AcquireAsync(Waiter, call.Policy, report.OnStep, found => leak = found, stopped).ConfigureAwait(false);
            Work.Post(() => WriteDetails(result));
            Work.Post(
                () => Write(result, leak),
                () => result.Status == FleetLockStatus.Granted ? operation.UndoAsync(InteractiveLimits.InterruptedRelease) : Task.FromResult(leak));
        }
        catch when (leak is not null)
        {
            Work.Leave(leak);
            throw;
        }
    }

    private async Task UnlockAsync(SlotCall call, CancellationToken stopped)
    {
        using var report = new WaitReport(this, Work, call.Client);
        var result = call.Policy is null
            ? await ReleaseAsync(call.Client, call.Group, call.Id, stopped).ConfigureAwait(false)
            : await Waiter.WaitAsync((_, token) => ReleaseAsync(call.Client, call.Group, call.Id, token), call.Policy, report.OnStep, stopped).ConfigureAwait(false);
        Work.Post(() => WriteDetails(result));
        Work.Post(() => Write(result, null));
    }

    /// <summary>An item of its own: where the preference for it stops the pipeline, the result is not written, and a lock is undone.</summary>
    private void WriteDetails(FleetLockResult result) =>
        WriteVerbose(FormattableString.Invariant($"{result} after {result.Elapsed.TotalMilliseconds:0} ms"));

    private void Write(FleetLockResult result, PossibleLeak? leak)
    {
        if (result.IsSuccess)
            WriteSuccess(result);
        else
            WriteError(ErrorRecords.From(result, leak));
    }

    private sealed record SlotCall(FleetLockClient Client, string Group, string Id, WaitPolicy? Policy);
}
