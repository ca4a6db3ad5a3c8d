namespace FleetLock.Simulation;

/// <summary>
/// A fleet, its network, its servers and their store, simulated from a seed: the same seed gives the same history. The server's step, the client and its
/// waiting loop are the real ones.
/// </summary>
public static class Simulation
{
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(90);

    /// <summary>The longest that clients may need to end what they have begun.</summary>
    private static readonly TimeSpan Drain = TimeSpan.FromHours(1);

    /// <summary>Runs a simulation.</summary>
    /// <param name="seed">The seed.</param>
    /// <param name="trace">Where to write the events; <see langword="null"/> for nowhere, which is faster.</param>
    /// <returns>What broke a promise, or <see langword="null"/>; and how many grants there were.</returns>
    public static (string? Violation, int Grants) Run(int seed, List<string>? trace = null)
    {
        (string? Violation, int Grants) result = default;

        // A thread of its own has no synchronization context, so every continuation runs in its place on simulated time.
        var thread = new Thread(() => result = RunHere(seed, trace), maxStackSize: 16 << 20);
        thread.Start();
        thread.Join();
        return result;
    }

    /// <summary>Runs many simulations on this thread, which must have no synchronization context.</summary>
    /// <param name="seed">The seed.</param>
    /// <param name="trace">Where to write the events.</param>
    /// <returns>What broke a promise, or <see langword="null"/>; and how many grants there were.</returns>
    public static (string? Violation, int Grants) RunHere(int seed, List<string>? trace = null)
    {
        var world = new World(seed, trace);
        var store = new SimulatedStore(world, isEtcd: world.Random.Next(2) == 0);
        SimulatedServer[] servers = [.. Enumerable.Range(0, world.Random.Next(1, 4)).Select(i => new SimulatedServer(world, store, "s" + i))];
        foreach (var server in servers)
        {
            server.Start();
            PlanCrashes(world, server);
            PlanReload(world, server);
        }

        // Not both: airlock knows nothing of the mark, and grants from a restored store.
        if (world.Random.Next(4) == 0)
            PlanRestore(world, store, servers);
        else if (store.IsEtcd && world.Random.Next(2) == 0)
            PlanAirlock(world, store);
        var machines = CreateMachines(world, servers);
        var lives = machines.Select(machine => machine.LiveAsync(Length)).ToArray();

        var end = Length;
        world.Time.RunUntil(end);
        while (end < Length + Drain && (world.Judge.IsRestored || !machines.All(machine => machine.IsIdle)))
            world.Time.RunUntil(end += TimeSpan.FromSeconds(10));
        world.Time.RunUntil(end + TimeSpan.FromSeconds(60));
        var error = lives.FirstOrDefault(life => life.IsFaulted)?.Exception?.InnerException;
        if (error is not null)
            return ($"a client failed: {error}", world.Judge.Grants);
        if (!machines.All(machine => machine.IsIdle))
            return ("a client never came to an end", world.Judge.Grants);
        if (Array.Find(servers, server => server.HasRequests) is { } stuck)
            return ($"{stuck.Name} never answers a request", world.Judge.Grants);
        foreach (var machine in machines)
            machine.Dispose();
        world.Judge.CheckLeaks();
        return (world.Judge.Violation, world.Judge.Grants);
    }

    private static SimulatedMachine[] CreateMachines(World world, SimulatedServer[] servers)
    {
        var sessions = world.Random.Next(1, 7);
        var ids = world.Random.Next(1, sessions + 1);
        return [.. Enumerable.Range(0, sessions).Select(i => new SimulatedMachine(world, servers, "n" + (i % ids), "m" + i))];
    }

    private static void PlanCrashes(World world, SimulatedServer server)
    {
        if (!world.Happens(world.Faults.ServerCrash))
            return;
        world.Time.After(world.Between(1, 60), world.Random.Next(2) == 0 ? server.Crash : server.Restart);
    }

    private static void PlanReload(World world, SimulatedServer server)
    {
        if (world.Random.Next(4) == 0)
            world.Time.After(world.Between(1, 60), server.EndWaits);
        if (world.Random.Next(4) != 0)
            return;
        world.Time.After(world.Between(1, 60), () => server.Configure(null));
        world.Time.After(world.Between(60, 80), () => server.Configure(world.Slots));
    }

    private static void PlanRestore(World world, SimulatedStore store, SimulatedServer[] servers)
    {
        world.Time.After(world.Between(1, 40), store.Backup);
        world.Time.After(world.Between(41, 60), TryRestore);

        void TryRestore()
        {
            // A restore takes longer than the second after which each server looks.
            if (Array.Exists(servers, server => server.IsUp && server.HighestSequence == store.Sequence)
                && Array.TrueForAll(servers, server => !server.IsUp || server.HighestSequence == store.Sequence))
            {
                if (store.TryRestore())
                {
                    // Where every server ends before the second in which it looks, nobody can know.
                    store.Look(servers.First(server => server.IsUp));
                    world.Time.After(TimeSpan.FromSeconds(30), TryConfirm);
                }

                return;
            }

            world.Time.After(TimeSpan.FromSeconds(0.1), TryRestore);
        }

        void TryConfirm()
        {
            if (store.IsMarked && !world.Judge.AnyBelief)
                store.Confirm();
            else
                world.Time.After(TimeSpan.FromSeconds(1), TryConfirm);
        }
    }

    private static void PlanAirlock(World world, SimulatedStore store)
    {
        world.Time.After(world.Between(0, 20), Lock);

        void Lock()
        {
            if (world.Time.Now > Length)
                return;
            var requested = world.Time.Now;
            if (!store.TryWriteAsAirlock("airlock", isLock: true))
            {
                world.Time.After(world.Between(1, 5), Lock);
                return;
            }

            var belief = world.Judge.Believe("airlock", "airlock", requested);
            world.Time.After(world.Between(1, 10), () => Unlock(belief));
        }

        void Unlock(Belief belief)
        {
            world.Judge.End(belief);
            if (store.TryWriteAsAirlock("airlock", isLock: false))
                world.Time.After(world.Between(1, 10), Lock);
            else
                world.Time.After(TimeSpan.FromSeconds(1), () => Unlock(belief));
        }
    }
}
