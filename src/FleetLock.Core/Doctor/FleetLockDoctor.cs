using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;

namespace FleetLock;

/// <summary>
/// Checks that a lock would work, in order: configuration, identity, connection, protocol. It stops at what makes the rest meaningless,
/// it never asks for a slot, and it changes none.
/// </summary>
/// <param name="clock">The clock that the checks are timed by.</param>
public sealed class FleetLockDoctor(TimeProvider clock)
{
    /// <summary>Makes a doctor on the system's clock.</summary>
    public FleetLockDoctor()
        : this(TimeProvider.System)
    {
    }

    /// <summary>Runs the checks.</summary>
    /// <param name="resolve">Finds the configuration; its errors are findings.</param>
    /// <param name="connect">Makes the client for a server.</param>
    /// <param name="onCheck">Told of each check as it ends.</param>
    /// <param name="cancellationToken">Ends the examination.</param>
    /// <returns>True when every check passed.</returns>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    public async Task<bool> ExamineAsync(
        Func<FleetLockConfiguration> resolve,
        Func<ServerAddress, FleetLockClient> connect,
        Action<FleetLockCheck> onCheck,
        CancellationToken cancellationToken)
    {
        if (resolve is null)
            throw new ArgumentNullException(nameof(resolve));
        if (connect is null)
            throw new ArgumentNullException(nameof(connect));
        if (onCheck is null)
            throw new ArgumentNullException(nameof(onCheck));

        var examination = new Examination(clock, onCheck);
        var configuration = default(FleetLockConfiguration);
        var server = default(ServerAddress);
        var configured = examination.Check("Configuration", () =>
        {
            configuration = resolve();
            server = configuration.RequireServer();
            return $"server {server} ({configuration.Url.Source}), group '{configuration.RequireGroup()}' ({configuration.Group.Source})";
        });
        if (!configured)
            return false;

        examination.Check("Identity", () => $"id '{configuration!.RequireId()}' ({configuration.Id.Source})");

        var started = clock.GetTimestamp();
        var probe = await connect(server!).ProbeAsync(cancellationToken).ConfigureAwait(false);
        var elapsed = clock.GetElapsedTime(started);
        foreach (var check in Diagnose(probe, server!, elapsed))
            examination.Report(check);
        return examination.AllPassed;
    }

    private static IEnumerable<FleetLockCheck> Diagnose(Outcome probe, ServerAddress server, TimeSpan elapsed)
    {
        if (probe.HttpStatus is not { } status)
        {
            yield return new FleetLockCheck("Connection", false, probe.Message, "Check the address, the network, the proxy and that the server runs.", elapsed);
            yield break;
        }

        yield return new FleetLockCheck("Connection", true, $"{server} answers", "", elapsed);
        yield return Refuses(probe)
            ? new FleetLockCheck("Protocol", true, $"a request without the protocol's header is refused, as it must be: {status} {probe.Kind}", "", elapsed)
            : new FleetLockCheck("Protocol", false, $"{server} does not answer like a FleetLock server: {Said(probe)}", WrongServerAdvice(status), elapsed);
    }

    /// <summary>A FleetLock server refuses, with an error of the protocol's form, what has neither header nor id.</summary>
    private static bool Refuses(Outcome probe) =>
        probe is { Status: not FleetLockStatus.TimedOut, HttpStatus: >= 400 and < 500 and not (401 or 407) }
        && probe.Kind?.StartsWith(ErrorKinds.GenericHttpPrefix, StringComparison.Ordinal) == false;

    private static string Said(Outcome probe) => probe.Kind is null
        ? $"{probe.HttpStatus} to a request without the protocol's header and without an id"
        : $"{probe.HttpStatus}, {probe.Kind}: {probe.Message}";

    private static string WrongServerAdvice(int status) => status switch
    {
        200 => "It accepts anything: this is not a FleetLock server, and a lock would mean nothing. Check the URL.",
        >= 300 and < 400 => "It redirects elsewhere: use the address that it leads to, if that is the FleetLock server's.",
        401 or 403 or 407 => "It wants credentials: put a user and a password into the URL.",
        404 => "Check the URL's path: it is the base address, to which v1/pre-reboot is added.",
        _ => "Check that the URL is that of a FleetLock server, and that the server is well.",
    };

    private sealed class Examination(TimeProvider clock, Action<FleetLockCheck> onCheck)
    {
        public bool AllPassed { get; private set; } = true;

        public void Report(FleetLockCheck check)
        {
            AllPassed &= check.Passed;
            onCheck(check);
        }

        public bool Check(string name, Func<string> look)
        {
            var started = clock.GetTimestamp();
            FleetLockCheck check;
            try
            {
                check = new FleetLockCheck(name, true, look(), "", clock.GetElapsedTime(started));
            }
            catch (FleetLockInputException e)
            {
                check = new FleetLockCheck(name, false, e.Message, AdviceFor(e.Setting), clock.GetElapsedTime(started));
            }

            Report(check);
            return check.Passed;
        }

        private static string AdviceFor(string setting) => setting switch
        {
            "url" => $"Give the server's URL or set {FleetLockConfiguration.UrlVariable}.",
            "group" => $"Give another group or set {FleetLockConfiguration.GroupVariable}.",
            _ => $"Give an id or set {FleetLockConfiguration.IdVariable}.",
        };
    }
}
