using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Text;

namespace FleetLock.Cli.Running;

/// <summary>The command that runs under the slot. Its standard streams are ours, untouched, and so are the signals.</summary>
internal static class ChildProcess
{
    private const int NoSuchFile = 2;

    /// <summary>As a shell says it: the signal's number is added.</summary>
    private const int EndedBySignal = 128;

    /// <summary>Runs a command to its end.</summary>
    /// <param name="command">The program and its arguments.</param>
    /// <param name="run">The run that it is noted in.</param>
    /// <param name="signals">Where signals come from while it runs.</param>
    /// <returns>Its exit code; 128 and the signal's number when a signal ended it; 126 or 127 when it could not be started.</returns>
    internal static async Task<ChildEnd> RunAsync(IReadOnlyList<string> command, SlotRun run, SignalWatch signals)
    {
        // A signal that comes while the child is being started waits for it.
        var started = new TaskCompletionSource<int>();
        signals.SendTo(signal => started.Task.ContinueWith(
            child => PassOn(child.Result, signal),
            TaskContinuationOptions.OnlyOnRanToCompletion));
        try
        {
            if (signals.Interrupted.IsCancellationRequested)
                return ChildEnd.NotStarted(ExitCodes.Interrupted);
            return OperatingSystem.IsWindows()
                ? await RunOnWindowsAsync(command, run, started)
                : await RunOnUnixAsync(command, run, started);
        }
        catch (Win32Exception e) when (OperatingSystem.IsWindows())
        {
            return CannotRun(command[0], e.NativeErrorCode);
        }
        catch (Win32Exception e)
        {
            // It names the program that is missing, which is this one or its dotnet.
            return CannotRun(command[0], e.Message);
        }
        finally
        {
            signals.SendTo(null);
        }
    }

    private static async Task<ChildEnd> RunOnWindowsAsync(IReadOnlyList<string> command, SlotRun run, TaskCompletionSource<int> started)
    {
        var start = new ProcessStartInfo(command[0], command.Skip(1)) { UseShellExecute = false };
        start.Environment[HeldGrants.Variable] = HeldGrants.With(run.GrantId);
        using var child = Process.Start(start)!;
        NoteStarted(child.Id, run);
        return await WaitAsync(child, started);
    }

    /// <summary>A note that cannot be written, as on a full disk, must not end the run while the command goes on.</summary>
    private static void NoteStarted(int child, SlotRun run)
    {
        try
        {
            if (ProcessIdentity.Find(child) is { } identity)
                run.NoteCommand(identity);
        }
        catch (IOException e)
        {
            const string Effect = "the command is not noted, and the next run would not wait for it if this one were killed";
            Terminal.Say($"fleetlockctl: {Effect}: {e.Message}");
        }
    }

    [UnsupportedOSPlatform("windows")]
    private static async Task<ChildEnd> RunOnUnixAsync(IReadOnlyList<string> command, SlotRun run, TaskCompletionSource<int> started)
    {
        // The command is the end of the command line, so its bytes are found there.
        var arguments = RawArguments.Arguments[^command.Count..];
        if (CommandFile.Find(arguments[0]) is not { } file)
            return NotFound(command[0]);

        using var staged = StagedCommand.Start();
        int? error = null;
        if (ProcessIdentity.Find(staged.Process.Id) is { } identity)
        {
            run.NoteCommand(identity);
            error = await staged.ExecuteAsync(file, arguments, EnvironmentUnder(run));
        }

        if (error == 0)
            return await WaitAsync(staged.Process, started);
        await staged.Process.WaitForExitAsync(CancellationToken.None);
        if (error is { } number)
            return CannotRun(command[0], number);

        // Ctrl+C ends it as it ends the command, without a word.
        var exitCode = staged.Process.ExitCode;
        return exitCode > EndedBySignal
            ? ChildEnd.NotStarted(exitCode)
            : CannotRun(command[0], FormattableString.Invariant($"its process ended with {exitCode} before it executed the command"));
    }

    private static async Task<ChildEnd> WaitAsync(Process child, TaskCompletionSource<int> started)
    {
        started.SetResult(child.Id);
        await child.WaitForExitAsync(CancellationToken.None);
        return new ChildEnd(true, child.ExitCode);
    }

    [UnsupportedOSPlatform("windows")]
    private static byte[][] EnvironmentUnder(SlotRun run)
    {
        var prefix = Encoding.ASCII.GetBytes(HeldGrants.Variable + "=");
        var others = RawArguments.Environment.Where(variable => !variable.AsSpan().StartsWith(prefix));
        return [.. others, [.. prefix, .. Encoding.ASCII.GetBytes(HeldGrants.With(run.GrantId))]];
    }

    private static ChildEnd CannotRun(string command, int error) =>
        error == NoSuchFile ? NotFound(command) : CannotRun(command, new Win32Exception(error).Message);

    private static ChildEnd CannotRun(string command, string reason)
    {
        Terminal.Error($"cannot run '{ProtocolRules.Show(command)}': {reason.TrimEnd('.')}.");
        return ChildEnd.NotStarted(ExitCodes.CannotExecute);
    }

    private static ChildEnd NotFound(string command)
    {
        Terminal.Error($"cannot run '{ProtocolRules.Show(command)}': there is no such command.");
        return ChildEnd.NotStarted(ExitCodes.CommandNotFound);
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
