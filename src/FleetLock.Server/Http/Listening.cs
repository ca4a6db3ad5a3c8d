using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;

namespace FleetLock.Server;

/// <summary>Where a server listens, and what it takes of those who connect.</summary>
internal static class Listening
{
    /// <summary>Checks addresses and TLS.</summary>
    /// <param name="options">The options.</param>
    /// <exception cref="FleetLockInputException">An address is of another form, or does not go with the certificate.</exception>
    internal static void Require(FleetLockServerOptions options)
    {
        foreach (var listen in Addresses(options))
        {
            if (!ListenAddress.IsGood(listen))
                throw new FleetLockInputException("listen", $"The {ListenAddress.Fault(listen.OriginalString)}.");
            if (IsTls(listen) && options.Tls is null)
                throw new FleetLockInputException("listen", $"The listen address '{ProtocolRules.Show(listen.OriginalString)}' is not of the form http://ADDRESS:PORT, and https takes a certificate (tls.certificate, --tls-cert).");
        }

        if (options.Tls is not null && !Addresses(options).Any(IsTls))
            throw new FleetLockInputException("tls", $"There is a certificate, but no listen address begins with https://: {Show(Addresses(options))}.");
    }

    /// <summary>Sets up Kestrel.</summary>
    /// <param name="kestrel">Its options.</param>
    /// <param name="options">The options, which keep their rules.</param>
    /// <param name="trust">Gives the certificates.</param>
    internal static void Configure(KestrelServerOptions kestrel, FleetLockServerOptions options, ServerTrust trust)
    {
        var limits = options.Limits;
        kestrel.Limits.MaxConcurrentConnections = limits.MaxConnections;
        kestrel.Limits.RequestHeadersTimeout = limits.HeaderTimeout;

        // The whole body that is allowed, within the time that is allowed: so that when the time is over, what is not there yet is too slow.
        kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(ErrorReply.MaxBodyBytes / limits.BodyTimeout.TotalSeconds, limits.BodyTimeout);
        foreach (var listen in Addresses(options))
        {
            kestrel.Listen(ListenAddress.EndPoint(listen), endpoint =>
            {
                if (IsTls(listen))
                    endpoint.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = _ => ValueTask.FromResult(trust.Tls!.ForHandshake()) });
                endpoint.Use(DeferredEndReader.Use);
            });
        }
    }

    /// <summary>Warns where what is said can be read and changed by others.</summary>
    /// <param name="options">The options.</param>
    /// <param name="logger">The server's log.</param>
    internal static void WarnOfTheOpen(FleetLockServerOptions options, ILogger logger)
    {
        var open = Addresses(options).Where(listen => !IsTls(listen) && ListenAddress.IsBeyondLoopback(listen)).ToList();
        if (open.Count > 0)
            TrustLog.ListensInTheOpen(logger, Show(open));
    }

    /// <summary>Says what is in the way of listening.</summary>
    /// <param name="options">The options.</param>
    /// <param name="e">What Kestrel has thrown.</param>
    /// <returns>The error.</returns>
    internal static FleetLockServerException Failed(FleetLockServerOptions options, Exception e)
    {
        // With several addresses, Kestrel's own message names the one.
        var which = Addresses(options).Where(listen => e.Message.Contains(Show([listen]) + ":", StringComparison.Ordinal)).DefaultIfEmpty();
        var addresses = which.First() is { } one ? Show([one]) : Show(Addresses(options));
        var reason = e.InnerException is AddressInUseException ? "the port is in use by another process" : TerminalText.Clean((e.InnerException ?? e).Message).TrimEnd('.');
        return new FleetLockServerException($"Cannot listen on {addresses}: {reason}.", e);
    }

    private static IEnumerable<Uri> Addresses(FleetLockServerOptions options) => [options.Listen, .. options.ListenAlso];

    private static bool IsTls(Uri listen) => listen.Scheme == Uri.UriSchemeHttps;

    private static string Show(IEnumerable<Uri> addresses) => string.Join(", ", addresses.Select(listen => listen.GetLeftPart(UriPartial.Authority)));
}
