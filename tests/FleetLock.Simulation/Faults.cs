namespace FleetLock.Simulation;

/// <summary>How often what goes wrong in a simulation; drawn from its seed, so that calm and wild ones alternate.</summary>
internal sealed record Faults
{
    internal required double DropRequest { get; init; }

    internal required double DropResponse { get; init; }

    internal required double CutConnection { get; init; }

    internal required double RepeatRequest { get; init; }

    internal required double StoreError { get; init; }

    internal required double StoreErrorAfterCommit { get; init; }

    /// <summary>A transaction that its server has given up commits later; on etcd alone.</summary>
    internal required double StoreLateCommit { get; init; }

    internal required double ServerCrash { get; init; }

    /// <summary>A server is killed between a commit and the answers.</summary>
    internal required double CrashAfterCommit { get; init; }

    internal required double MachineCrash { get; init; }

    /// <summary>A machine crashes while it asks for a slot.</summary>
    internal required double CrashWhileLocking { get; init; }

    /// <summary>A machine releases its slot once, does not wait for the answer, and never comes back.</summary>
    internal required double Leave { get; init; }

    internal static Faults Draw(Random random)
    {
        var scale = random.Next(4) switch { 0 => 0, 1 => 0.3, 2 => 1, _ => 2.5 };
        return new Faults
        {
            DropRequest = Some(0.04),
            DropResponse = Some(0.05),
            CutConnection = Some(0.06),
            RepeatRequest = Some(0.04),
            StoreError = Some(0.03),
            StoreErrorAfterCommit = Some(0.03),
            StoreLateCommit = Some(0.25),
            ServerCrash = Some(0.5),
            CrashAfterCommit = Some(0.01),
            MachineCrash = Some(0.05),
            CrashWhileLocking = Some(0.3),
            Leave = Some(0.1),
        };

        double Some(double most) => random.Next(3) == 0 ? 0 : scale * most * random.NextDouble();
    }
}
