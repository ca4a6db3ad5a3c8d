using System.Net.Sockets;
using System.Text.RegularExpressions;
using FleetLock.TestKit;
using Microsoft.Extensions.Time.Testing;

namespace FleetLock.Core.Tests;

/// <summary>The sentences of the client, of its settings' errors and of the doctor, as the files in <c>tests/messages</c> have them.</summary>
public sealed class MessagesTests
{
    private static readonly RawAnswer Refusal = RawAnswer.Http(400, """{"kind":"missing_header","value":"the fleet-lock-protocol header is missing"}""");

    private static readonly Regex Varying = new(@"(?<=after )[\d.]+(?= ms)|(?<=Tls1)[23]");

    /// <summary>What the operating system and .NET say, each in its own words.</summary>
    private static readonly Regex ReasonOfSystem = new(@"(?<=is not found: ).*|(?<=no TLS with HOST:PORT: ).*");

    [Fact]
    public void Results()
    {
        var messages = new MessageFile("client-results");
        foreach (var status in Enum.GetValues<FleetLockStatus>().Where(status => status is not (FleetLockStatus.Granted or FleetLockStatus.Released)))
        {
            foreach (var operation in Exchange.Operations)
                messages.Add($"{operation}, {status}", new FleetLockException(ResultTests.ResultOf(status) with { Operation = operation }).Message);
        }

        foreach (var operation in Exchange.Operations)
            messages.Add($"{operation}, an unknown outcome", Advice.UnknownOutcome(operation));
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

        AddResolved("no server", new FleetLockSettings(), configuration => configuration.RequireServer());
        AddResolved("a time-out of 'soon'", new FleetLockSettings { TimeoutSec = "soon" }, configuration => configuration.RequireTimeout());
        AddResolved("a retry interval of 0", new FleetLockSettings { RetryIntervalSec = "0" }, configuration => configuration.RequireRetryInterval());
        AddResolved("an empty token", new FleetLockSettings { Url = "http://a", Token = "" }, configuration => configuration.RequireClientOptions());
        AddResolved("a token of two words", new FleetLockSettings { Url = "http://a", Token = "two words" }, configuration => configuration.RequireClientOptions());
        AddResolved("a token file that is not there", new FleetLockSettings { Url = "http://a", TokenFile = "/absent" }, configuration => configuration.RequireClientOptions());
        foreach (var text in ConfigurationFileTests.Faults.Select(row => row.Data.Item1))
            Add("configuration file", text, () => new FileSystem().With(FileSystem.MachineFile, text).Resolve());
        messages.Verify();

        void Add(string setting, string? value, Func<object> use) =>
            messages.Add($"{setting} '{ProtocolRules.Show(value ?? "")}'", Regex.Replace(Assert.Throws<FleetLockInputException>(use).Message, "(?<=not valid JSON).*", "…"));

        void AddResolved(string situation, FleetLockSettings settings, Func<FleetLockConfiguration, object> use) =>
            messages.Add(situation, Assert.Throws<FleetLockInputException>(() => use(new FileSystem().Resolve(settings))).Message);
    }

    [Fact]
    public async Task Doctor()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The findings about certificates are those of OpenSSL.");
        using var authority = new TestAuthority();
        var messages = new MessageFile("doctor").Hide(new SocketException((int)SocketError.ConnectionRefused).Message, "{connection refused}");

        foreach (var (status, body) in FleetLockDoctorTests.Others.Select(row => row.Data))
            await AddAsync($"{status} {body}", RawAnswer.Http(status, body, "Location: /login"));
        await AddAsync("a healthy server", Refusal, RawAnswer.Http(200, """{"groups":[{"group":"workers","slots":2,"free":1,"holders":[]}]}"""));
        await AddAsync("another group", Refusal, RawAnswer.Http(200, """{"groups":[{"group":"idle","slots":1,"free":1,"holders":[]}]}"""));
        await AddAsync("no list of groups", Refusal, RawAnswer.Http(404));
        await AddAsync("a list that is not for us", Refusal, RawAnswer.Http(401));
        await AddAsync("a clock that is behind", RawAnswer.Http(400, """{"kind":"missing_header","value":"no header"}""", "Date: Sun, 01 Mar 2026 12:05:00 GMT"), RawAnswer.Http(404));
        await AddAsync("a clock that is ahead", RawAnswer.Http(400, """{"kind":"missing_header","value":"no header"}""", "Date: Sun, 01 Mar 2026 11:00:00 GMT"), RawAnswer.Http(404));

        await using (var server = new RawServer(Refusal, RawAnswer.Http(404)))
        {
            messages.Hide($"127.0.0.1:{server.Port}", "HOST:PORT");
            Add("no machine id", await Examined.OfAsync(new FleetLockSettings { Url = server.Url }, surroundings: Examined.Nowhere));
            var id = MachineId.Parse("dfd7882acda64c34aca76193c46f5d4e");
            Add("the machine id as the id", await Examined.OfAsync(new FleetLockSettings { Url = server.Url, Id = id.ToString() }, surroundings: Examined.Nowhere with { MachineId = () => (id, "/etc/machine-id") }));
            Add("an endpoint as the URL", await Examined.OfAsync(server.Url + "/v1/pre-reboot"));
            Add("a proxy", await Examined.OfAsync("http://fleet.example", options => options with { Proxy = new Uri(server.Url) }));
        }

        Add("no server", await Examined.OfAsync((string?)null));
        Add("a host that is not there", await Examined.OfAsync("http://no-such-host.invalid"));
        using var unlistened = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        unlistened.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        messages.Hide(unlistened.LocalEndPoint!.ToString()!, "HOST:PORT");
        Add("nobody listens", await Examined.OfAsync($"http://{unlistened.LocalEndPoint}"));

        await using (var silent = new RawServer(RawAnswer.Never))
        {
            var clock = new FakeTimeProvider();
            messages.Hide($"127.0.0.1:{silent.Port}", "HOST:PORT");
            var examination = Examined.OfAsync(silent.Url, options => options with { Timeout = Exchange.FakeTimeout, Clock = clock });
            await silent.Asked;
            clock.Advance(Exchange.FakeTimeout);
            Add("silence", await examination);
        }

        await AddTlsAsync("a good certificate", 90.4);
        await AddTlsAsync("a certificate with few days left", 3.4);
        await AddTlsAsync("an expired certificate", -1);
        await AddTlsAsync("an expired certificate that is not checked", -1, skip: true);
        await AddTlsAsync("a certificate for another name", 30, name: "fleetlock.example");
        await AddTlsAsync("a certificate of another authority", 30, isTrusted: false);
        await using (var plain = new RawServer(_ => RawAnswer.Close, greeting: RawAnswer.Of("HTTP/1.1 400 Bad Request\r\n\r\n").ThenClose()))
        {
            messages.Hide($"127.0.0.1:{plain.Port}", "HOST:PORT");
            Add("https on a port for http", await Examined.OfAsync($"https://127.0.0.1:{plain.Port}"));
        }

        messages.Verify();

        async Task AddAsync(string situation, params RawAnswer[] script)
        {
            await using var server = new RawServer(script);
            messages.Hide($"127.0.0.1:{server.Port}", "HOST:PORT");
            Add(situation, await Examined.OfAsync(server.Url, clock: new FakeTimeProvider(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero))));
        }

        async Task AddTlsAsync(string situation, double untilDays, string name = "127.0.0.1", bool isTrusted = true, bool skip = false)
        {
            using var other = new TestAuthority("Another authority");
            using var certificate = authority.Issue(name, -30, untilDays);
            await using var server = new RawServer(certificate, Refusal, RawAnswer.Http(404));
            messages.Hide($"127.0.0.1:{server.Port}", "HOST:PORT");
            Add(situation, await Examined.OfAsync(server.Url, options => options with { CaCertificates = isTrusted ? authority.Trust : other.Trust, SkipCertificateCheck = skip }));
        }

        void Add(string situation, Examined examined)
        {
            foreach (var check in examined.Checks)
            {
                var finding = $"{(check.Passed ? "passed" : "failed")}: {check.Message}\n{check.Advice}".TrimEnd();
                messages.Add($"{check.Name}, {situation}", ReasonOfSystem.Replace(Varying.Replace(finding, "N"), "…"));
            }
        }
    }
}
