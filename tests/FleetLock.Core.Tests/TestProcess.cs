using System.Net;
using System.Runtime.CompilerServices;

namespace FleetLock.Core.Tests;

internal static class TestProcess
{
    [ModuleInitializer]
    internal static void Prepare()
    {
        LockHolder.HoldIfAsked();

        // The raw servers are on the loopback: a proxy of the environment would answer in their place.
        HttpClient.DefaultProxy = new WebProxy();
    }
}
