using System.Net;
using System.Net.Sockets;
using FleetLock.TestKit;
using Microsoft.Extensions.Logging;
using static FleetLock.Server.Tests.Sample;

namespace FleetLock.Server.Tests;

/// <summary>What a server makes of its options, and what it leaves behind when it cannot start.</summary>
public sealed class ServerStartTests : IDisposable
{
    /// <summary>An address of no machine (RFC 5737).</summary>
    private static readonly Uri NoMachines = new("http://192.0.2.1:0");

    private readonly TemporaryDirectory _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void It_listens_on_loopback_unless_told_otherwise() =>
        Assert.True(FleetLockServerOptions.DefaultListen.IsLoopback);

    [Fact]
    public async Task Port_0_becomes_the_port_that_it_got()
    {
        await using var server = await TestServer.StartAsync(new MemoryStore(), (Group, 1));

        Assert.Equal("127.0.0.1", server.Address.Host);
        Assert.NotEqual(0, server.Address.Port);
    }

    [Theory]
    [InlineData("", 1, "The group is empty")]
    [InlineData("my_group", 1, "The group 'my_group' has a character outside")]
    [InlineData("workers", -1, "The group 'workers' has -1 slots; it takes 0 to 100000.")]
    [InlineData("workers", 100_001, "The group 'workers' has 100001 slots; it takes 0 to 100000.")]
    public async Task A_group_that_breaks_its_rule_is_refused(string group, int slots, string says)
    {
        var refusal = await Assert.ThrowsAsync<FleetLockInputException>(() => StartAsync(Options((group, slots))));

        Assert.Contains(says, refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://127.0.0.1:0")]
    [InlineData("http://127.0.0.1:0/fleetlock")]
    [InlineData("http://127.0.0.1:0/?a=b")]
    [InlineData("http://127.0.0.1:0/#a")]
    [InlineData("http://user@127.0.0.1:0")]
    [InlineData("unix:/run/fleetlock.sock")]
    [InlineData("http://localhost:0")] // two addresses, which would get two ports
    [InlineData("http://fleetlock.example:0")] // to Kestrel any name means all addresses, beyond loopback too
    public async Task An_address_of_another_form_is_refused(string listen)
    {
        var refusal = await Assert.ThrowsAsync<FleetLockInputException>(() => StartAsync(Options((Group, 1)) with { Listen = new Uri(listen) }));

        Assert.Equal("listen", refusal.Setting);
        Assert.Contains($"'{listen}'", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_address_that_cannot_be_listened_on_is_an_error_that_names_it()
    {
        var fault = await Assert.ThrowsAsync<FleetLockServerException>(() => StartAsync(Options((Group, 1)) with { Listen = NoMachines }));

        Assert.Contains("http://192.0.2.1:0", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Beyond_loopback_without_TLS_it_warns_once_of_the_open_addresses()
    {
        using var log = new CapturedLog();
        var options = Options((Group, 1)) with { ListenAlso = [new Uri("http://192.0.2.1:1"), new Uri("http://[2001:db8::1]:2")], Logging = logging => logging.AddProvider(log) };

        // Nothing of it can be listened on; the warning does not wait for that.
        await Assert.ThrowsAsync<FleetLockServerException>(() => StartAsync(options));

        log.AssertHas(LogLevel.Warning, nameof(TrustLog.ListensInTheOpen), "http://192.0.2.1:1, http://[2001:db8::1]:2");
    }

    [Fact]
    public async Task A_busy_port_is_an_error_that_says_so()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var listen = new Uri($"http://127.0.0.1:{((IPEndPoint)other.LocalEndpoint).Port}");

        var fault = await Assert.ThrowsAsync<FleetLockServerException>(() => StartAsync(Options((Group, 1)) with { Listen = listen }));

        Assert.Contains(listen.GetLeftPart(UriPartial.Authority), fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_that_cannot_be_opened_is_the_error()
    {
        var options = Options((Group, 1)) with { Store = new SqliteStore(_folder.FullName) };

        var fault = await Assert.ThrowsAsync<SemaphoreStoreException>(() => StartAsync(options));
        Assert.Contains(_folder.FullName, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_start_that_fails_closes_the_store()
    {
        var store = new SqliteStore(_folder.File("fleetlock.db"));
        await Assert.ThrowsAsync<FleetLockServerException>(
            () => StartAsync(Options((Group, 1)) with { Store = store, Listen = NoMachines }));

        await Assert.ThrowsAsync<SemaphoreStoreException>(() => store.LoadAllAsync(Token));
    }

    [Fact]
    public async Task A_stop_closes_the_port_and_the_store_and_can_be_repeated()
    {
        var store = new SqliteStore(_folder.File("fleetlock.db"));
        var server = await StartAsync(Options((Group, 1)) with { Store = store });
        var address = server.Address;
        await server.DisposeAsync();
        await server.DisposeAsync();

        await Assert.ThrowsAsync<SocketException>(() => RawClient.ConnectAsync(address));
        await Assert.ThrowsAsync<SemaphoreStoreException>(() => store.LoadAllAsync(Token));
    }

    private static FleetLockServerOptions Options((string Name, int Slots) group) => TestServer.Options(new MemoryStore(), group);

    private static Task<FleetLockServer> StartAsync(FleetLockServerOptions options) => FleetLockServer.StartAsync(options, Token);
}
