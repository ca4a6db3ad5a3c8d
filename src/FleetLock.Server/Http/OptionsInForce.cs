namespace FleetLock.Server;

/// <summary>The options that a running server goes by. They are replaced as a whole when its configuration changes.</summary>
internal sealed class OptionsInForce(FleetLockServerOptions options)
{
    private volatile FleetLockServerOptions _current = options;

    /// <summary>The options.</summary>
    internal FleetLockServerOptions Current
    {
        get => _current;
        set => _current = value;
    }
}
