using System.Globalization;
using System.Management.Automation;

namespace FleetLock.PowerShell;

/// <summary>The parameters of every cmdlet that can wait.</summary>
public abstract class WaitingCommandBase : FleetServerCommandBase
{
    /// <summary>Asks again until it succeeds, until waiting cannot help, or until the time is over.</summary>
    [Parameter]
    public SwitchParameter Wait { get; set; }

    /// <summary>Waits this long at most, in seconds; implies <see cref="Wait"/>. There is no limit if it is not given.</summary>
    [Parameter]
    [ValidateRange(0, WaitPolicy.MaxTimeoutSec)]
    public int? WaitTimeoutSec { get; set; }

    /// <summary>The longest sleep between two tries of a wait, in seconds. The default is 30.</summary>
    [Parameter]
    [ValidateRange(1, WaitPolicy.MaxTimeoutSec)]
    public int? RetryIntervalSec { get; set; }

    /// <summary>The waiting loop.</summary>
    private protected SlotWaiter Waiter { get; } = new();

    /// <inheritdoc/>
    private protected override FleetLockSettings GivenSettings(string? group, string? id) =>
        base.GivenSettings(group, id) with { RetryIntervalSec = RetryIntervalSec?.ToString(CultureInfo.InvariantCulture) };

    /// <summary>The wait that the parameters ask for.</summary>
    /// <param name="configuration">The configuration, for the retry interval.</param>
    /// <returns>The policy; <see langword="null"/> is one try.</returns>
    /// <exception cref="FleetLockInputException">The retry interval is not a good one.</exception>
    private protected WaitPolicy? PolicyOf(FleetLockConfiguration configuration) => Wait || WaitTimeoutSec is not null
        ? new WaitPolicy
        {
            Timeout = WaitTimeoutSec is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
            RetryInterval = configuration.RequireRetryInterval(),
        }
        : null;
}
