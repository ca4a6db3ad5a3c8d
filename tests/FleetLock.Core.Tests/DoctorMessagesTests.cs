using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using FleetLock.TestKit;
using Microsoft.Extensions.Time.Testing;

namespace FleetLock.Core.Tests;

/// <summary>The doctor's findings and advice, as a file in <c>tests/messages</c> has them.</summary>
public sealed class DoctorMessagesTests : IDisposable
{
    private const string Refused = """{"kind":"missing_header","value":"the fleet-lock-protocol header is missing"}""";

    private static readonly RawAnswer Refusal = RawAnswer.Http(400, Refused);
    private static readonly RawAnswer NoList = RawAnswer.Http(404);

    /// <summary>Times, and versions of TLS.</summary>
    private static readonly Regex Varying = new(@"(?<=after )[\d.]+(?= ms)|(?<=Tls1)[23]");

    /// <summary>What the operating system and .NET say, each in its own words.</summary>
    private static readonly Regex ReasonOfSystem = new("(?<=is not found: ).*|(?<=no TLS with [^ ]*: ).*");

    private readonly MessageFile _messages = new("doctor");
    private readonly TestAuthority _authority = new();

    public void Dispose() => _authority.Dispose();

    [Fact]
    public async Task Findings()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The findings about certificates are those of OpenSSL.");
        _messages.Hide(new SocketException((int)SocketError.ConnectionRefused).Message, "{connection refused}");

        await AddAnswersAsync();
        await AddSettingsAsync();
        await AddNetworkAsync();
        await AddTlsAsync("a good certificate", 90.4);
        await AddTlsAsync("a certificate with few days left", 3.4);
        await AddTlsAsync("an expired certificate", -1);
        await AddTlsAsync("an expired certificate that is not checked", -1, options => options with { SkipCertificateCheck = true });
        await AddTlsAsync("a certificate for another name", 30, name: "fleetlock.example");
        _messages.Verify();
    }

    private async Task AddAnswersAsync()
    {
        foreach (var (status, body) in FleetLockDoctorTests.Others.Select(row => row.Data))
            await AddAsync($"{status} {body}", RawAnswer.Http(status, body, "Location: /login"));

        await AddAsync("a healthy server", Refusal, List("workers"));
        await AddAsync("another group", Refusal, List("idle"));
        await AddAsync("a store that waits to be confirmed", Refusal, List("workers", ""","storeRestored":true"""));
        await AddAsync("no list of groups", Refusal, NoList);
        await AddAsync("a list that is not for us", Refusal, RawAnswer.Http(401));
        await AddAsync("credentials that are not accepted", Refusal, RawAnswer.Http(401, """{"kind":"unauthorized","value":"no"}"""));
        await AddAsync("credentials of a node", Refusal, RawAnswer.Http(403, """{"kind":"forbidden","value":"no"}"""));
        await AddAsync("a clock that is behind", RawAnswer.Http(400, Refused, "Date: Sun, 01 Mar 2026 12:05:00 GMT"), NoList);
        await AddAsync("a clock that is ahead", RawAnswer.Http(400, Refused, "Date: Sun, 01 Mar 2026 11:00:00 GMT"), NoList);

        static RawAnswer List(string group, string rest = "") =>
            RawAnswer.Http(200, $$"""{"groups":[{"group":"{{group}}","slots":2,"free":1,"holders":[]{{rest}}}]}""");
    }

    private async Task AddSettingsAsync()
    {
        await using var server = Start(Refusal, NoList);
        var id = MachineId.Parse("dfd7882acda64c34aca76193c46f5d4e");
        var known = Examined.Nowhere with { MachineId = () => (id, "/etc/machine-id") };

        Add("no server", await Examined.OfAsync((string?)null));
        Add("no machine id", await Examined.OfAsync(new FleetLockSettings { Url = server.Url }));
        Add(
            "the machine id as the id",
            await Examined.OfAsync(new FleetLockSettings { Url = server.Url, Id = id.ToString() }, surroundings: known));
        Add("an endpoint as the URL", await Examined.OfAsync(server.Url + "/v1/pre-reboot"));
        Add("a proxy", await Examined.OfAsync("http://fleet.example", options => options with { Proxy = new Uri(server.Url) }));
    }

    private async Task AddNetworkAsync()
    {
        Add("a host that is not there", await Examined.OfAsync("http://no-such-host.invalid"));

        using var unlistened = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        unlistened.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _messages.Hide(unlistened.LocalEndPoint!.ToString()!, "HOST:PORT");
        Add("nobody listens", await Examined.OfAsync($"http://{unlistened.LocalEndPoint}"));

        await using var silent = Start(RawAnswer.Never);
        var clock = new FakeTimeProvider();
        var examination = Examined.OfAsync(silent.Url, options => options with { Timeout = Exchange.FakeTimeout, Clock = clock });
        await silent.Asked;
        clock.Advance(Exchange.FakeTimeout);
        Add("silence", await examination);

        await using var plain = new RawServer(_ => RawAnswer.Close, greeting: RawAnswer.Of("HTTP/1.1 400 Bad Request\r\n\r\n").ThenClose());
        _messages.Hide($"127.0.0.1:{plain.Port}", "HOST:PORT");
        Add("https on a port for http", await Examined.OfAsync($"https://127.0.0.1:{plain.Port}"));
    }

    private async Task AddTlsAsync(
        string situation, double untilDays, Func<FleetLockClientOptions, FleetLockClientOptions>? change = null, string name = "127.0.0.1")
    {
        using var certificate = _authority.Issue(name, -30, untilDays);
        await using var server = new RawServer(certificate, Refusal, NoList);
        _messages.Hide($"127.0.0.1:{server.Port}", "HOST:PORT");
        Add(situation, await Examined.OfAsync(
            server.Url,
            options => (change ?? (same => same))(options with { CaCertificates = _authority.Trust })));
    }

    private async Task AddAsync(string situation, params RawAnswer[] script)
    {
        await using var server = Start(script);
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
        Add(situation, await Examined.OfAsync(server.Url, clock: clock));
    }

    private RawServer Start(params RawAnswer[] script)
    {
        var server = new RawServer(script);
        _messages.Hide($"127.0.0.1:{server.Port}", "HOST:PORT");
        return server;
    }

    private void Add(string situation, Examined examined)
    {
        foreach (var check in examined.Checks)
        {
            var finding = $"{(check.Passed ? "passed" : "failed")}: {check.Message}\n{check.Advice}";
            _messages.Add($"{check.Name}, {situation}", ReasonOfSystem.Replace(Varying.Replace(finding, "N"), "…"));
        }
    }
}
