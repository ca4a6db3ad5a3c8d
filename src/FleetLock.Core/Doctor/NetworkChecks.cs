using System.Net;
#if NET
#endif
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace FleetLock;

/// <summary>The doctor's checks of the way to the server: name, connection, TLS. They send nothing that is a request.</summary>
/// <param name="options">How the server is reached.</param>
internal sealed class NetworkChecks(FleetLockClientOptions options)
{
    private static readonly TimeSpan SoonExpired = TimeSpan.FromDays(14);

    private Uri Server => options.Server.Uri;

    /// <summary>True when the server has a name, and this machine is to find its address.</summary>
    internal bool HasName => options.Server.SocketPath is null && Server.HostNameType == UriHostNameType.Dns && ProxyInUse is null;

    /// <summary>True when this machine itself connects to the server.</summary>
    internal bool IsDirect => options.Server.SocketPath is null && ProxyInUse is null;

    /// <summary>True when the connection is to be TLS, and this machine itself speaks it with the server.</summary>
    internal bool HasTls => Server.Scheme == Uri.UriSchemeHttps && IsDirect;

    /// <summary>The proxy on the way, as it may be shown.</summary>
    internal Uri? ProxyInUse
    {
        get
        {
            if (options.NoProxy || options.Server.SocketPath is not null)
                return null;
            var proxy = options.Proxy ?? SystemProxy();
            return proxy is null ? null : new UriBuilder(proxy) { UserName = "", Password = "" }.Uri;
        }
    }

    /// <summary>Finds the address of the server's name.</summary>
    /// <returns>What was found.</returns>
    internal async Task<string> ResolveNameAsync()
    {
        try
        {
            var addresses = await Dns.GetHostAddressesAsync(Server.Host).ConfigureAwait(false);
            return $"{Server.Host} is {string.Join(", ", addresses.Take(4).Select(address => address.ToString()))}";
        }
        catch (SocketException e)
        {
            throw new CheckFailedException($"{Server.Host} is not found: {e.Message}", "Check the name in the URL and this machine's name service.");
        }
    }

    /// <summary>Connects and closes.</summary>
    /// <param name="cancellationToken">A token to cancel the operation.</param>
    /// <returns>What was found.</returns>
    internal async Task<string> ConnectAsync(CancellationToken cancellationToken)
    {
        using var deadline = new Deadline(options.Timeout, options.Clock, cancellationToken);
        using var connection = await OpenAsync(deadline, cancellationToken).ConfigureAwait(false);
        return $"{options.Server.Peer} accepts connections";
    }

    /// <summary>Shakes hands and looks at the server's certificate: chain, name and the days that it has left.</summary>
    /// <param name="now">The time.</param>
    /// <param name="cancellationToken">A token to cancel the operation.</param>
    /// <returns>What was found.</returns>
    internal async Task<string> HandshakeAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        using var deadline = new Deadline(options.Timeout, options.Clock, cancellationToken);
        using var connection = await OpenAsync(deadline, cancellationToken).ConfigureAwait(false);
        using var registration = deadline.Token.Register(connection.Dispose);
        var fault = "";
        try
        {
#pragma warning disable CA5359 // The handshake goes on so that the fault can be named; nothing is sent over this connection.
            using var tls = new SslStream(connection.GetStream(), false, (_, certificate, chain, errors) =>
            {
                fault = FaultOf(certificate, chain, errors);
                return true;
            });
#pragma warning restore CA5359
            var own = options.ClientCertificate is { } certificate ? new X509CertificateCollection { certificate } : null;
            await tls.AuthenticateAsClientAsync(Server.Host, own, SslProtocols.None, checkCertificateRevocation: false).ConfigureAwait(false);
            return Describe(tls, fault, now);
        }
        catch (Exception e) when (e is AuthenticationException or System.IO.IOException || deadline.Token.IsCancellationRequested)
        {
            // Closing the connection under a handshake ends it with whatever exception is nearest.
            cancellationToken.ThrowIfCancellationRequested();
            throw new CheckFailedException($"no TLS with {options.Server.Peer}: {Reason(e, deadline)}", "Check that the port is one for https, and whether the server wants a client certificate.");
        }
    }

    private string Describe(SslStream tls, string fault, DateTimeOffset now)
    {
        using var shown = new X509Certificate2(tls.RemoteCertificate!);
        var left = shown.NotAfter.ToUniversalTime() - now.UtcDateTime;
        if (fault.Length > 0 && !options.SkipCertificateCheck)
            throw new CheckFailedException($"the certificate of {options.Server.Peer} is not accepted: {fault}", "Name the authority that it comes from, or renew it, or use the name that it is for.");
        return FormattableString.Invariant($"{tls.SslProtocol}, certificate of {TerminalText.Clean(shown.GetNameInfo(X509NameType.DnsName, false))}, {left.TotalDays:0} days left{(left < SoonExpired ? ": renew it soon" : "")}{(fault.Length > 0 ? ", not checked: " + fault : "")}");
    }

    private string FaultOf(X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (certificate is null || (errors & SslPolicyErrors.RemoteCertificateNotAvailable) != 0)
            return "there is none";
        if ((errors & SslPolicyErrors.RemoteCertificateNameMismatch) != 0)
            return $"it is for another name than {Server.Host}";
        if (options.CaCertificates is { } authorities)
        {
            using var server = new X509Certificate2(certificate);
            return CertificateFile.ComesFrom(server, authorities, SslPolicyErrors.None) ? "" : "it is expired, or comes from another authority than the one named";
        }

        return errors == SslPolicyErrors.None
            ? ""
            : string.Join(", ", chain?.ChainStatus.Select(status => TerminalText.Clean(status.StatusInformation).TrimEnd('.')).Distinct() ?? ["it is not trusted"]);
    }

    private async Task<TcpClient> OpenAsync(Deadline deadline, CancellationToken cancellationToken)
    {
        var connection = new TcpClient();
        try
        {
            using var registration = deadline.Token.Register(connection.Dispose);
            await connection.ConnectAsync(Server.Host, Server.Port).ConfigureAwait(false);
            return connection;
        }
        catch (Exception e) when (e is SocketException || deadline.Token.IsCancellationRequested)
        {
            connection.Dispose();
            cancellationToken.ThrowIfCancellationRequested();
            throw new CheckFailedException($"cannot connect to {options.Server.Peer}: {Reason(e, deadline)}", "Check the address, the network, the firewall and that the server runs.");
        }
    }

    private string Reason(Exception e, Deadline deadline) => deadline.HasPassed
        ? FormattableString.Invariant($"no answer within {options.Timeout.TotalSeconds:0.###} s")
        : TerminalText.Clean(e.Message);

    private Uri? SystemProxy()
    {
#if NET
        var proxy = HttpClient.DefaultProxy;
#else
        var proxy = WebRequest.DefaultWebProxy;
#endif
        return proxy is null || proxy.IsBypassed(Server) || proxy.GetProxy(Server) == Server ? null : proxy.GetProxy(Server);
    }
}
