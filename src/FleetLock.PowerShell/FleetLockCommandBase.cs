using System;
using System.Management.Automation;
using System.Threading;
using System.Threading.Tasks;

namespace FleetLock.PowerShell;

/// <summary>What every cmdlet has: waiting for an asynchronous call on the pipeline's thread, and stopping.</summary>
public abstract class FleetLockCommandBase : PSCmdlet, IDisposable
{
    private readonly CancellationTokenSource _stop = new();

    /// <summary>Frees what the cmdlet holds; PowerShell calls it also when the pipeline was stopped.</summary>
    public void Dispose()
    {
        _stop.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Ctrl+C, on another thread: only signals. The cmdlet waits for its call to end.</summary>
    protected override void StopProcessing()
    {
        try
        {
            _stop.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The pipeline ended by itself at the same moment.
        }
    }

    /// <summary>Waits for a call to end. It runs on the thread pool, so that no host's synchronization context can be waited for in a circle.</summary>
    /// <typeparam name="T">What the call gives.</typeparam>
    /// <param name="call">The call; its token is set by Ctrl+C.</param>
    /// <returns>What it gave.</returns>
    /// <exception cref="PipelineStoppedException">The pipeline was stopped.</exception>
    private protected T Await<T>(Func<CancellationToken, Task<T>> call)
    {
        try
        {
            return Task.Run(() => call(_stop.Token)).GetAwaiter().GetResult();
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            throw new PipelineStoppedException();
        }
    }
}
