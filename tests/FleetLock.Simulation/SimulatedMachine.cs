namespace FleetLock.Simulation;

/// <summary>
/// A machine that takes and releases slots with the real client: it waits, gives up, is interrupted, crashes, comes back, and asks another server.
/// </summary>
internal sealed class SimulatedMachine(World world, IReadOnlyList<SimulatedServer> servers, string id, string session) : IDisposable
{
    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(20);

    // Zincati, or another client of the protocol alone.
    private readonly bool _isPlain = world.Random.Next(5) == 0;

    private SimulatedNetwork? _currentNetwork;
    private bool _hasLeft;

    private SimulatedNetwork Network => _currentNetwork ??= new SimulatedNetwork(world, servers) { HidesGrants = _isPlain };

    /// <summary>Whether it does nothing and will do nothing any more.</summary>
    internal bool IsIdle { get; private set; }

    /// <summary>Lives until a time: takes a slot, uses it, releases it, and again.</summary>
    internal async Task LiveAsync(TimeSpan end)
    {
        while (world.Time.Now < end && !_hasLeft)
        {
            await SleepAsync(world.Between(0, 10));
            if (world.Happens(world.Faults.MachineCrash))
                await RebootAsync(null);
            else if (_isPlain)
                await UseSlotPlainlyAsync();
            else
                await UseSlotAsync();
        }

        IsIdle = true;
    }

    public void Dispose() => _currentNetwork?.Dispose();

    private async Task UseSlotAsync()
    {
        using var client = NewClient();
        var operation = new LockOperation(client, World.Group, id);
        using var interrupted = world.Random.Next(5) == 0 ? new CancellationTokenSource(world.Between(0, 15), world.Time) : new CancellationTokenSource();
        var requested = world.Time.Now;
        world.Trace($"{session} locks {id} with {world.Name(operation.GrantId)}");
        var hasCrashed = false;
        FleetLockResult result;
        try
        {
            var acquired = operation.AcquireAsync(new SlotWaiter(world.Time, world.Random.NextDouble), DrawWait(), null, ReportLeak, interrupted.Token);
            if (world.Happens(world.Faults.CrashWhileLocking))
            {
                await Task.WhenAny(acquired, SleepAsync(world.Between(0, 10)));
                hasCrashed = !acquired.IsCompleted;
            }

            if (hasCrashed)
            {
                await RebootAsync(null);
                return;
            }

            result = await acquired;
        }
        catch (OperationCanceledException)
        {
            world.Trace($"{session} is interrupted");
            return;
        }

        world.Trace($"{session} is answered {result.Status} {result.Kind} new={result.IsNewGrant}");
        if (result.Status == FleetLockStatus.Granted)
            await HoldAsync(client, operation, world.Judge.Believe(id, session, requested));

        void ReportLeak(PossibleLeak leak)
        {
            if (hasCrashed)
                return;
            world.Trace($"{session} reports that {leak.Id} may hold a slot: {leak.Reason}");
            world.Judge.Report(leak.Id, operation.GrantId);
        }
    }

    /// <summary>Asks for the slot some times, as Zincati does, reboots whether it has it or not, and reports steady-state.</summary>
    private async Task UseSlotPlainlyAsync()
    {
        using var client = NewClient();
        for (var tries = world.Random.Next(1, 6); tries > 0; tries--)
        {
            var requested = world.Time.Now;
            world.Trace($"{session} locks {id} without a grant");
            var result = await client.LockAsync(World.Group, id);
            world.Trace($"{session} is answered {result.Status} {result.Kind}");
            if (result.Status == FleetLockStatus.Granted)
            {
                var belief = world.Judge.Believe(id, session, requested);
                await SleepAsync(world.Between(0.1, 15));
                await RebootAsync(belief);
                return;
            }

            await SleepAsync(world.Between(1, 6));
        }

        await RebootAsync(null);
    }

    private async Task HoldAsync(FleetLockClient client, LockOperation operation, Belief belief)
    {
        await SleepAsync(world.Between(0.1, 15));
        if (world.Happens(world.Faults.MachineCrash))
        {
            await RebootAsync(belief);
            return;
        }

        world.Judge.End(belief);
        if (world.Happens(world.Faults.Leave))
            await LeaveAsync(client, operation.GrantId);
        else if (world.Random.Next(2) == 0)
            await UnlockAsync(client);
        else
            await ReleaseGrantAsync(client, operation.GrantId);
    }

    /// <summary>Releases the slot once, waits no longer than a moment for the answer, or ends without a word, and never comes back.</summary>
    private async Task LeaveAsync(FleetLockClient client, string grantId)
    {
        world.Trace($"{session} releases {id} once and leaves");
        _hasLeft = true;
        using var moment = new CancellationTokenSource(world.Between(0, 0.5), world.Time);
        if (world.Random.Next(2) == 0)
            world.Time.After(world.Between(0, 0.2), Network.Crash);
        try
        {
            var result = await (world.Random.Next(2) == 0
                ? client.UnlockAsync(World.Group, id, moment.Token)
                : client.CancelGrantAsync(World.Group, id, grantId, isUndo: false, moment.Token));
            world.Trace($"{session} is answered {result.Status} {result.Kind}");
        }
        catch (OperationCanceledException)
        {
            world.Trace($"{session} waits no more");
        }

        world.Judge.Left(id);
    }

    /// <summary>The machine ends without a word, and reports steady-state when it is back.</summary>
    private async Task RebootAsync(Belief? belief)
    {
        world.Trace($"{session} crashes");
        Network.Crash();
        if (belief is not null)
            world.Judge.End(belief);
        await SleepAsync(world.Between(6, 20));
        Dispose();
        _currentNetwork = null;
        using var client = NewClient();
        await UnlockAsync(client);
    }

    /// <summary>Sends steady-state until it is acknowledged.</summary>
    private async Task UnlockAsync(FleetLockClient client)
    {
        world.Trace($"{session} unlocks {id}");
        while (!(await client.UnlockAsync(World.Group, id)).IsSuccess)
            await SleepAsync(world.Between(0.5, 3));
        world.Trace($"{session} has unlocked {id}");
    }

    private async Task ReleaseGrantAsync(FleetLockClient client, string grantId)
    {
        world.Trace($"{session} releases {world.Name(grantId)} of {id}");
        for (; ; )
        {
            var result = await client.CancelGrantAsync(World.Group, id, grantId, isUndo: false, CancellationToken.None);
            if (result.Kind == ErrorKinds.ClientGrantKept)
            {
                // Somebody else relies on the slot, or has left it: only a steady-state frees it.
                await SleepAsync(world.Between(0, 5));
                await UnlockAsync(client);
                return;
            }

            if (result.IsSuccess || (result.HttpStatus == 200 && result.Kind == ErrorKinds.NotHeld))
                return;
            await SleepAsync(world.Between(0.5, 3));
        }
    }

    private WaitPolicy? DrawWait() => world.Random.Next(3) == 0
        ? null
        : new WaitPolicy { Timeout = world.Between(1, 60), RetryInterval = TimeSpan.FromSeconds(5) };

    private FleetLockClient NewClient() => new(
        new FleetLockClientOptions
        {
            Server = ServerAddress.Parse($"http://s{world.Random.Next(servers.Count)}"),
            Timeout = RequestTimeout,
            Clock = world.Time,
        },
        Network);

    private Task SleepAsync(TimeSpan time)
    {
        var slept = new TaskCompletionSource();
        world.Time.After(time, slept.SetResult);
        return slept.Task;
    }
}
