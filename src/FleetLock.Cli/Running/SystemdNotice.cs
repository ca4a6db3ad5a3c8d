using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace FleetLock.Cli.Running;

/// <summary>
/// Tells systemd that the service is ready, that it lives and that it stops (<c>Type=notify</c>, sd_notify(3)). Where systemd did not ask for it, it does
/// nothing. Microsoft.Extensions.Hosting.Systemd would do the same and bring thirty assemblies of a host along.
/// </summary>
internal sealed class SystemdNotice : IDisposable
{
    private readonly Timer? _watchdog;

    private SystemdNotice(string status)
    {
        Tell($"READY=1\nSTATUS={status}");

        // On the pool's threads, without which no request is answered either.
        if (WatchdogInterval() is { } interval)
            _watchdog = new Timer(_ => Tell("WATCHDOG=1"), null, interval, interval);
    }

    /// <summary>Tells that the service is ready.</summary>
    /// <param name="status">How it is, in one line.</param>
    /// <returns>What tells that it stops, when it is disposed of.</returns>
    internal static SystemdNotice Ready(string status) => new(status);

    public void Dispose()
    {
        _watchdog?.Dispose();
        Tell("STOPPING=1\nSTATUS=Stopping.");
    }

    private static void Tell(string state)
    {
        if (Environment.GetEnvironmentVariable("NOTIFY_SOCKET") is not { Length: > 1 } address || address[0] is not ('/' or '@'))
            return;
        try
        {
            // An abstract address begins with '@' in the variable and with a zero for the kernel.
            using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
            socket.Connect(new UnixDomainSocketEndPoint(address[0] == '@' ? "\0" + address[1..] : address));
            socket.Send(Encoding.UTF8.GetBytes(state));
        }
        catch (SocketException e)
        {
            Terminal.Say($"systemd cannot be told of {state.Split('\n')[0]} ({TerminalText.Clean(e.Message)}).");
        }
    }

    /// <summary>Half of what systemd waits for a sign of life, as sd_watchdog_enabled(3) advises.</summary>
    private static TimeSpan? WatchdogInterval()
    {
        var isOurs = Environment.GetEnvironmentVariable("WATCHDOG_PID") is not { Length: > 0 } pid || pid == Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        return isOurs && long.TryParse(Environment.GetEnvironmentVariable("WATCHDOG_USEC"), NumberStyles.None, CultureInfo.InvariantCulture, out var microseconds) && microseconds > 0
            ? TimeSpan.FromMicroseconds(microseconds / 2)
            : null;
    }
}
