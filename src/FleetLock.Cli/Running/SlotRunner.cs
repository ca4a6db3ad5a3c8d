using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;

namespace FleetLock.Cli.Running;

/// <summary>Takes a slot, runs the command, releases the slot, and tells a person in a few lines what happens.</summary>
/// <param name="client">The client of the server.</param>
/// <param name="scope">What names the semaphore on this machine.</param>
/// <param name="group">The group.</param>
/// <param name="ids">The ids to take a slot as: the first that no other run on this machine has.</param>
/// <param name="howToRelease">What to do for an id whose slot could not be released.</param>
/// <param name="wait">How long to wait; <see langword="null"/> is one try.</param>
/// <param name="signals">The signals of this process.</param>
internal sealed class SlotRunner(
    FleetLockClient client,
    string scope,
    string group,
    IReadOnlyList<string> ids,
    Func<string, string> howToRelease,
    WaitPolicy? wait,
    SignalWatch signals)
{
    private readonly SlotWaiter _waiter = new();
    private string _lastMessage = "";

    /// <summary>Runs the command under a slot.</summary>
    /// <param name="command">The program and its arguments.</param>
    /// <returns>The command's exit code, or why it was not started.</returns>
    internal async Task<int> RunAsync(IReadOnlyList<string> command)
    {
        var (result, run) = await SlotRun.TakeAsync(client, _waiter, scope, group, ids, wait, Report, signals.Interrupted).ConfigureAwait(false);
        if (run is null)
        {
            Terminal.Error($"no slot of '{group}': {result.Message} ({result.Kind}). {Advice.For(result)} The command was not started.");
            return ExitCodes.Of(result.Status);
        }

        using (run)
        {
            Terminal.Say($"fleetlockctl: took a slot of '{group}' as {run.Id} at {scope}");
            try
            {
                return signals.Interrupted.IsCancellationRequested
                    ? ExitCodes.Interrupted
                    : await ChildProcess.RunAsync(command, signals).ConfigureAwait(false);
            }
            finally
            {
                await ReleaseAsync(run).ConfigureAwait(false);
            }
        }
    }

    private void Report(WaitStep step)
    {
        // Only news: a night of waiting is not to fill the log.
        if (step.Result.Message == _lastMessage)
            return;
        _lastMessage = step.Result.Message;
        Terminal.Say($"fleetlockctl: waiting for a slot of '{group}': {step.Result.Message}");
    }

    private void ReportRelease(WaitStep step)
    {
        if (step.Attempt == 1)
            Terminal.Say($"fleetlockctl: releasing the slot of '{group}' failed ({step.Result.Message}); trying for a minute, Ctrl+C gives up");
    }

    private async Task ReleaseAsync(SlotRun run)
    {
        // Not cancelled by the signal that ended the command; one that comes now gives up.
        using var giveUp = new CancellationTokenSource();
        signals.SendTo(_ => giveUp.Cancel());
        FleetLockResult? result = null;
        try
        {
            result = await run.ReleaseAsync(ReportRelease, giveUp.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Said below.
        }
        finally
        {
            signals.SendTo(null);
        }

        if (result is { IsSuccess: true })
            Terminal.Say($"fleetlockctl: released the slot of '{group}'");
        else
            Terminal.Error($"the slot of '{group}' is not released: {result?.Message ?? "interrupted"}. It is still held by {run.Id}; {howToRelease(run.Id)}");
    }
}
