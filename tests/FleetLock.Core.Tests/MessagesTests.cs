using System.Text.RegularExpressions;
using FleetLock.TestKit;

namespace FleetLock.Core.Tests;

/// <summary>The sentences of the client and of its settings' errors, as the files in <c>tests/messages</c> have them.</summary>
[Trait("Lane", "Fast")]
public sealed class MessagesTests
{
    [Fact]
    public void Results()
    {
        var messages = new MessageFile("client-results");
        var failures = Enum.GetValues<FleetLockStatus>().Except([FleetLockStatus.Granted, FleetLockStatus.Released]);
        foreach (var status in failures)
        {
            foreach (var operation in Exchange.Operations)
            {
                var result = ResultTests.ResultOf(status) with { Operation = operation };
                messages.Add($"{operation}, {status}", new FleetLockException(result).Message);
            }
        }

        foreach (var operation in Exchange.Operations)
            messages.Add($"{operation}, an unknown outcome", Advice.UnknownOutcome(operation));
        string[] refusals = [ErrorKinds.ClientGrantKept, ErrorKinds.NotHeld, ErrorKinds.GrantCancelled, ErrorKinds.StoreRestored, ErrorKinds.UnknownGroup];
        foreach (var kind in refusals)
            messages.Add($"the kind {kind}", Advice.For(ResultTests.ResultOf(FleetLockStatus.Refused) with { Kind = kind }));

        var wrongPath = ResultTests.ResultOf(FleetLockStatus.ProtocolError) with { Kind = ErrorKinds.NotFound };
        messages.Add("the kind not_found", Advice.For(wrongPath));
        messages.Add("the kind not_found at a URL that ends with /v1", Advice.For(wrongPath with { Server = "http://fleet.example/v1" }));

        messages.Add("a command that can wait", Advice.For(ResultTests.ResultOf(FleetLockStatus.Busy), "--wait"));
        foreach (var last in new[] { FleetLockStatus.Busy, FleetLockStatus.Unreachable })
        {
            var timedOut = ResultTests.ResultOf(FleetLockStatus.TimedOut) with { LastStatus = last };
            messages.Add($"a wait whose last answer was {last}", Advice.For(timedOut, "--wait"));
        }

        messages.Add("a result as text", ResultTests.ResultOf(FleetLockStatus.Busy).ToString());
        messages.Verify();
    }

    [Fact]
    public void Settings()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The paths are those of Unix.");
        var messages = new MessageFile("client-settings");

        foreach (var url in ServerAddressTests.Refused.Select(row => row.Data.Item1))
            Add("url", url, () => ServerAddress.Parse(url!));
        foreach (var id in MachineIdTests.NoMachineIds.Select(row => row.Data))
            Add("machine id", id, () => MachineId.Parse(id!));
        foreach (var group in new[] { "", "under_score" })
            Add("group", group, () => ProtocolRules.RequireGroup(group));
        foreach (var id in new[] { "", " ", "a\u0000b", new string('a', 256) })
            Add("id", id, () => ProtocolRules.RequireId(id));
        Add("application id", "zz", () => NodeId.Derive(MachineId.Parse("dfd7882acda64c34aca76193c46f5d4e"), "zz"));

        AddResolved("no server", new FleetLockSettings(), given => given.RequireServer());
        AddResolved("a time-out of 'soon'", new FleetLockSettings { TimeoutSec = "soon" }, given => given.RequireTimeout());
        AddResolved("a retry interval of 0", new FleetLockSettings { RetryIntervalSec = "0" }, given => given.RequireRetryInterval());
        AddResolved("an empty token", new FleetLockSettings { Url = "http://a", Token = "" }, given => given.RequireClientOptions());
        AddResolved(
            "a token file that is not there",
            new FleetLockSettings { Url = "http://a", TokenFile = "/absent" },
            given => given.RequireClientOptions());
        foreach (var text in ConfigurationFileTests.Faults.Select(row => row.Data.Item1))
            Add("configuration file", text, () => new FileSystem().With(FileSystem.MachineFile, text).Resolve());
        messages.Verify();

        void Add(string setting, string? value, Func<object> use)
        {
            // What .NET's own reader says of a file that is not JSON is left out.
            var message = Regex.Replace(Assert.Throws<FleetLockInputException>(use).Message, "(?<=not valid JSON).*", "…");
            messages.Add($"{setting} '{ProtocolRules.Show(value ?? "")}'", message);
        }

        void AddResolved(string situation, FleetLockSettings settings, Func<FleetLockConfiguration, object> use) =>
            messages.Add(situation, Assert.Throws<FleetLockInputException>(() => use(new FileSystem().Resolve(settings))).Message);
    }
}
