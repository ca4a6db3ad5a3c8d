using FleetLock.TestKit;

namespace FleetLock.Core.Tests;

/// <summary>One examination by the doctor, with nothing of this machine in it.</summary>
internal sealed record Examined(bool Passed, IReadOnlyList<FleetLockCheck> Checks)
{
    internal static readonly Surroundings Nowhere = new()
    {
        Environment = _ => null,
        ReadFile = _ => null,
        MachineId = () => throw new FleetLockInputException("id", "no machine id here"),
    };

    public IEnumerable<string> Names => Checks.Select(check => check.Name);

    public FleetLockCheck this[string name] => Assert.Single(Checks, check => check.Name == name);

    internal static Task<Examined> OfAsync(string? url, Func<FleetLockClientOptions, FleetLockClientOptions>? options = null, string? id = "node1", TimeProvider? clock = null) =>
        OfAsync(new FleetLockSettings { Url = url, Group = Exchange.Group, Id = id }, options, Nowhere, clock);

    internal static async Task<Examined> OfAsync(
        FleetLockSettings settings,
        Func<FleetLockClientOptions, FleetLockClientOptions>? options = null,
        Surroundings? surroundings = null,
        TimeProvider? clock = null,
        CancellationToken? cancellationToken = null)
    {
        var checks = new List<FleetLockCheck>();
        FleetLockClient? client = null;
        try
        {
            var passed = await new FleetLockDoctor(clock ?? TimeProvider.System).ExamineAsync(
                () => FleetLockConfiguration.Resolve(settings, surroundings ?? Nowhere),
                configuration =>
                {
                    // A time-out that is far off: a hang is then a failure and not a hang.
                    var plain = configuration.RequireClientOptions() with { Timeout = TestTimeout.Hang };
                    return client = new FleetLockClient(options is null ? plain : options(plain));
                },
                checks.Add,
                cancellationToken ?? TestContext.Current.CancellationToken);
            return new Examined(passed, checks);
        }
        finally
        {
            client?.Dispose();
        }
    }

    internal static void AssertFailed(FleetLockCheck check, string named)
    {
        Assert.False(check.Passed);
        Assert.Contains(named, check.Message, StringComparison.Ordinal);
        Assert.NotEmpty(check.Advice);
    }
}
