using System.Runtime.InteropServices;

namespace FleetLock.Cli.Running;

/// <summary>Takes the signals that would end this process: they interrupt what goes on, or go to the child while there is one.</summary>
internal sealed class SignalWatch : IDisposable
{
    // Until the process ends: a signal that comes while it does is not to take the place of its exit code.
    private static readonly List<PosixSignalRegistration> Registrations = [];

    private readonly CancellationTokenSource _interrupted = new();
    private volatile Action<PosixSignal>? _receiver;
    private volatile Action? _hangupReceiver;

    internal SignalWatch()
    {
        foreach (var signal in EndingSignals())
            Registrations.Add(PosixSignalRegistration.Create(signal, Handle));
    }

    /// <summary>Set by the first signal that no receiver takes.</summary>
    internal CancellationToken Interrupted => _interrupted.Token;

    /// <summary>Gives the signals to a receiver.</summary>
    /// <param name="receiver">Takes them; <see langword="null"/> gives them back to <see cref="Interrupted"/>.</param>
    internal void SendTo(Action<PosixSignal>? receiver) => _receiver = receiver;

    /// <summary>Gives the hangup signal alone to a receiver: to a server with a configuration file it means "read it again".</summary>
    /// <param name="receiver">Takes it.</param>
    internal void SendHangupTo(Action receiver) => _hangupReceiver = receiver;

    /// <summary>Does what a signal does that no receiver takes; from any thread, also when nobody waits any more.</summary>
    internal void Interrupt()
    {
        try
        {
            _interrupted.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The command ended by itself at the same moment.
        }
    }

    /// <summary>Waits for a signal.</summary>
    /// <returns>When there was one.</returns>
    internal async Task WaitAsync() => await Task.Delay(Timeout.Infinite, Interrupted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    public void Dispose() => _interrupted.Dispose();

    private static List<PosixSignal> EndingSignals()
    {
        List<PosixSignal> signals = [PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP, PosixSignal.SIGQUIT];

        // SIGUSR1 and SIGUSR2 have no name in .NET; raw numbers are taken as they are.
        if (OperatingSystem.IsLinux())
            signals.AddRange([(PosixSignal)10, (PosixSignal)12]);
        else if (OperatingSystem.IsMacOS())
            signals.AddRange([(PosixSignal)30, (PosixSignal)31]);
        return signals;
    }

    private void Handle(PosixSignalContext context)
    {
        context.Cancel = true;
        if (context.Signal == PosixSignal.SIGHUP && _hangupReceiver is { } hangupReceiver)
            hangupReceiver();
        else if (_receiver is { } receiver)
            receiver(context.Signal);
        else
            Interrupt();
    }
}
