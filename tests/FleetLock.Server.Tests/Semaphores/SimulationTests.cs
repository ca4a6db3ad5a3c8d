using System.Diagnostics;

namespace FleetLock.Server.Tests;

/// <summary>
/// Fleets, networks, servers and stores that are simulated from a seed. A failing seed is replayed, with its events, by
/// <c>dotnet run -c Release --project tests/FleetLock.Endurance -- simulate 0 SEED</c>.
/// </summary>
public sealed class SimulationTests
{
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(30);

    /// <summary>
    /// The same seeds each time, so that a failure is not a matter of luck, and at least so many, however slow the machine is. They find each of the fixes that
    /// the simulation was made for when it is reverted. The endurance program tries others.
    /// </summary>
    private const int First = 400_000;

    private const int Fewest = 2_000;

    [Fact]
    public void No_seed_breaks_a_promise()
    {
        var clock = Stopwatch.StartNew();
        var (seeds, grants) = (0, 0);
        for (var seed = First; seeds < Fewest || clock.Elapsed < Length; seed++, seeds++)
        {
            var (violation, granted) = Simulation.Simulation.Run(seed);
            Assert.True(violation is null, $"seed {seed}: {violation}");
            grants += granted;
        }

        Assert.InRange(grants, seeds, int.MaxValue);
        TestContext.Current.TestOutputHelper?.WriteLine($"{seeds} seeds from {First}, {grants} grants");
    }

    [Fact]
    public void A_seed_gives_the_same_history_each_time()
    {
        var (first, second) = (new List<string>(), new List<string>());
        Simulation.Simulation.Run(4711, first);
        Simulation.Simulation.Run(4711, second);

        Assert.NotEmpty(first);
        Assert.Equal(first, second);
    }
}
