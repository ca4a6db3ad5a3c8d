using System.Globalization;
using FleetLock.Benchmarks;
using FleetLock.TestKit;

// dotnet run -c Release --project tests/FleetLock.Benchmarks [-- SECONDS [PEER_URL]]
// The seconds that each figure is measured for, 3 if not given; and another server to measure in the same run, with the groups bench, bench-1 …
// bench-31 of 64 slots each.
var time = TimeSpan.FromSeconds(args.Length > 0 ? double.Parse(args[0], CultureInfo.InvariantCulture) : 3);
var peer = args.Length > 1 ? new Uri(args[1]) : null;

using var folder = new TemporaryDirectory();
var disk = Measure.DiskFloor(folder.File("floor.db"), time);

await using var memory = await ServeAsync("--data", ":memory:");
await using var sqlite = await ServeAsync("--data", folder.File("bench.db"));
await using var etcd = EtcdProcess.Missing is null ? await EtcdProcess.StartAsync() : null;
await using var onEtcd = etcd is null ? null : await ServeAsync("--etcd", etcd.Endpoint.ToString());
await Task.Delay(TimeSpan.FromSeconds(1));
var idle = sqlite.ReadUsage();

Console.WriteLine($"Lock + unlock pairs per second, {Environment.ProcessorCount} processors, load and server on the same machine, {time.TotalSeconds:0.#} s each");
Console.WriteLine("{0,-52} {1,10} {2,14} {3,14} {4,20} {5,8}", "", "pairs/s", "lock p50 (ms)", "of the floor", "server CPU (ms/pair)", "refused");

// What is compiled as it runs is compiled well before anything is measured.
foreach (var server in new[] { memory, sqlite, onEtcd })
{
    if (server is not null)
        await Measure.PairsAsync(server.Address, 32, Measure.Groups, time);
}

foreach (var (connections, groups) in ((int, int)[])[(1, 1), (32, 1), (32, Measure.Groups)])
{
    var load = $"{connections} conn., {groups} {(groups == 1 ? "group" : "groups")}";
    var floor = await Measure.HttpFloorAsync(sqlite.Address, connections, time);
    Row($"HTTP floor (two GET /healthz), {load}", new Measure.Load(floor, 0, 0), 1, null);
    await Pairs("memory", memory.Address, memory);
    await Pairs("SQLite, every answer on disk", sqlite.Address, sqlite);
    if (onEtcd is not null)
        await Pairs("etcd, every answer on disk", onEtcd.Address, onEtcd);
    if (peer is not null)
        await Pairs("the peer", peer, null);

    async Task Pairs(string store, Uri address, ServerProcess? server)
    {
        var before = server?.ReadUsage().Processor;
        var measured = await Measure.PairsAsync(address, connections, groups, time);

        // The warm-up of a quarter of the time counts too.
        var processor = server?.ReadUsage().Processor - before;
        Row($"{store}, {load}", measured, measured.PerSecond / floor, processor?.TotalMilliseconds / (measured.PerSecond * time.TotalSeconds * 1.25));
    }
}

Row("disk floor (two bare SQLite commits), 1 thread", new Measure.Load(disk, 0, 0), null, null);
Console.WriteLine();
Console.WriteLine($"Memory of the idle server on SQLite: {idle.Memory / 1048576.0:0} MiB");

var client = await Measure.ClientPairAsync(sqlite.Address, time);
var clientMemory = await Measure.ClientPairAsync(memory.Address, time);
Console.WriteLine($"A pair through FleetLockClient, one after the other: {Measure.Show(client)} ms on SQLite, {Measure.Show(clientMemory)} ms on memory");

await WholeProcess.CompareCommandLineAsync(memory.Address);
if (WholeProcess.HasPowerShell)
    await WholeProcess.ComparePowerShellAsync(memory.Address);
else
    Console.WriteLine("There is no pwsh on the PATH, so the cmdlets are not measured.");

static Task<ServerProcess> ServeAsync(params string[] store) => ServerProcess.StartUnreadAsync(
    ["--listen", "http://127.0.0.1:0", .. Enumerable.Range(0, Measure.Groups).SelectMany(number => new[] { "--group", Measure.Group(number) + "=64" }), .. store]);

static void Row(string name, Measure.Load load, double? ratio, double? processor) => Console.WriteLine(
    "{0,-52} {1,10} {2,14} {3,14} {4,20} {5,8}",
    name,
    Measure.Show(load.PerSecond),
    load.LockMilliseconds > 0 ? Measure.Show(load.LockMilliseconds) : "",
    ratio is { } r ? r.ToString("0.00", CultureInfo.InvariantCulture) : "",
    processor is { } ms ? ms.ToString("0.000", CultureInfo.InvariantCulture) : "",
    load.Refused > 0 ? load.Refused.ToString(CultureInfo.InvariantCulture) : "");
