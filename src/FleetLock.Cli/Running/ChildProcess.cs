using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace FleetLock.Cli.Running;

/// <summary>The command that runs under the slot. Its standard streams are ours, untouched, and so are the signals.</summary>
internal static class ChildProcess
{
    private const int NoSuchFile = 2;

    /// <summary>Runs a command to its end.</summary>
    /// <param name="command">The program and its arguments.</param>
    /// <param name="run">The run that it is noted in.</param>
    /// <param name="signals">Where signals come from while it runs.</param>
    /// <returns>Its exit code; 128 and the signal's number when a signal ended it; 126 or 127 when it could not be started.</returns>
    internal static async Task<ChildEnd> RunAsync(IReadOnlyList<string> command, SlotRun run, SignalWatch signals)
    {
        var program = Find(command[0]);
        if (program is null)
            return NotFound(command[0]);

        var start = new ProcessStartInfo(program) { UseShellExecute = false };
        for (var i = 1; i < command.Count; i++)
            start.ArgumentList.Add(command[i]);

        start.Environment[HeldGrants.Variable] = HeldGrants.With(run.GrantId);

        // A signal that comes while the child is being started waits for it.
        var started = new TaskCompletionSource<int>();
        signals.SendTo(signal => started.Task.ContinueWith(child => PassOn(child.Result, signal), TaskContinuationOptions.OnlyOnRanToCompletion));
        Process? child = null;
        try
        {
            if (signals.Interrupted.IsCancellationRequested)
                return ChildEnd.NotStarted(ExitCodes.Interrupted);

            child = Process.Start(start)!;
            if (ProcessIdentity.Find(child.Id) is { } identity)
                run.NoteCommand(identity);
            started.SetResult(child.Id);
            await child.WaitForExitAsync(CancellationToken.None);
            return new ChildEnd(true, child.ExitCode);
        }
        catch (Win32Exception e) when (e.NativeErrorCode == NoSuchFile)
        {
            return NotFound(command[0]);
        }
        catch (Win32Exception e)
        {
            Terminal.Error($"cannot run '{ProtocolRules.Show(command[0])}': {new Win32Exception(e.NativeErrorCode).Message.TrimEnd('.')}.");
            return ChildEnd.NotStarted(ExitCodes.CannotExecute);
        }
        finally
        {
            signals.SendTo(null);
            child?.Dispose();
        }
    }

    private static ChildEnd NotFound(string command)
    {
        Terminal.Error($"cannot run '{ProtocolRules.Show(command)}': there is no such command.");
        return ChildEnd.NotStarted(ExitCodes.CommandNotFound);
    }

    /// <summary>As a shell finds it. .NET would look beside this program and in the working folder first.</summary>
    private static string? Find(string command)
    {
        if (OperatingSystem.IsWindows() || command.Contains('/', StringComparison.Ordinal))
            return command;
        const UnixFileMode Executable = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        foreach (var folder in (Environment.GetEnvironmentVariable("PATH") ?? "/usr/local/bin:/usr/bin:/bin").Split(':'))
        {
            var path = Path.GetFullPath(Path.Combine(folder, command));
            if (File.Exists(path) && (File.GetUnixFileMode(path) & Executable) != 0)
                return path;
        }

        return null;
    }

    private static void PassOn(int child, PosixSignal signal)
    {
        // Windows sends the console's signals to every process of the console by itself; so does a Unix terminal to its foreground group.
        if (OperatingSystem.IsWindows())
            return;
        var isFromTerminal = signal is PosixSignal.SIGINT or PosixSignal.SIGQUIT && UnixProcess.IsInForeground();
        if (!isFromTerminal)
            UnixProcess.Signal(child, signal);
    }
}
