using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using FleetLock.TestKit;
using static FleetLock.Server.Tests.Answers;
using static FleetLock.Server.Tests.Sample;

namespace FleetLock.Server.Tests;

/// <summary>The server as a process: killed, it forgets nothing that it has answered; asked to stop, it answers what it has begun.</summary>
public sealed class DurabilityTests : IDisposable
{
    private const int Unavailable = 69;

    private readonly TemporaryDirectory _folder = new();

    private string DataFile => _folder.File("fleetlock.db");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Kills_lose_no_answered_grant_and_no_answered_release()
    {
        const int lives = 8;
        using var fleet = new Fleet(slots: 3, machines: 8);
        var random = new Random(1);
        for (var life = 0; life < lives; life++)
        {
            await using var server = await StartAsync(slots: 3);
            fleet.RequireNothingWasLost(await HoldersAsync(server));
            var work = fleet.WorkAsync(server.Address);
            await fleet.WaitForAnswersAsync(random.Next(50, 500));
            await server.KillAsync();
            await work;
        }

        await using var last = await StartAsync(slots: 3);
        fleet.RequireNothingWasLost(await HoldersAsync(last));
    }

    [Fact]
    public async Task The_kill_of_one_of_two_servers_on_a_file_does_not_disturb_the_other()
    {
        await using var survivor = await StartAsync(slots: 1);
        await using (var victim = await StartAsync(slots: 1))
        {
            AssertDone(await AskAsync(victim, TestServer.PreReboot, "a"));
            await victim.KillAsync();
        }

        AssertRefused(409, "failed_lock_semaphore_full", "1", await AskAsync(survivor, TestServer.PreReboot, "b"));
        AssertDone(await AskAsync(survivor, TestServer.SteadyState, "a"));
        AssertDone(await AskAsync(survivor, TestServer.PreReboot, "b"));
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public async Task A_signal_under_load_ends_the_server_in_good_order(string signal)
    {
        SkipWithout(signal);
        using var fleet = new Fleet(slots: 3, machines: 8);
        await using (var server = await StartAsync(slots: 3))
        {
            var work = fleet.WorkAsync(server.Address);
            await fleet.WaitForAnswersAsync(200);
            await server.SignalAsync(signal);
            await work;

            Assert.Equal(0, await server.WaitForExitAsync());
            Assert.All(server.Errors, line => Assert.Contains("Z info: ", line, StringComparison.Ordinal));
        }

        Assert.Equal([DataFile], Directory.GetFiles(_folder.FullName));
        await using var next = await StartAsync(slots: 3);
        fleet.RequireNothingWasLost(await HoldersAsync(next));
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public async Task A_signal_lets_what_the_server_has_begun_come_to_its_answer(string signal)
    {
        SkipWithout(signal);
        await using var server = await StartAsync(slots: 8);
        using var idle = await RawClient.ConnectAsync(server.Address);
        Assert.Equal(200, (await idle.AskAsync(RawClient.Head("GET /healthz"))).Status);

        // Nothing can be committed while another process has the file, so none of these is answered yet.
        await using var other = await Sqlite.ConnectAsync(DataFile);
        await other.RunAsync("BEGIN IMMEDIATE");
        var clients = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => BeginLockAsync(server, "id" + i)));

        await server.SignalAsync(signal);
        Assert.Null(await idle.ReceiveAsync()); // It closes what is idle: it has begun to stop.
        await Assert.ThrowsAsync<SocketException>(() => RawClient.ConnectAsync(server.Address));
        await other.RunAsync("ROLLBACK");

        foreach (var client in clients)
        {
            AssertDone((await client.ReceiveAsync())!);
            client.Dispose();
        }

        Assert.Equal(0, await server.WaitForExitAsync());
        Assert.Equal(8L, await other.ScalarAsync("SELECT count(*) FROM holders"));
    }

    [Fact]
    public async Task A_busy_port_is_one_line_on_standard_error_and_a_failure()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);

        await using var server = ServerProcess.Start("--listen", "http://127.0.0.1:" + port, "--data", DataFile);

        Assert.Equal(Unavailable, await server.WaitForExitAsync());
        Assert.Contains($"http://127.0.0.1:{port}", Assert.Single(server.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_is_no_store_is_one_line_on_standard_error_and_a_failure()
    {
        await File.WriteAllTextAsync(DataFile, "notes", TestContext.Current.CancellationToken);

        await using var server = ServerProcess.Start("--listen", "http://127.0.0.1:0", "--data", DataFile);

        Assert.Equal(Unavailable, await server.WaitForExitAsync());
        Assert.Contains(DataFile, Assert.Single(server.Errors), StringComparison.Ordinal);
        Assert.Equal("notes", await File.ReadAllTextAsync(DataFile, TestContext.Current.CancellationToken));
    }

    private Task<ServerProcess> StartAsync(int slots) => ServerProcess.StartListeningAsync(
        "--listen", "http://127.0.0.1:0", "--group", string.Create(CultureInfo.InvariantCulture, $"{Group}={slots}"), "--data", DataFile);

    private static Task<RawResponse> AskAsync(ServerProcess server, string line, string id) =>
        RawClient.AskAsync(server.Address, TestServer.Request(line, Group, id));

    private static async Task<string[]> HoldersAsync(ServerProcess server)
    {
        var answer = await RawClient.AskAsync(server.Address, RawClient.Head("GET /v1/groups"));
        var list = JsonSerializer.Deserialize(answer.Body, GroupJson.Default.FleetGroupList);
        return [.. Assert.Single(list!.Groups).Holders.Select(holder => holder.Id)];
    }

    /// <summary>Sends a lock of which the server has shown that it is at it, and does not wait for the answer.</summary>
    private static async Task<RawClient> BeginLockAsync(ServerProcess server, string id)
    {
        var body = WireFormat.WriteRequest(Group, id);
        var length = string.Create(CultureInfo.InvariantCulture, $"Content-Length: {body.Length}");
        var client = await RawClient.ConnectAsync(server.Address);
        await client.SendAsync(RawClient.Head(TestServer.PreReboot, TestServer.ProtocolHeader, "Expect: 100-continue", length));
        Assert.Equal(100, (await client.ReceiveAsync())!.Status);
        await client.SendAsync(body);
        return client;
    }

    private static void SkipWithout(string signal)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no signals.");
        Assert.SkipWhen(IgnoredSignals.Contains(signal), $"The tests were started with SIG{signal} ignored.");
    }
}
