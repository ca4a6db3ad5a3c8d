using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using FleetLock.TestKit;

namespace FleetLock.Core.Tests;

/// <summary>Every secret that a client can have, in every way that it can end: none is in anything that people or logs get to see.</summary>
public sealed class SecretsTests
{
    private const string Token = "t0ken-Secret-1";
    private const string OfAddress = "addr3ss-Secret-2";
    private const string OfCredential = "cr3dential-Secret-3";
    private const string OfProxy = "pr0xy-Secret-4";
    private const string OfHeader = "h3ader-Secret-5";

    private static readonly string[] Secrets =
    [
        Token, OfAddress, OfCredential, OfProxy, OfHeader, Encoded("user:" + OfAddress), Encoded("user:" + OfCredential), Encoded("user:" + OfProxy),
    ];

    // Not https straight to the server: it would wait for the end of a request within the bytes of a handshake.
    private static readonly (string Scheme, bool ThroughProxy)[] Ways = [("http", false), ("http", true), ("https", true)];

    private readonly List<string> _seen = [];

    /// <summary>What answers, be it as the server or as the proxy.</summary>
    public static readonly TheoryData<string, string> Answers = new()
    {
        { "a grant", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" },
        { "pending", "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n" },
        { "a redirect", "HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n" },
        { "a refusal", "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n" },
        { "a proxy's refusal", "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n" },
        { "a proxy's refusal without a challenge", "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n" },
        { "busy", "HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\n\r\n" },
        { "a bad gateway", "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n" },
        { "half a head", "HTTP/1.1 200 OK\r\nContent-" },
        { "garbage", "SSH-2.0-OpenSSH_9.2p1\r\n" },
        { "a close", "" },
    };

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task No_outcome_shows_a_secret(string name, string answer)
    {
        foreach (var (scheme, throughProxy) in Ways)
        {
            await using var server = new RawServer(RawAnswer.Of(answer).ThenClose());
            var proxy = new Uri($"http://user:{OfProxy}@127.0.0.1:{(throughProxy ? server.Port : 1)}");
            await UseAsync($"{scheme}://user:{OfAddress}@127.0.0.1:{server.Port}", options => options with { Proxy = proxy, NoProxy = !throughProxy });
        }

        AssertHidden(name);
    }

    [Fact]
    public async Task No_failure_of_the_way_shows_a_secret()
    {
        using var unlistened = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        unlistened.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        await using var silent = new RawServer(RawAnswer.Never);
#if NET
        using var certificate = TestAuthority.SelfSigned("127.0.0.1");
        await using var untrusted = new RawServer(certificate, RawAnswer.Http(200));
#endif

        await UseAsync($"http://user:{OfAddress}@{unlistened.LocalEndPoint}", options => options with { NoProxy = true });
        await UseAsync($"http://user:{OfAddress}@no-such-host.invalid", options => options with { NoProxy = true });
        await UseAsync($"http://user:{OfAddress}@127.0.0.1:1", options => options with { Proxy = new Uri($"http://user:{OfProxy}@{unlistened.LocalEndPoint}") });
        await UseAsync($"https://user:{OfAddress}@127.0.0.1:1", options => options with { Proxy = new Uri($"http://user:{OfProxy}@no-such-host.invalid") });
        await UseAsync($"http://user:{OfAddress}@127.0.0.1:{silent.Port}", options => options with { NoProxy = true, Timeout = Exchange.ShortTimeout });
#if NET
        await UseAsync($"https://user:{OfAddress}@127.0.0.1:{untrusted.Port}", options => options with { NoProxy = true });
#endif

        AssertHidden("the way");
    }

    [Fact]
    public void No_error_of_input_shows_a_secret()
    {
        See(() => ServerAddress.Parse($"http://user:{OfAddress}@fleet.example?"));
        See(() => ServerAddress.Parse($"user:{OfAddress}@fleet.example"));
        See(() => ServerAddress.Parse($"http+unix://user:{OfAddress}@%2Frun%2Ff"));
        See(() => Create("http://fleet.example", options => options with { Token = Token + "\n" }).Dispose());
        See(() => Create("http://fleet.example", options => options with { Proxy = new Uri($"ftp://user:{OfProxy}@fleet.example") }).Dispose());
        See(() => Create("http://fleet.example", options => options with { Timeout = TimeSpan.Zero }).Dispose());
        foreach (var name in new[] { "Host", "Prefer", "two words", "", "Range", "Content-Type" })
            See(() => Create("http://fleet.example", options => options with { Headers = new Dictionary<string, string> { [name] = OfHeader } }).Dispose());

        AssertHidden("input");
    }

    private static FleetLockClient Create(string url, Func<FleetLockClientOptions, FleetLockClientOptions> change) => new(change(new FleetLockClientOptions
    {
        Server = ServerAddress.Parse(url),
        Timeout = TestTimeout.Hang,
        Headers = new Dictionary<string, string> { ["X-Key"] = OfHeader },
    }));

    private static string Encoded(string plain) => Convert.ToBase64String(Encoding.UTF8.GetBytes(plain));

    /// <summary>Does all that a client can do, with each kind of credentials, and writes down all that comes of it.</summary>
    private async Task UseAsync(string url, Func<FleetLockClientOptions, FleetLockClientOptions> change)
    {
        foreach (var (token, credential) in new (string?, NetworkCredential?)[] { (Token, null), (null, new NetworkCredential("user", OfCredential)), (null, null) })
        {
            FleetLockClientOptions Changed(FleetLockClientOptions options) => change(options with { Token = token, Credential = credential });
            using var client = Create(url, Changed);
            foreach (var operation in Exchange.Operations)
            {
                var result = await client.SendAsync(operation);
                See(result.ToString(), JsonSerializer.Serialize(result), Advice.For(result));
                See(() => result.EnsureSuccess());
            }

            await SeeAsync(() => client.GetGroupsAsync(TestContext.Current.CancellationToken));
            await SeeAsync(() => client.ResizeAsync(Exchange.Group, 1, TestContext.Current.CancellationToken));
            See((await client.ForceReleaseAsync(Exchange.Group, Exchange.Id, "dead", TestContext.Current.CancellationToken)).ToString());
            await SeeAsync(() => client.SendAsync(FleetLockOperation.Lock, new CancellationToken(canceled: true)));
            See(client.Server.ToString(), client.Server.Uri.OriginalString, client.Options.ToString());
        }

        var settings = new FleetLockSettings { Url = url, Token = Token, Group = Exchange.Group, Id = Exchange.Id };
        var examined = await Examined.OfAsync(settings, change);
        See([.. examined.Checks.Select(check => check.ToString()), JsonSerializer.Serialize(examined.Checks)]);
        See([settings.ToString(), .. FleetLockConfiguration.Resolve(settings, Examined.Nowhere).All().SelectMany(setting => new[] { setting.ToString(), setting.Shown ?? "" })]);
    }

    private void See(params string[] texts) => _seen.AddRange(texts);

    private void See(Action action)
    {
        if (Record.Exception(action) is { } e)
            See(e.ToString());
    }

    private async Task SeeAsync(Func<Task> action)
    {
        if (await Record.ExceptionAsync(action) is { } e)
            See(e.ToString());
    }

    private void AssertHidden(string what)
    {
        Assert.NotEmpty(_seen);
        Assert.All(_seen, text => Assert.All(Secrets, secret => Assert.False(text.Contains(secret, StringComparison.OrdinalIgnoreCase), $"{what}: {secret} is in: {text}")));
    }
}
