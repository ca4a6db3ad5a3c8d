using FleetLock.Endurance;

// dotnet run -c Release --project tests/FleetLock.Endurance -- fleet [NODES [SLOTS [POLL_SECONDS]]]
// dotnet run -c Release --project tests/FleetLock.Endurance -- kill [SECONDS]
// dotnet run -c Release --project tests/FleetLock.Endurance -- fuzz [REQUESTS [SEED]]
// dotnet run -c Release --project tests/FleetLock.Endurance -- handover [ROUNDS]
// dotnet run -c Release --project tests/FleetLock.Endurance -- idle [CONNECTIONS [SLOW_SENDERS]]
// dotnet run -c Release --project tests/FleetLock.Endurance -- simulate [SECONDS [FIRST_SEED]]; 0 seconds replay one seed and print its events
// Each prints its figures, and fails when a promise is broken.
var runs = new Dictionary<string, Func<Task<bool>>>
{
    ["fleet"] = () => FleetRun.RunAsync(nodes: Number(1, 10_000), slots: Number(2, 50), poll: TimeSpan.FromSeconds(Number(3, 10))),
    ["kill"] = () => KillRun.RunAsync(TimeSpan.FromSeconds(Number(1, 120))),
    ["fuzz"] = () => FuzzRun.RunAsync(requests: Number(1, 20_000), seed: Number(2, 1)),
    ["handover"] = () => HandoverRun.RunAsync(rounds: Number(1, 300)),
    ["simulate"] = () => SimulationRun.RunAsync(TimeSpan.FromSeconds(Number(1, 60)), first: Number(2, 1)),
    ["idle"] = () => IdleRun.RunAsync(connections: Number(1, 10_000), slowSenders: Number(2, 100)),
};
if (args.Length == 0 || !runs.TryGetValue(args[0], out var run))
{
    Console.Error.WriteLine($"It takes one of: {string.Join(", ", runs.Keys)}.");
    return 64;
}

return await run() ? 0 : 1;

int Number(int index, int standard) => args.Length > index ? int.Parse(args[index], System.Globalization.CultureInfo.InvariantCulture) : standard;
