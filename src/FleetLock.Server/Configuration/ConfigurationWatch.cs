namespace FleetLock.Server;

/// <summary>Takes over a changed configuration file while the server runs. A file that is not good changes nothing, and is told of once.</summary>
public sealed class ConfigurationWatch : IAsyncDisposable
{
    /// <summary>How often the file is looked at. Its content counts: editors and orchestrators swap files and links in ways that no notification covers.</summary>
    internal static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    private readonly FleetLockServer _server;
    private readonly FleetLockServerOptions _options;
    private readonly ServerConfigurationSource _source;
    private readonly SemaphoreSlim _gate = new(1);
    private readonly ITimer _timer;
    private readonly ServerConfiguration _started;
    private string _toldOfRestart = "";
    private string? _fault;
    private bool _isRetrying;

    private ConfigurationWatch(FleetLockServer server, FleetLockServerOptions options, ServerConfigurationSource source, ServerConfiguration started)
    {
        _server = server;
        _options = options;
        _source = source;
        _started = started;
        _timer = options.Clock.CreateTimer(_ => _ = LookAsync(isForced: false), null, Interval, Interval);
    }

    /// <summary>Begins to watch.</summary>
    /// <param name="server">The server.</param>
    /// <param name="options">The options that it was started with.</param>
    /// <param name="source">Where they came from.</param>
    /// <param name="started">The configuration that they were made of.</param>
    /// <returns>The watch. It ends before the server does.</returns>
    public static ConfigurationWatch Start(FleetLockServer server, FleetLockServerOptions options, ServerConfigurationSource source, ServerConfiguration started)
    {
        ArgumentNullException.ThrowIfNull(server);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(started);
        return new ConfigurationWatch(server, options, source, started);
    }

    /// <summary>Reads the file now, whether it has changed or not.</summary>
    /// <returns>When it is in force, or its fault is logged.</returns>
    public Task ReloadAsync() => LookAsync(isForced: true);

    /// <summary>Waits for a look that is going on.</summary>
    /// <returns>When it has ended.</returns>
    internal async Task LookedAsync()
    {
        await _gate.WaitAsync();
        _gate.Release();
    }

    /// <summary>Ends the watch, after what it is just taking over.</summary>
    public async ValueTask DisposeAsync()
    {
        await _timer.DisposeAsync();
        await _gate.WaitAsync();

        // Never given back: nobody may begin after this.
    }

    private async Task LookAsync(bool isForced)
    {
        // A look that is still going on sees the file as it is now, or the next one does.
        if (!await _gate.WaitAsync(isForced ? Timeout.InfiniteTimeSpan : TimeSpan.Zero))
            return;

        try
        {
            if (!isForced && !_isRetrying && !_source.HasChanged())
            {
                _fault = null;
                return;
            }

            await TakeOverAsync(_source.Load());
        }
        catch (FleetLockInputException e)
        {
            Tell(e.Message, isForced);
        }
        catch (SemaphoreStoreException e)
        {
            // In force all the same: each group's next request stores its slots.
            ServerLog.StoreFailed(_server.Logger, e);
        }
        finally
        {
            _gate.Release();
        }
    }

    private async Task TakeOverAsync(ServerConfiguration next)
    {
        // A certificate that it names may come a moment later.
        _isRetrying = true;
        var configured = _server.ReconfigureAsync(next.Apply(_options));
        _isRetrying = false;
        _fault = null;
        TrustLog.ConfigurationReloaded(_server.Logger, _source.Path!);

        var members = string.Join(", ", _started.NeedRestart(next));
        if (members.Length > 0 && members != _toldOfRestart)
            TrustLog.RestartNeeded(_server.Logger, _source.Path!, members);
        _toldOfRestart = members;
        await configured;
    }

    private void Tell(string fault, bool isForced)
    {
        if (fault != _fault || isForced)
            TrustLog.ConfigurationKept(_server.Logger, fault);
        _fault = fault;
    }
}
