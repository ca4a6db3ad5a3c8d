namespace FleetLock.Cli.Running;

/// <summary>Takes a slot, runs the command, releases the slot, and tells a person in a few lines what happens.</summary>
/// <param name="client">The client of the server.</param>
/// <param name="scope">The semaphore.</param>
/// <param name="group">The group.</param>
/// <param name="ids">The ids to take a slot as: the first that no other run on this machine has.</param>
/// <param name="howToRelease">What to do for an id whose slot is still held.</param>
/// <param name="plan">What to run, and how long to wait for the slot.</param>
/// <param name="signals">The signals of this process.</param>
internal sealed class SlotRunner(
    FleetLockClient client,
    RunScope scope,
    string group,
    IReadOnlyList<string> ids,
    Func<string, string> howToRelease,
    RunPlan plan,
    SignalWatch signals)
{
    private readonly SlotWaiter _waiter = new();
    private readonly HolderLookup _holders = new(client);
    private string _lastMessage = "";
    private Task _saying = Task.CompletedTask;
    private PossibleLeak? _leak;

    /// <summary>Runs the command under a slot.</summary>
    /// <returns>The command's exit code, or why it was not started.</returns>
    internal async Task<int> RunAsync()
    {
        var (result, run) = await TakeAsync();
        if (run is null)
        {
            ReportLeak();
            var advice = Advice.For(result, "--wait");
            Terminal.Error($"no slot of '{group}': {result.Message} ({result.Kind}). {advice} The command was not started.");
            return ExitCodes.Of(result);
        }

        using (run)
        {
            var isTold = false;
            var end = ChildEnd.NotStarted(ExitCodes.Interrupted);
            var releaseCode = ExitCodes.Success;
            try
            {
                Terminal.Say(DescribeGrant(run));
                isTold = true;
                end = await ChildProcess.RunAsync(plan.Command, run, signals);
            }
            finally
            {
                // A command that was never started has broken nothing. Of a slot that the id held before, only what this run asked for is
                // undone; where the server does not support grants, nothing is.
                if (!isTold || !end.Started)
                    await UndoAsync(run);
                else if (plan.KeepOnFailure && end is { Started: true, ExitCode: not ExitCodes.Success })
                    Terminal.Say(DescribeKept(run, end.ExitCode));
                else
                    releaseCode = await ReleaseAsync(run);
            }

            // A command's own failure is the more important one.
            return end.ExitCode == ExitCodes.Success ? releaseCode : end.ExitCode;
        }
    }

    private string DescribeGrant(SlotRun run)
    {
        if (run.Outer is { } outer)
            return $"fleetlockctl: runs under the slot of '{group}' that {outer} holds";
        if (run.WasHeldBefore)
            return $"fleetlockctl: '{run.Id}' held the slot of '{group}' at {scope.Name} before, and keeps it after the command";
        return run.IsAdopted
            ? $"fleetlockctl: took the slot of '{group}' as {run.Id} at {scope.Name} that an earlier run has left"
            : $"fleetlockctl: took a slot of '{group}' as {run.Id} at {scope.Name}";
    }

    private string DescribeKept(SlotRun run, int exitCode) => run.Outer is { } outer
        ? $"fleetlockctl: the command failed with {exitCode}; whether the slot of '{group}' is kept decides {outer}"
        : $"fleetlockctl: the command failed with {exitCode}, so the slot of '{group}' is kept; "
            + $"when the machine is healthy again, {howToRelease(run.Id)}";

    private async Task<(FleetLockResult Result, SlotRun? Run)> TakeAsync()
    {
        using var isOver = new CancellationTokenSource();
        try
        {
            return await SlotRun.TakeAsync(
                client,
                _waiter,
                scope,
                group,
                ids,
                plan.Wait,
                step => Report(step, isOver.Token),
                leak => _leak = leak,
                signals.Interrupted);
        }
        catch (OperationCanceledException e)
        {
            ReportLeak();
            throw new OperationCanceledException("Interrupted. The command was not started.", e);
        }
        finally
        {
            // What was to be said of the wait is said before what comes after it.
            await isOver.CancelAsync();
            await _saying;
        }
    }

    private void Report(WaitStep step, CancellationToken isOver)
    {
        // Only news: a night of waiting is not to fill the log.
        if (step.Result.Message == _lastMessage)
            return;
        _lastMessage = step.Result.Message;
        _saying = SayWithHoldersAsync(step.Result, _saying, isOver);
    }

    private async Task SayWithHoldersAsync(FleetLockResult result, Task before, CancellationToken isOver)
    {
        await before;
        var holders = "";
        try
        {
            var isAnswer = result is { Status: FleetLockStatus.Busy, HttpStatus: not null };
            if (isAnswer && await _holders.DescribeAsync(group, isOver) is { } found)
                holders = "; " + found;
        }
        catch (OperationCanceledException)
        {
            // The wait is over, and who held the slot no longer matters.
        }

        Terminal.Say($"fleetlockctl: waiting for a slot of '{group}': {result.Message}{holders}");
    }

    private void ReportRelease(WaitStep step)
    {
        if (step.Attempt != 1)
            return;
        var limit = FormattableString.Invariant($"{plan.ReleaseTimeout.TotalSeconds} s");
        Terminal.Say(step.Result.Kind == ErrorKinds.ClientRunHeld
            ? $"fleetlockctl: {step.Result.Message} of '{group}'; waiting for its end, Ctrl+C gives up"
            : $"fleetlockctl: releasing the slot of '{group}' failed ({step.Result.Message}); trying for {limit}, Ctrl+C gives up");
    }

    private void ReportLeak()
    {
        if (_leak is { } leak)
            Terminal.Say("fleetlockctl: " + leak.Describe(howToRelease(leak.Id)));
    }

    private async Task UndoAsync(SlotRun run)
    {
        _leak = await run.UndoAsync(LockOperation.UndoTimeLimit);
        if (run.IsAdopted)
        {
            Terminal.Say(
                $"fleetlockctl: the slot of '{group}' stays held by {run.Id}, as the earlier run has left it; {howToRelease(run.Id)}");
        }
        else if (_leak is null && run.Outer is null)
            Terminal.Say($"fleetlockctl: undid the lock of group '{group}'");
        ReportLeak();
    }

    /// <returns>The exit code after a command that succeeded.</returns>
    private async Task<int> ReleaseAsync(SlotRun run)
    {
        // Not cancelled by the signal that ended the command; one that comes now gives up.
        using var giveUp = new CancellationTokenSource();
        signals.SendTo(_ => giveUp.Cancel());
        FleetLockResult? result = null;
        try
        {
            result = await run.ReleaseAsync(plan.ReleaseTimeout, ReportRelease, giveUp.Token);
        }
        catch (OperationCanceledException)
        {
            // Said below.
        }
        finally
        {
            signals.SendTo(null);
        }

        return Report(run, result);
    }

    private int Report(SlotRun run, FleetLockResult? result)
    {
        if (result is { IsSuccess: true })
        {
            if (run.Outer is null)
                Terminal.Say($"fleetlockctl: released the slot of '{group}'");
            return ExitCodes.Success;
        }

        switch (result?.Kind)
        {
            case ErrorKinds.ClientGrantKept:
                var reason = run.WasHeldBefore ? "which held it before" : "because another lock was granted it too";
                var ifUnneeded = $"if nothing else needs it, {howToRelease(run.Id)}";
                Terminal.Say($"fleetlockctl: the slot of '{group}' stays held by {run.Id}, {reason}; {ifUnneeded}");
                return ExitCodes.Success;
            case ErrorKinds.NotHeld:
                Terminal.Error($"the slot of '{group}' was lost: {run.Id} did not hold it any more when the command ended.");
                return ExitCodes.SlotLost;
            default:
                var why = result?.Message ?? "interrupted";
                var held = result is { OutcomeUnknown: false } ? "It is still held" : "It may still be held";
                Terminal.Error($"the slot of '{group}' is not released: {why}. {held} by {run.Id}; {howToRelease(run.Id)}");
                return ExitCodes.ReleaseFailed;
        }
    }
}
