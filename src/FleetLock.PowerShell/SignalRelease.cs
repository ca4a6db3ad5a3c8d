#if NET
using System.Runtime.InteropServices;

namespace FleetLock.PowerShell;

/// <summary>
/// Releases the slots of the blocks that run when a signal ends the engine. The engine ends then as it would have: a block is cut off where it is.
/// </summary>
/// <remarks>.NET Framework knows no signals.</remarks>
internal static class SignalRelease
{
    private static readonly List<Watched> Runs = [];
    private static readonly List<PosixSignalRegistration> Registrations = [];

    /// <summary>Releases a run's slot when a signal comes, until this is disposed of.</summary>
    /// <param name="run">The run.</param>
    /// <param name="onHeld">Reports why the slot is still held; on the signal's thread.</param>
    /// <returns>The end of it.</returns>
    internal static IDisposable Watch(SlotRun run, Action<string> onHeld)
    {
        var watched = new Watched(run, onHeld);
        lock (Runs)
        {
            Runs.Add(watched);
            if (Registrations.Count == 0)
                Registrations.AddRange([PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal), PosixSignalRegistration.Create(PosixSignal.SIGHUP, OnSignal)]);
        }

        return watched;
    }

    private static void End(Watched watched)
    {
        PosixSignalRegistration[] unused = [];
        lock (Runs)
        {
            if (Runs.Remove(watched) && Runs.Count == 0)
            {
                unused = [.. Registrations];
                Registrations.Clear();
            }
        }

        foreach (var registration in unused)
            registration.Dispose();
    }

    // The runtime ends the process when this returns.
    private static void OnSignal(PosixSignalContext context)
    {
        Watched[] runs;
        lock (Runs)
            runs = [.. Runs];

        // A run under another's slot has nothing to release, and the other one waits for it.
        foreach (var inner in runs.Where(watched => watched.Run.Outer is not null))
            inner.Run.Dispose();
        Task.WhenAll(runs.Where(watched => watched.Run.Outer is null).Select(watched => watched.ReleaseAsync())).GetAwaiter().GetResult();
    }

    private sealed class Watched(SlotRun run, Action<string> onHeld) : IDisposable
    {
        internal SlotRun Run => run;

        public void Dispose() => End(this);

        internal async Task ReleaseAsync()
        {
            // What sends signals kills soon after.
            using var limit = new CancellationTokenSource(LockOperation.UndoTimeLimit);
            var message = "the release was not answered in time";
            try
            {
                var result = await run.ReleaseAsync(LockOperation.UndoTimeLimit, null, limit.Token).ConfigureAwait(false);
                if (result.IsSuccess)
                    return;
                message = result.Message;
            }
            catch (Exception e) when (e is OperationCanceledException or IOException or UnauthorizedAccessException)
            {
                // Said below.
            }

            try
            {
                onHeld(message);
            }
            catch (Exception e) when (e is IOException or InvalidOperationException or NotSupportedException)
            {
                // After SIGHUP there is no terminal any more, and what is said changes no outcome.
            }
        }
    }
}
#endif
