using System.Management.Automation;

namespace FleetLock.PowerShell;

/// <summary>What every cmdlet has: waiting for asynchronous calls on the pipeline's thread, and stopping.</summary>
public abstract class FleetLockCommandBase : PSCmdlet, IDisposable
{
    private protected FleetLockCommandBase() => Work = new PipelineWork(() => Stopping, ReportLeak);

    /// <summary>The calls of this cmdlet.</summary>
    private protected PipelineWork Work { get; }

    /// <summary>True when an error ends the script, so that it would stand in the place of another that is under way.</summary>
    private protected bool IsStopPreferred =>
        $"{(MyInvocation.BoundParameters.TryGetValue("ErrorAction", out var given) ? given : GetVariableValue("ErrorActionPreference"))}" == nameof(ActionPreference.Stop);

    /// <summary>Frees what the cmdlet holds; PowerShell calls it also when the pipeline was stopped.</summary>
    public void Dispose()
    {
        Work.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Ctrl+C, on another thread: only signals. The cmdlet waits for its calls to end.</summary>
    protected override void StopProcessing() => Work.Stop();

    /// <summary>Waits for a call to end. It runs on the thread pool, so that no host's synchronization context can be waited for in a circle.</summary>
    /// <typeparam name="T">What the call gives.</typeparam>
    /// <param name="call">The call; its token is set by Ctrl+C.</param>
    /// <returns>What it gave.</returns>
    /// <exception cref="PipelineStoppedException">The pipeline was stopped.</exception>
    private protected T Await<T>(Func<CancellationToken, Task<T>> call)
    {
        T result = default!;
        Work.Start(async token => result = await call(token).ConfigureAwait(false));
        Work.Drain(0);
        return result;
    }

    /// <summary>Reports a slot that a stopped pipeline may have left. By the host itself: a pipeline that is stopped takes no warning any more.</summary>
    /// <param name="leak">The slot.</param>
    private protected void ReportLeak(PossibleLeak leak) => Host.UI.WriteWarningLine(ErrorRecords.Describe(leak));

    /// <summary>A file's full path: PowerShell's folder is not the process's.</summary>
    /// <param name="path">A path as the user gives it, taken as it is, without wildcards.</param>
    /// <returns>The path; <see langword="null"/> for <see langword="null"/>.</returns>
    private protected string? FullPath(string? path) => path is null ? null : SessionState.Path.GetUnresolvedProviderPathFromPSPath(path);
}
