using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace FleetLock.Server;

/// <summary>Whom a running server serves, how it shows who it is, and how much it gives to each: what can change without a restart, beside the groups.</summary>
internal sealed class ServerTrust : IDisposable
{
    /// <summary>Takes the options, and reads the certificates.</summary>
    /// <param name="options">The options.</param>
    /// <exception cref="FleetLockInputException">A credential is none, or a file cannot be used.</exception>
    internal ServerTrust(FleetLockServerOptions options)
    {
        Access = new AccessPolicy(new AccessRules(options.Credentials));
        Tls = options.Tls is { } tls ? new TlsCertificates(tls) : null;
        Limiter = new RequestLimiter(options.Limits.RequestsPerMinutePerAddress);
        Options = new OptionsInForce(options);
    }

    internal AccessPolicy Access { get; }

    /// <summary>The certificates, if any address is of <c>https</c>.</summary>
    internal TlsCertificates? Tls { get; }

    internal RequestLimiter Limiter { get; }

    internal OptionsInForce Options { get; }

    /// <summary>The server's log.</summary>
    internal ILogger Logger { get; private set; } = NullLogger.Instance;

    /// <summary>Begins to watch the certificates, and says what there is to say of the addresses.</summary>
    /// <param name="options">The options.</param>
    /// <param name="logger">The server's log.</param>
    internal void Start(FleetLockServerOptions options, ILogger logger)
    {
        Logger = logger;
        Tls?.Watch(options.Clock, logger);
        Listening.WarnOfTheOpen(options, logger);
    }

    /// <summary>Takes other options.</summary>
    /// <param name="options">The options.</param>
    /// <exception cref="FleetLockInputException">A credential is none, or a file cannot be used; nothing has changed.</exception>
    internal void Use(FleetLockServerOptions options)
    {
        var rules = new AccessRules(options.Credentials);
        if (options.Tls is { } tls)
            Tls?.Use(tls);
        Access.Replace(rules);
        Limiter.Use(options.Limits.RequestsPerMinutePerAddress);
        Options.Current = options;
    }

    public void Dispose()
    {
        Tls?.Dispose();
        Limiter.Dispose();
    }
}
