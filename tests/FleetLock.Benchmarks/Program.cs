using System;
using System.Globalization;
using System.Threading.Tasks;
using FleetLock.Benchmarks;
using FleetLock.TestKit;

// dotnet run -c Release --project tests/FleetLock.Benchmarks [-- SECONDS]
// The seconds that each figure is measured for; 3 if not given.
var time = TimeSpan.FromSeconds(args.Length > 0 ? double.Parse(args[0], CultureInfo.InvariantCulture) : 3);

using var folder = new TemporaryDirectory();
var disk = Measure.DiskFloor(folder.File("floor.db"), time);

await using var sqlite = await ServerProcess.StartListeningAsync("--listen", "http://127.0.0.1:0", "--group", "bench=64", "--data", folder.File("bench.db"));
await using var memory = await ServerProcess.StartListeningAsync("--listen", "http://127.0.0.1:0", "--group", "bench=64", "--data", ":memory:");

Console.WriteLine($"Lock + unlock pairs per second, {Environment.ProcessorCount} processors, load and server on the same machine, {time.TotalSeconds:0.#} s each");
Console.WriteLine("{0,-44} {1,12} {2,18} {3,16}", "", "pairs/s", "lock p50 (ms)", "of the floor");
foreach (var connections in (int[])[1, 32])
{
    var floor = await Measure.HttpFloorAsync(sqlite.Address, connections, time);
    Row($"HTTP floor (two GET /healthz), {connections} conn.", floor, null, 1);
    await Pairs("memory", memory.Address);
    await Pairs("SQLite, every answer on disk", sqlite.Address);

    async Task Pairs(string store, Uri server)
    {
        var (perSecond, p50) = await Measure.PairsAsync(server, connections, time);
        Row($"{store}, {connections} conn.", perSecond, p50, perSecond / floor);
    }
}

Row("disk floor (two bare SQLite commits), 1 thread", disk, null, null);

var client = await Measure.ClientPairAsync(sqlite.Address, time);
var clientMemory = await Measure.ClientPairAsync(memory.Address, time);
Console.WriteLine();
Console.WriteLine($"A pair through FleetLockClient, one after the other: {Measure.Show(client)} ms on SQLite, {Measure.Show(clientMemory)} ms on memory");

await WholeProcess.CompareCommandLineAsync(memory.Address);
if (WholeProcess.HasPowerShell)
    await WholeProcess.ComparePowerShellAsync(memory.Address);
else
    Console.WriteLine("There is no pwsh on the PATH, so the cmdlets are not measured.");

static void Row(string name, double perSecond, double? p50, double? ratio) => Console.WriteLine(
    "{0,-44} {1,12} {2,18} {3,16}", name, Measure.Show(perSecond), p50 is { } ms ? Measure.Show(ms) : "", ratio is { } r ? r.ToString("0.00", CultureInfo.InvariantCulture) : "");
