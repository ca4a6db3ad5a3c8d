using System.Net;

namespace FleetLock.Server;

/// <summary>The rule for an address that the server listens on.</summary>
internal static class ListenAddress
{
    /// <summary>Tells whether an address keeps the rule.</summary>
    /// <param name="listen">The address.</param>
    /// <returns>True when it does.</returns>
    internal static bool IsGood(Uri listen) =>

        // An IP address, because Kestrel takes any name to mean every address of the machine.
        listen.Scheme is "http" or "https" && listen.HostNameType is (UriHostNameType.IPv4 or UriHostNameType.IPv6)
        && listen.PathAndQuery == "/" && listen.UserInfo.Length == 0 && listen.Fragment.Length == 0;

    /// <summary>Where to bind.</summary>
    /// <param name="listen">An address that keeps the rule.</param>
    /// <returns>The end point.</returns>
    internal static IPEndPoint EndPoint(Uri listen) => new(IPAddress.Parse(listen.DnsSafeHost), listen.Port);

    /// <summary>Tells whether other machines can reach the address.</summary>
    /// <param name="listen">An address that keeps the rule.</param>
    /// <returns>True when it is beyond loopback.</returns>
    internal static bool IsBeyondLoopback(Uri listen) => !IPAddress.IsLoopback(IPAddress.Parse(listen.DnsSafeHost));

    /// <summary>The rule, and what breaks it.</summary>
    /// <param name="text">What is not such an address.</param>
    /// <returns>A sentence without its first "the" and its full stop.</returns>
    internal static string Fault(string text) =>
        $"listen address '{ProtocolRules.Show(text)}' is not of the form http://ADDRESS:PORT or https://ADDRESS:PORT, with an IP address";
}
