using System.Collections.Concurrent;
using System.Management.Automation;
using System.Runtime.ExceptionServices;

namespace FleetLock.PowerShell;

/// <summary>
/// Runs calls beside the pipeline and what they write on the pipeline's thread, the only one that PowerShell takes objects from. It waits for
/// its calls to end, also when the pipeline is stopped.
/// </summary>
/// <param name="isStopping">Whether the engine has begun to stop the pipeline, and takes nothing more.</param>
/// <param name="onLeak">Reports what an undo left; called on the pipeline's thread, when the engine takes nothing more.</param>
internal sealed class PipelineWork(Func<bool> isStopping, Action<PossibleLeak> onLeak) : IDisposable
{
    private readonly ConcurrentQueue<Item> _items = new();
    private readonly SemaphoreSlim _available = new(0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<PossibleLeak> _leaks = new();

    // A call counts until the pipeline's thread has taken its last item: nothing is posted to a work that is over.
    private int _running;

    private bool IsStopped => _stop.IsCancellationRequested || isStopping();

    /// <summary>Stops the calls; from any thread.</summary>
    internal void Stop()
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

    /// <summary>Starts a call; on the pipeline's thread, or within another call.</summary>
    /// <param name="call">The call; its token is set when the pipeline is stopped.</param>
    /// <returns>The call's end; it never fails, because what goes wrong is posted.</returns>
    internal Task Start(Func<CancellationToken, Task> call)
    {
        Interlocked.Increment(ref _running);
#if NET
        // On this thread up to its first wait: nothing in it blocks or wants a context, and a change of threads costs as much as a request.
        return RunAsync(call);
#else
        // .NET Framework looks up names and connects before the first wait.
        return Task.Run(() => RunAsync(call));
#endif
    }

    /// <summary>Writes something when the pipeline's thread comes to it; from within a call.</summary>
    /// <param name="write">Writes it.</param>
    /// <param name="undo">Undoes what it tells of, when the pipeline is stopped before it could be written; returns what it left.</param>
    internal void Post(Action write, Func<Task<PossibleLeak?>>? undo = null) => Add(new Item(write, undo));

    /// <summary>Reports what an undo left when the pipeline is stopped; from within a call.</summary>
    /// <param name="leak">What it left.</param>
    internal void Leave(PossibleLeak leak) => _leaks.Enqueue(leak);

    /// <summary>On the pipeline's thread: writes what there is, and waits until no more than so many calls run.</summary>
    /// <param name="mostRunning">How many calls may go on running.</param>
    /// <exception cref="PipelineStoppedException">The pipeline was stopped.</exception>
    internal void Drain(int mostRunning)
    {
        Func<Task<PossibleLeak?>>? unwritten = null;
        try
        {
            while (Volatile.Read(ref _running) is > 0 and var running && TryTake(running > mostRunning ? Timeout.InfiniteTimeSpan : TimeSpan.Zero, out var item))
            {
                if (IsStopped)
                {
                    unwritten = item.Undo;
                    break;
                }

                item.Write?.Invoke();
            }

            if (IsStopped)
                throw new PipelineStoppedException();
        }
        catch
        {
            // What was begun to be written is not undone: somebody may have read it, and nobody is to be told of a slot that is then taken away.
            Abandon(unwritten);
            throw;
        }
    }

    /// <summary>Ends what still runs.</summary>
    public void Dispose()
    {
        Abandon(null);
        _stop.Dispose();
        _available.Dispose();
    }

    private async Task RunAsync(Func<CancellationToken, Task> call)
    {
        try
        {
            await call(_stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Drain throws for all of them.
        }
        catch (Exception e)
        {
            Post(ExceptionDispatchInfo.Capture(e).Throw);
        }

        Add(Item.End);
    }

    private void Add(Item item)
    {
        _items.Enqueue(item);
        _available.Release();
    }

    private bool TryTake(TimeSpan patience, out Item item)
    {
        item = default;
        if (!_available.Wait(patience))
            return false;
        _items.TryDequeue(out item);
        if (item.IsEnd)
            Interlocked.Decrement(ref _running);
        return true;
    }

    private void Abandon(Func<Task<PossibleLeak?>>? undo)
    {
        if (undo is not null || Volatile.Read(ref _running) > 0)
            EndCalls(undo);
        while (_leaks.TryDequeue(out var leak))
            onLeak(leak);
    }

    private void EndCalls(Func<Task<PossibleLeak?>>? undo)
    {
        _stop.Cancel();
        var undone = new List<Task<PossibleLeak?>>();
        if (undo is not null)
            undone.Add(Task.Run(undo));
        while (Volatile.Read(ref _running) > 0 && TryTake(Timeout.InfiniteTimeSpan, out var item))
        {
            if (item.Undo is { } unwritten)
                undone.Add(Task.Run(unwritten));
        }

        foreach (var leak in Task.WhenAll(undone).GetAwaiter().GetResult())
        {
            if (leak is not null)
                Leave(leak);
        }
    }

    private readonly record struct Item(Action? Write, Func<Task<PossibleLeak?>>? Undo)
    {
        internal static readonly Item End = new(null, null);

        internal bool IsEnd => Write is null;
    }
}
