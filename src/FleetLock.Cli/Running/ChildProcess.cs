using System;
using System.Collections.Generic;
using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Threading;
using System.Threading.Tasks;

namespace FleetLock.Cli.Running;

/// <summary>The command that runs under the slot. Its standard streams are ours, untouched, and so are the signals.</summary>
internal static class ChildProcess
{
    private const int NoSuchFile = 2;

    /// <summary>Runs a command to its end.</summary>
    /// <param name="command">The program and its arguments.</param>
    /// <param name="signals">Where signals come from while it runs.</param>
    /// <returns>Its exit code; 128 and the signal's number when a signal ended it; 126 or 127 when it could not be started.</returns>
    internal static async Task<int> RunAsync(IReadOnlyList<string> command, SignalWatch signals)
    {
        var start = new ProcessStartInfo(command[0]) { UseShellExecute = false };
        for (var i = 1; i < command.Count; i++)
            start.ArgumentList.Add(command[i]);

        try
        {
            using var child = Process.Start(start)!;
            signals.SendTo(signal => PassOn(child, signal));

            // One that came while the child was being started.
            if (signals.Interrupted.IsCancellationRequested)
                PassOn(child, PosixSignal.SIGTERM);
            await child.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
            return child.ExitCode;
        }
        catch (Win32Exception e)
        {
            var notFound = e.NativeErrorCode == NoSuchFile;
            Terminal.Error($"cannot run '{ProtocolRules.Show(command[0])}': {(notFound ? "there is no such command" : e.Message)}.");
            return notFound ? ExitCodes.CommandNotFound : ExitCodes.CannotExecute;
        }
        finally
        {
            signals.SendTo(null);
        }
    }

    private static void PassOn(Process child, PosixSignal signal)
    {
        // Windows sends the console's signals to every process of the console by itself; so does a Unix terminal to its foreground group.
        if (OperatingSystem.IsWindows())
            return;
        var isFromTerminal = signal is PosixSignal.SIGINT or PosixSignal.SIGQUIT && UnixProcess.IsInForeground();
        if (!isFromTerminal)
            UnixProcess.Signal(child.Id, signal);
    }
}
