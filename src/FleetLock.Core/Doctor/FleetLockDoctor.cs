namespace FleetLock;

/// <summary>
/// Checks that a lock would work, in order: configuration, identity, name, connection, TLS, protocol, clock, extensions. It stops at what makes
/// the rest meaningless, it never asks for a slot, and it changes none.
/// </summary>
/// <param name="clock">The clock that the checks are timed by, and that the server's is compared with.</param>
public sealed class FleetLockDoctor(TimeProvider clock)
{
    private static readonly TimeSpan MostSkew = TimeSpan.FromMinutes(1);

    private static readonly string[] EndpointPaths = ["/v1", "/" + FleetLockProtocol.PreRebootPath, "/" + FleetLockProtocol.SteadyStatePath, "/" + FleetLockProtocol.GroupsPath];

    /// <summary>Makes a doctor on the system's clock.</summary>
    public FleetLockDoctor()
        : this(TimeProvider.System)
    {
    }

    /// <summary>Runs the checks.</summary>
    /// <param name="resolve">Finds the configuration; its errors are findings.</param>
    /// <param name="connect">Makes the client for a configuration; its errors are findings too.</param>
    /// <param name="onCheck">Told of each check as it ends.</param>
    /// <param name="cancellationToken">Ends the examination.</param>
    /// <returns>True when every check passed.</returns>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    public async Task<bool> ExamineAsync(
        Func<FleetLockConfiguration> resolve,
        Func<FleetLockConfiguration, FleetLockClient> connect,
        Action<FleetLockCheck> onCheck,
        CancellationToken cancellationToken)
    {
        if (resolve is null)
            throw new ArgumentNullException(nameof(resolve));
        if (connect is null)
            throw new ArgumentNullException(nameof(connect));

        var examination = new Examination(clock, onCheck ?? throw new ArgumentNullException(nameof(onCheck)));
        FleetLockConfiguration configuration = null!;
        FleetLockClient client = null!;
        if (!await examination.CheckAsync("Configuration", () =>
        {
            configuration = resolve();
            var found = Describe(configuration);
            client = connect(configuration);
            return Task.FromResult(found);
        }).ConfigureAwait(false))
        {
            return false;
        }

        await examination.CheckAsync("Identity", () => IdentifyAsync(configuration)).ConfigureAwait(false);

        if (client.Options.OtherServers.Count == 0)
        {
            await ExamineServerAsync(examination, client, configuration, cancellationToken).ConfigureAwait(false);
            return examination.AllPassed;
        }

        // Each has to work by itself.
        foreach (var server in new[] { client.Options.Server }.Concat(client.Options.OtherServers))
        {
            using var single = new FleetLockClient(client.Options with { Server = server, OtherServers = [] });
            await examination.CheckAsync("Server", () => Task.FromResult(server.ToString())).ConfigureAwait(false);
            await ExamineServerAsync(examination, single, configuration, cancellationToken).ConfigureAwait(false);
        }

        return examination.AllPassed;
    }

    private async Task ExamineServerAsync(
        Examination examination, FleetLockClient client, FleetLockConfiguration configuration, CancellationToken cancellationToken)
    {
        if (await ReachAsync(examination, client, cancellationToken).ConfigureAwait(false))
            await AskAsync(examination, client, configuration, cancellationToken).ConfigureAwait(false);
    }

    private static string Describe(FleetLockConfiguration configuration)
    {
        configuration.RequireGroup();
        foreach (var server in configuration.RequireServers())
        {
            var path = server.Uri.AbsolutePath.TrimEnd('/');
            if (EndpointPaths.FirstOrDefault(path.EndsWith) is { } endpoint)
                throw new CheckFailedException($"the URL {server} ends in {endpoint}", $"Leave {endpoint} away: the URL is the base address, to which the protocol's own paths are added.");
        }

        return string.Join("; ", configuration.All().Where(setting => setting.Name != SettingName.Id));
    }

    private static Task<string> IdentifyAsync(FleetLockConfiguration configuration)
    {
        var id = configuration.RequireId();
        var note = configuration.IsRawMachineId(id) ? "; it is the machine id itself, which should not leave the machine (machine-id(5))" : "";
        return Task.FromResult($"id '{id}' ({configuration.Id.Source}){note}");
    }

    /// <summary>The way to the server, step by step, so that the first thing that is wrong has a name of its own.</summary>
    private async Task<bool> ReachAsync(Examination examination, FleetLockClient client, CancellationToken cancellationToken)
    {
        var network = new NetworkChecks(client.Options);
        if (network.HasName && !await examination.CheckAsync("Name", network.ResolveNameAsync).ConfigureAwait(false))
            return false;
        if (network.IsDirect && !await examination.CheckAsync("Connection", () => network.ConnectAsync(cancellationToken)).ConfigureAwait(false))
            return false;
        if (network.ProxyInUse is { } proxy && !network.IsDirect)
            await examination.CheckAsync("Proxy", () => Task.FromResult($"requests go through {proxy}")).ConfigureAwait(false);
        return !network.HasTls || await examination.CheckAsync("TLS", () => network.HandshakeAsync(clock.GetUtcNow(), cancellationToken)).ConfigureAwait(false);
    }

    private async Task AskAsync(Examination examination, FleetLockClient client, FleetLockConfiguration configuration, CancellationToken cancellationToken)
    {
        Outcome probe = null!;
        var speaks = await examination.CheckAsync("Protocol", async () =>
        {
            var started = clock.GetTimestamp();
            probe = await client.ProbeAsync(cancellationToken).ConfigureAwait(false);
            return Judge(probe, client.Server, clock.GetElapsedTime(started));
        }).ConfigureAwait(false);
        if (probe.Date is { } date)
            await examination.CheckAsync("Clock", () => CompareAsync(date)).ConfigureAwait(false);
        if (speaks)
            await examination.CheckAsync("Extensions", () => LookForExtensionsAsync(client, configuration.RequireGroup(), cancellationToken)).ConfigureAwait(false);
    }

    private static string Judge(Outcome probe, ServerAddress server, TimeSpan elapsed)
    {
        if (probe.HttpStatus is not { } status)
            throw new CheckFailedException(probe.Message, "Check the address, whether it is one for http or https, the network, the proxy and that the server runs.");
        if (!Refuses(probe))
            throw new CheckFailedException($"{server} does not answer like a FleetLock server: {Said(probe)}", WrongServerAdvice(status));
        return FormattableString.Invariant($"a request without the protocol's header is refused, as it must be ({status} {probe.Kind}), after {elapsed.TotalMilliseconds:0.#} ms");
    }

    /// <summary>A FleetLock server refuses, with an error of the protocol's form, what has neither header nor id. Where the path is wrong, it refuses that instead.</summary>
    private static bool Refuses(Outcome probe) =>
        probe is { Status: not FleetLockStatus.TimedOut, HttpStatus: >= 400 and < 500 and not (401 or 404 or 405 or 407) }
        && probe.Kind?.StartsWith(ErrorKinds.GenericHttpPrefix, StringComparison.Ordinal) == false;

    private static string Said(Outcome probe) => probe.Kind is null
        ? $"{probe.HttpStatus} to a request without the protocol's header and without an id"
        : $"{probe.HttpStatus}, {probe.Kind}: {probe.Message}";

    private static string WrongServerAdvice(int status) => status switch
    {
        200 => "It accepts anything: this is not a FleetLock server, and a lock would mean nothing. Check the URL.",
        >= 300 and < 400 => "It redirects elsewhere: use the address that it leads to, if that is the FleetLock server's.",
        401 or 403 or 407 => "It wants credentials: a token, a user and a password, or a client certificate.",
        404 => "Check the URL's path: it is the base address, to which v1/pre-reboot is added.",
        _ => "Check that the URL is that of a FleetLock server, and that the server is well.",
    };

    private Task<string> CompareAsync(DateTimeOffset date)
    {
        var skew = clock.GetUtcNow() - date;
        return skew.Duration() <= MostSkew
            ? Task.FromResult(FormattableString.Invariant($"the server's clock is within {MostSkew.TotalSeconds:0} s of this machine's"))
            : throw new CheckFailedException(
                FormattableString.Invariant($"this machine's clock is {skew.Duration().TotalSeconds:0} s {(skew > TimeSpan.Zero ? "ahead of" : "behind")} the server's"),
                "Set the clocks: certificates, and the times in lists and logs, depend on them.");
    }

    private static async Task<string> LookForExtensionsAsync(FleetLockClient client, string group, CancellationToken cancellationToken)
    {
        var grants = await DescribeGrantsAsync(client, cancellationToken).ConfigureAwait(false);
        return $"{await DescribeGroupsAsync(client, group, cancellationToken).ConfigureAwait(false)}; {grants}";
    }

    private static async Task<string> DescribeGroupsAsync(FleetLockClient client, string group, CancellationToken cancellationToken)
    {
        FleetGroupList list;
        try
        {
            list = await client.GetGroupsAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (FleetGroupsException e) when (e.Kind == ErrorKinds.Unauthorized)
        {
            throw new CheckFailedException(
                $"the server does not accept the credentials ({e.Kind})", "Check the token, the user and password, or the client certificate.");
        }
        catch (FleetGroupsException e) when (e.Kind == ErrorKinds.Forbidden)
        {
            return "the server does not list its groups to this client, so that the group is not checked";
        }
        catch (FleetGroupsException e)
        {
            return e.Status == FleetLockStatus.ProtocolError ? "none: the server cannot list its groups" : $"the server does not list its groups now ({e.Kind})";
        }

        if (list.Groups.FirstOrDefault(candidate => candidate.Group == group) is not { } found)
            throw new CheckFailedException($"the server has no group '{group}'", "Name one of its groups: " + string.Join(", ", list.Groups.Take(10).Select(candidate => ProtocolRules.Show(candidate.Group))) + ".");
        if (found.StoreRestored)
            throw new CheckFailedException("the server's store went back to an earlier state, and no slot is granted", Advice.ConfirmRestore);
        return $"the server lists its groups; '{group}' has {found.Slots} slots, {found.Free} of them free";
    }

    /// <summary>For information: a server of another project is healthy without it.</summary>
    private static async Task<string> DescribeGrantsAsync(FleetLockClient client, CancellationToken cancellationToken)
    {
        var features = await client.GetFeaturesAsync(cancellationToken).ConfigureAwait(false);
        return features.Contains(FleetLockProtocol.GrantsSegment)
            ? "it supports grants, so that an interrupted lock is undone"
            : "it does not support grants, so that an interrupted lock is not undone but reported";
    }

    private sealed class Examination(TimeProvider clock, Action<FleetLockCheck> onCheck)
    {
        public bool AllPassed { get; private set; } = true;

        public async Task<bool> CheckAsync(string name, Func<Task<string>> look)
        {
            var started = clock.GetTimestamp();
            var (passed, message, advice) = (true, "", "");
            try
            {
                message = await look().ConfigureAwait(false);
            }
            catch (CheckFailedException e)
            {
                (passed, message, advice) = (false, e.Message, e.Advice);
            }
            catch (FleetLockInputException e)
            {
                (passed, message, advice) = (false, e.Message, AdviceFor(e.Setting));
            }

            AllPassed &= passed;
            onCheck(new FleetLockCheck(name, passed, message, advice, clock.GetElapsedTime(started)));
            return passed;
        }

        private static string AdviceFor(string setting) => setting switch
        {
            "url" => $"Give the server's URL or set {FleetLockConfiguration.VariableOf(SettingName.Url)}.",
            "group" => $"Give another group or set {FleetLockConfiguration.VariableOf(SettingName.Group)}.",
            "id" => $"Give an id or set {FleetLockConfiguration.VariableOf(SettingName.Id)}.",
            _ => "Mend it, and check again.",
        };
    }
}
