using System.Diagnostics;
using FleetLock.TestKit;

namespace FleetLock.Cli.Tests;

/// <summary>A run of the command line that is under way.</summary>
internal sealed class CtlProcess : IDisposable
{
    private readonly Process _process;

    internal CtlProcess(Process process)
    {
        _process = process;
        Errors = new StreamLog(process.StandardError.BaseStream);
        Output = new StreamLog(process.StandardOutput.BaseStream, Errors);
    }

    internal StreamLog Output { get; }

    internal StreamLog Errors { get; }

    internal int Id => _process.Id;

    /// <summary>Ends when the process does.</summary>
    internal Task Exited => _process.WaitForExitAsync(TestContext.Current.CancellationToken);

    /// <summary>Sends a signal to this process alone; one that has ended is no fault.</summary>
    /// <param name="signal">Its name without SIG.</param>
    internal async Task SignalAsync(string signal)
    {
        Machine.RequireSignal(signal);

        // The shell's own kill: not every machine has the program.
        using var kill = Process.Start(new ProcessStartInfo("sh", ["-c", $"kill -s {signal} {Id}"]) { RedirectStandardError = true })!;
        await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Gives the process its whole standard input.</summary>
    internal async Task WriteInputAsync(byte[] bytes)
    {
        var input = _process.StandardInput.BaseStream;
        await input.WriteAsync(bytes, TestContext.Current.CancellationToken);
        _process.StandardInput.Close();
    }

    /// <summary>Closes standard input, and waits until the process has ended and nobody writes to its streams any more.</summary>
    internal async Task<Finished> FinishAsync()
    {
        _process.StandardInput.Close();
        return await EndAsync();
    }

    /// <summary>The same, with standard input left open: what a child does that reads it cannot be why the process ends.</summary>
    internal async Task<Finished> EndAsync()
    {
        try
        {
            await Task.WhenAll(Exited, Output.Ended, Errors.Ended).WaitAsync(TestTimeout.Hang, TestContext.Current.CancellationToken);
        }
        catch (TimeoutException)
        {
            Assert.Fail($"Process {Id} does not end.\n{Output.Text}\n{Errors.Text}");
        }

        return new Finished(_process.ExitCode, Output.Bytes, Errors.Text);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        _process.WaitForExit(TestTimeout.Hang);
        _process.Dispose();
    }
}
