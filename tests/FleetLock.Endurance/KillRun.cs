using System.Diagnostics;
using FleetLock.TestKit;

namespace FleetLock.Endurance;

/// <summary>SIGKILL of the server every second under 32 clients that record every answer: more holders than slots, or one answer lost, ends the run.</summary>
internal static class KillRun
{
    private const int Slots = 8;
    private const int Machines = 32;

    internal static async Task<bool> RunAsync(TimeSpan time)
    {
        using var folder = new TemporaryDirectory();
        await RunAsync("SQLite", time, ["--data", folder.File("kill.db")]);
        if (EtcdProcess.Missing is { } missing)
        {
            Console.WriteLine(missing + " That store is not tried.");
            return true;
        }

        await using var etcd = await EtcdProcess.StartAsync();
        await RunAsync("etcd", time, ["--etcd", etcd.Endpoint.ToString()]);
        return true;
    }

    private static async Task RunAsync(string store, TimeSpan time, string[] storeArguments)
    {
        using var fleet = new Fleet(Slots, Machines);
        var kills = 0;
        for (var watch = Stopwatch.StartNew(); watch.Elapsed < time; kills++)
        {
            await using var server = await StartAsync(storeArguments);
            fleet.RequireNothingWasLost(await HoldersAsync(server));
            var work = fleet.WorkAsync(server.Address);
            await Task.Delay(TimeSpan.FromSeconds(1));
            await server.KillAsync();
            await work;
        }

        await using var last = await StartAsync(storeArguments);
        fleet.RequireNothingWasLost(await HoldersAsync(last));
        Figures.Print($"{store}: kills, answers recorded", $"{kills}, {fleet.Answers}: none lost, never more than {Slots} holders");
    }

    private static Task<ServerProcess> StartAsync(string[] store) =>
        ServerProcess.StartUnreadAsync(["--listen", "http://127.0.0.1:0", "--group", FormattableString.Invariant($"{Fleet.Group}={Slots}"), .. store]);

    private static async Task<string[]> HoldersAsync(ServerProcess server)
    {
        using var client = new FleetLockClient(server.Address.ToString());
        var list = await client.GetGroupsAsync();
        return [.. list!.Groups.Single().Holders.Select(holder => holder.Id)];
    }
}
