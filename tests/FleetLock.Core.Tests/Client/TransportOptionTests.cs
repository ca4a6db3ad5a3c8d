using System.Net;
using System.Net.Sockets;
using System.Text;
using FleetLock.TestKit;

namespace FleetLock.Core.Tests;

/// <summary>Credentials, headers, the proxy and Unix sockets, as they come over the wire.</summary>
public sealed class TransportOptionTests
{
    private const string Secret = "s3cr3t";

    /// <summary>Headers that cannot be set, or not to this. The value must not be in the message.</summary>
    public static readonly TheoryData<string, string> RefusedHeaders = new()
    {
        { "fleet-lock-protocol", Secret },
        { "Fleet-Lock-Protocol", Secret },
        { "Authorization", Secret },
        { "Connection", Secret },
        { "Content-Length", Secret },
        { "Content-Type", Secret },
        { "Expect", Secret },
        { "Host", Secret },
        { "Prefer", Secret },
        { "Proxy-Authorization", Secret },
        { "TE", Secret },
        { "Trailer", Secret },
        { "Transfer-Encoding", Secret },
        { "Upgrade", Secret },
        { "Expires", Secret },
        { "Last-Modified", Secret },
        { "", Secret },
        { " ", Secret },
        { "two words", Secret },
        { "colon:", Secret },
        { "größe", Secret },
        { "X-Line", Secret + "\r\nX-Smuggled: true" },
        { "X-NUL", Secret + "\0" },
        { "X-Escape", "\u001b" + Secret },
        { "X-Not-ASCII", Secret + "ü" },
        { "X-Not-Latin", Secret + "サ" },
        { "If-Modified-Since", Secret },
        { "Max-Forwards", Secret },
        { "Range", Secret },
        { "User-Agent", Secret + "(" },
    };

    public static readonly TheoryData<string> RefusedTokens = ["", " ", "s3cr3t token", "s3cr3t\r\nX-Smuggled: true", "s3cr3t\0", "s3cr3tü"];

    public static readonly TheoryData<string> RefusedProxies = ["ftp://user:s3cr3t@127.0.0.1:1", "file:///s3cr3t", "/s3cr3t"];

    public static readonly TheoryData<string> RefusedSockets =
    [
        "http+unix://",
        "http+unix:///run/fleetlock.sock",
        "http+unix://run%2Ffleetlock.sock",
        "http+unix://%2Frun%2Ff.sock?a=b",
        "http+unix://%2Frun%2Ff.sock#top",
        "http+unix://user:s3cr3t@%2Frun%2Ff.sock",
        "http+unix://%2F" + "a_name_that_is_longer_than_what_any_system_takes_as_the_path_of_a_socket_a_name_that_is_longer_than_what_any_system_takes",
    ];

    [Fact]
    public async Task A_token_is_a_bearer_token() => Assert.Equal("Bearer a.b-c", await AuthorizationOfAsync("", options => options with { Token = "a.b-c" }));

    [Fact]
    public async Task A_credential_is_Basic() =>
        Assert.Equal(Basic("user:pass:wörd"), await AuthorizationOfAsync("", options => options with { Credential = new NetworkCredential("user", "pass:wörd") }));

    [Fact]
    public async Task A_token_goes_before_a_credential_and_both_before_the_address()
    {
        var credential = new NetworkCredential("user", "password");

        Assert.Equal("Bearer token", await AuthorizationOfAsync("a:b@", options => options with { Token = "token", Credential = credential }));
        Assert.Equal("Bearer token", await AuthorizationOfAsync("a:b@", options => options with { Token = "token" }));
        Assert.Equal(Basic("user:password"), await AuthorizationOfAsync("a:b@", options => options with { Credential = credential }));
        Assert.Equal(Basic("a:b"), await AuthorizationOfAsync("a:b@", options => options));
    }

    [Theory]
    [MemberData(nameof(RefusedTokens))]
    public void A_token_that_no_header_can_carry_is_refused_and_not_shown(string token) =>
        AssertHidden("token", Assert.Throws<FleetLockInputException>(() => Create("http://127.0.0.1:1", options => options with { Token = token })));

    [Fact]
    public async Task Headers_are_sent_with_each_request()
    {
        await using var server = new RawServer(RawAnswer.Http(200), RawAnswer.Http(200), RawAnswer.Http(404));
        using var client = Create(server.Url, options => options with { Headers = new Dictionary<string, string> { ["X-Fleet"] = "a b", ["Cookie"] = "c=d", ["Accept"] = "text/plain" } });

        await client.SendAsync(FleetLockOperation.Lock);
        await client.SendAsync(FleetLockOperation.Unlock);
        await Assert.ThrowsAsync<FleetGroupsException>(() => client.GetGroupsAsync(TestContext.Current.CancellationToken));

        Assert.Equal(3, server.Requests.Count);
        Assert.All(server.Requests, request => Assert.Equal(("a b", "c=d", "text/plain"), (request.Header("X-Fleet"), request.Header("Cookie"), request.Header("Accept"))));
    }

    [Theory]
    [MemberData(nameof(RefusedHeaders))]
    public void A_header_that_cannot_be_set_is_refused_and_its_value_not_shown(string name, string value) =>
        AssertHidden("header", Assert.Throws<FleetLockInputException>(() => Create("http://127.0.0.1:1", options => options with { Headers = new Dictionary<string, string> { [name] = value } })));

    [Fact]
    public async Task A_proxys_user_and_password_are_for_the_proxy()
    {
        await using var proxy = new RawServer(RawAnswer.Http(407, "", "Proxy-Authenticate: Basic realm=\"x\""), RawAnswer.Http(200));
        using var client = Create("http://fleetlock.example", options => options with { Proxy = new Uri($"http://us%2Fer:s3cr3t@127.0.0.1:{proxy.Port}"), Token = "token" });

        var result = await client.SendAsync(FleetLockOperation.Lock);

        Assert.Equal(FleetLockStatus.Granted, result.Status);
        Assert.All(proxy.Requests, request => Assert.Equal("POST http://fleetlock.example/v1/pre-reboot HTTP/1.1", request.Line));
        Assert.Equal(Basic("us/er:s3cr3t"), proxy.Requests[1].Header("Proxy-Authorization"));
        Assert.Equal("Bearer token", proxy.Requests[1].Header("Authorization"));
    }

    [Fact]
    public async Task Without_a_proxy_the_server_never_sees_the_proxys_password()
    {
        await using var server = new RawServer(RawAnswer.Http(407, "", "Proxy-Authenticate: Basic realm=\"x\""), RawAnswer.Http(401, "", "WWW-Authenticate: Basic realm=\"x\""));
        using var client = Create(server.Url, options => options with { Proxy = new Uri("http://user:s3cr3t@127.0.0.1:1"), NoProxy = true });

        await client.SendAsync(FleetLockOperation.Lock);
        await client.SendAsync(FleetLockOperation.Lock);

        Assert.Equal(2, server.Requests.Count);
        Assert.All(server.Requests, request => Assert.Null(request.Header("Proxy-Authorization") ?? request.Header("Authorization")));
        Assert.Equal("POST /v1/pre-reboot HTTP/1.1", server.Requests[0].Line);
    }

    [Theory]
    [MemberData(nameof(RefusedProxies))]
    public void A_proxy_of_another_kind_is_refused_and_its_password_not_shown(string proxy) =>
        AssertHidden("proxy", Assert.Throws<FleetLockInputException>(() => Create("http://127.0.0.1:1", options => options with { Proxy = new Uri(proxy, UriKind.RelativeOrAbsolute) })));

#if NET
    [Theory]
    [InlineData("", "/v1/pre-reboot")]
    [InlineData("/", "/v1/pre-reboot")]
    [InlineData("/base/", "/base/v1/pre-reboot")]
    public async Task A_Unix_socket_is_reached_by_its_path(string path, string expected)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Unix only.");
        using var directory = new TemporaryDirectory();
        var address = "http+unix://" + Uri.EscapeDataString(directory.File("s"));
        await using var server = new RawServer(_ => RawAnswer.Http(200), at: new UnixDomainSocketEndPoint(directory.File("s")));
        using var client = Create(address + path, options => options with { Proxy = new Uri("http://127.0.0.1:1") });

        var result = await client.SendAsync(FleetLockOperation.Lock);

        Assert.Equal(FleetLockStatus.Granted, result.Status);
        Assert.Equal((address + path).TrimEnd('/'), result.Server);
        Assert.Equal(result.Server, client.Server.ToString());
        var request = Assert.Single(server.Requests);
        Assert.Equal($"POST {expected} HTTP/1.1", request.Line);
        Assert.Equal("localhost", request.Header("Host"));
    }
#endif

    [Fact]
    public async Task A_Unix_socket_that_is_not_there_is_unreachable()
    {
        using var client = Create("http+unix://%2Fnowhere%2Fs", options => options);

        var result = await client.SendAsync(FleetLockOperation.Lock);

        Assert.Equal(FleetLockStatus.Unreachable, result.Status);
        Assert.Contains("/nowhere/s", result.Message, StringComparison.Ordinal);
        Assert.False(result.OutcomeUnknown);
    }

    [Theory]
    [MemberData(nameof(RefusedSockets))]
    public void A_bad_form_of_a_Unix_socket_is_refused(string address) => AssertHidden("url", Assert.Throws<FleetLockInputException>(() => ServerAddress.Parse(address)));

    [Fact]
    public void Neither_options_nor_settings_show_a_secret()
    {
        var options = new FleetLockClientOptions
        {
            Server = ServerAddress.Parse($"https://user:{Secret}@fleet.example"),
            Token = Secret,
            Credential = new NetworkCredential("user", Secret),
            Proxy = new Uri($"http://user:{Secret}@127.0.0.1:1"),
            Headers = new Dictionary<string, string> { ["X-Key"] = Secret },
        };

        Assert.DoesNotContain(Secret, options.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, new FleetLockSettings { Token = Secret, Url = $"https://user:{Secret}@fleet.example" }.ToString(), StringComparison.Ordinal);
    }

    private static FleetLockClient Create(string url, Func<FleetLockClientOptions, FleetLockClientOptions> change) =>
        new(change(new FleetLockClientOptions { Server = ServerAddress.Parse(url), Timeout = TestTimeout.Hang }));

    private static async Task<string?> AuthorizationOfAsync(string userInformation, Func<FleetLockClientOptions, FleetLockClientOptions> change)
    {
        await using var server = new RawServer(RawAnswer.Http(200));
        using var client = Create($"http://{userInformation}127.0.0.1:{server.Port}", change);
        await client.SendAsync(FleetLockOperation.Lock);
        return Assert.Single(server.Requests).Header("Authorization");
    }

    private static string Basic(string plain) => "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(plain));

    private static void AssertHidden(string setting, FleetLockInputException fault)
    {
        Assert.Equal(setting, fault.Setting);
        Assert.DoesNotContain(Secret, fault.ToString(), StringComparison.Ordinal);
        Assert.True(TerminalText.IsPrintable(fault.Message));
    }
}
