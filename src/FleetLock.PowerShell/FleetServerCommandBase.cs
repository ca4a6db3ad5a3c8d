using System;
using System.Management.Automation;
using System.Threading;

namespace FleetLock.PowerShell;

/// <summary>The parameters of every cmdlet that talks to a server.</summary>
public abstract class FleetServerCommandBase : FleetLockCommandBase
{
    /// <summary>The longest time-out that timers of both editions can keep, in seconds: 24 days.</summary>
    private const int LongestTimeoutSec = 24 * 24 * 3600;

    /// <summary>The server's base address; <c>FLEETLOCK_URL</c> if not given.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("Server", "Url")]
    [ValidateNotNull]
    public Uri? Uri { get; set; }

    /// <summary>The time that one request may take, in seconds; 0 is no limit. The default is 100.</summary>
    [Parameter]
    [ValidateRange(0, LongestTimeoutSec)]
    public int TimeoutSec { get; set; } = (int)FleetLockClientOptions.DefaultTimeout.TotalSeconds;

    /// <summary>The client for a server, shared in the session.</summary>
    /// <param name="server">The server.</param>
    /// <returns>The client; not to be disposed of.</returns>
    private protected FleetLockClient Connect(ServerAddress server) =>
        ClientPool.Get(server, TimeoutSec == 0 ? Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(TimeoutSec));
}
