using System.Globalization;
using System.Net;
using System.Net.Sockets;
using static FleetLock.Server.Tests.Sample;

namespace FleetLock.Server.Tests;

/// <summary>Connections of machines that lost their power are found.</summary>
public sealed class ListenSocketTests
{
    [Fact]
    public async Task An_idle_connection_is_probed()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Only Linux shows the timers of a connection.");
        await using var server = await TestServer.StartAsync(TestServer.Options(new MemoryStore(), (Group, 1)));
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, server.Address.Port, TestContext.Current.CancellationToken);
        var remote = ((IPEndPoint)client.Client.LocalEndPoint!).Port.ToString("X4", CultureInfo.InvariantCulture);
        var local = server.Address.Port.ToString("X4", CultureInfo.InvariantCulture);

        // The third field is the other end, and the sixth the timer that runs: 2 is that of the probes (proc_net_tcp.txt).
        string[]? fields = null;
        while (fields is null)
        {
            fields = (await File.ReadAllLinesAsync("/proc/net/tcp", TestContext.Current.CancellationToken))
                .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .FirstOrDefault(line => line[1].EndsWith(":" + local, StringComparison.Ordinal) && line[2].EndsWith(":" + remote, StringComparison.Ordinal));
        }

        Assert.StartsWith("02:", fields[5], StringComparison.Ordinal);
    }
}
