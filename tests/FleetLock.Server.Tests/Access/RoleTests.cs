using System.Text;
using FleetLock.TestKit;
using Microsoft.Extensions.Logging;
using static FleetLock.Server.Tests.Answers;
using static FleetLock.Server.Tests.Sample;

namespace FleetLock.Server.Tests;

/// <summary>Bearer tokens: every role with every operation, and every restriction of a node.</summary>
public sealed class RoleTests : IAsyncDisposable
{
    private const string Other = "others";

    private static readonly Credential[] Rules =
    [
        Token("node", Role.Node),
        Token("node-ids", Role.Node) with { Ids = ["a", "b"] },
        Token("node-groups", Role.Node) with { Groups = [Group] },
        Token("node-own", Role.Node) with { OwnIdOnly = true },
        Token("node-nothing", Role.Node) with { Groups = [] },
        Token("node-all-rules", Role.Node) with { Groups = [Group], Ids = ["a"], OwnIdOnly = true },
        Token("observer", Role.Observer),
        Token("admin", Role.Admin),
    ];

    private readonly CapturedLog _log = new();
    private readonly TestServer _server;

    public RoleTests() => _server = TestServer.StartAsync(Options(Rules)).GetAwaiter().GetResult();

    public static readonly TheoryData<string, string, int> Matrix = new()
    {
        { "node", "lock a workers", 200 },
        { "node", "unlock z others", 200 },
        { "node", "list", 403 },
        { "node", "metrics", 403 },
        { "node", "show", 403 },
        { "node", "resize", 403 },
        { "node", "free", 403 },
        { "node-ids", "lock b workers", 200 },
        { "node-ids", "lock c workers", 403 },
        { "node-ids", "unlock c workers", 403 },
        { "node-ids", "lock A workers", 403 },
        { "node-groups", "lock c workers", 200 },
        { "node-groups", "lock c others", 403 },
        { "node-groups", "unlock c others", 403 },
        { "node-groups", "lock c Workers", 403 },
        { "node-groups", "lock c nobodys", 403 },
        { "node-own", "lock node-own workers", 200 },
        { "node-own", "unlock node-own others", 200 },
        { "node-own", "lock node workers", 403 },
        { "node-own", "unlock holder workers", 403 },
        { "node-nothing", "lock a workers", 403 },
        { "node-all-rules", "lock a workers", 403 },
        { "node-all-rules", "lock node-all-rules workers", 403 },
        { "observer", "list", 200 },
        { "observer", "metrics", 200 },
        { "observer", "show", 200 },
        { "observer", "lock a workers", 403 },
        { "observer", "unlock holder workers", 403 },
        { "observer", "resize", 403 },
        { "observer", "free", 403 },
        { "admin", "lock a workers", 200 },
        { "admin", "unlock a workers", 200 },
        { "admin", "list", 200 },
        { "admin", "metrics", 200 },
        { "admin", "show", 200 },
        { "admin", "resize", 200 },
        { "admin", "free", 200 },
        { "", "lock a workers", 401 },
        { "", "unlock holder workers", 401 },
        { "", "list", 401 },
        { "", "metrics", 401 },
        { "", "show", 401 },
        { "", "resize", 401 },
        { "", "free", 401 },
        { "nobody", "lock a workers", 401 },
        { "nobody", "list", 401 },
        { "nobody", "free", 401 },
    };

    public static readonly TheoryData<string, string, string[]> Reasons = new()
    {
        { "node", "list", ["'node'", "role node"] },
        { "observer", "lock a workers", ["'observer'", "role observer"] },
        { "node-ids", "lock c workers", ["'c'", "'ids'"] },
        { "node-groups", "unlock c others", ["'others'", "'groups'"] },
        { "node-own", "lock c workers", ["'c'", "'ownIdOnly'"] },
        { "observer", "free", ["'observer'", "role observer"] },
    };

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _log.Dispose();
    }

    [Theory]
    [MemberData(nameof(Matrix))]
    public async Task Each_may_do_what_its_role_is_for_and_nothing_else(string name, string operation, int status)
    {
        Assert.Equal(200, (await AskAsync("admin", "lock holder workers")).Status);
        var before = await StateAsync();

        var answer = await AskAsync(name, operation);

        Assert.Equal(status, answer.Status);
        if (status == 200)
            return;
        AssertRefused(status, status == 401 ? "unauthorized" : "forbidden", answer);
        Assert.Equal(status == 401 ? "Bearer" : null, answer.Header("WWW-Authenticate"));
        Assert.Equal(before, await StateAsync());
    }

    [Theory]
    [MemberData(nameof(Reasons))]
    public async Task A_refusal_names_the_rule(string name, string operation, string[] names)
    {
        var answer = await AskAsync(name, operation);

        Assert.All(names, named => AssertRefused(403, "forbidden", named, answer));
    }

    [Theory]
    [InlineData("Bearer")]
    [InlineData("Bearer ")]
    [InlineData("Bearer x")]
    [InlineData("Bearer admin")]
    [InlineData("Negotiate TOKEN")]
    [InlineData("TOKEN")]
    [InlineData("Basic")]
    [InlineData("Basic !!!")]
    [InlineData("Basic TOKEN")]
    [InlineData("Bearer TOKENx")]
    [InlineData("Bearer TOKEN, Bearer TOKEN")]
    public async Task What_is_no_token_of_this_server_is_401(string header) =>
        AssertRefused(401, "unauthorized", await _server.AskAsync(RawClient.Head(
            "GET /v1/groups", "Authorization: " + header.Replace("TOKEN", SecretOf("admin"), StringComparison.Ordinal))));

    [Fact]
    public async Task A_token_that_is_given_twice_is_401() => AssertRefused(
        401,
        "unauthorized",
        "2 times",
        await _server.AskAsync(RawClient.Head("GET /v1/groups", Authorization("admin"), Authorization("admin"))));

    [Fact]
    public async Task The_hash_itself_is_no_token() =>
        AssertRefused(401, "unauthorized", await _server.AskAsync(RawClient.Head("GET /v1/groups", "Authorization: Bearer " + Credential.HashOf(SecretOf("admin")))));

    [Theory]
    [InlineData("Bearer {0}")]
    [InlineData("bearer {0}")]
    public async Task The_schemes_case_does_not_count(string form) =>
        Assert.Equal(200, (await _server.AskAsync(RawClient.Head("GET /v1/groups", "Authorization: " + string.Format(null, form, SecretOf("admin"))))).Status);

    [Theory]
    [InlineData("anyone")]
    [InlineData("")]
    public async Task A_token_may_be_the_password_of_Basic_authentication(string user)
    {
        var basic = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{SecretOf("node")}"));

        Assert.Equal(200, (await _server.AskAsync(LockWith("Authorization: Basic " + basic))).Status);
    }

    [Fact]
    public async Task A_stranger_is_refused_before_the_body_is_read()
    {
        // More than is ever read; and the answer does not wait for it.
        using var client = await RawClient.ConnectAsync(_server.Address);
        await client.SendAsync(RawClient.Head("POST /v1/pre-reboot", TestServer.ProtocolHeader, "Content-Length: 100"));

        AssertRefused(401, "unauthorized", (await client.ReceiveAsync())!);
    }

    [Theory]
    [InlineData("/healthz")]
    [InlineData("/readyz")]
    [InlineData("/openapi.json")]
    public async Task Health_and_description_are_for_everybody(string path) => Assert.Equal(200, (await _server.AskAsync(RawClient.Head("GET " + path))).Status);

    [Fact]
    public async Task Our_own_client_is_granted_or_refused()
    {
        using var node = Client("node-own");
        using var nobody = Client("nobody");
        var token = TestContext.Current.CancellationToken;

        Assert.Equal(FleetLockStatus.Granted, (await node.LockAsync(Group, "node-own", token)).Status);
        var forbidden = await node.LockAsync(Group, "another", token);
        var unauthorized = await nobody.UnlockAsync(Group, "node-own", token);

        Assert.Equal((FleetLockStatus.Refused, "forbidden", 403), (forbidden.Status, forbidden.Kind, forbidden.HttpStatus));
        Assert.Equal((FleetLockStatus.Refused, "unauthorized", 401), (unauthorized.Status, unauthorized.Kind, unauthorized.HttpStatus));
    }

    [Fact]
    public async Task The_log_has_who_asked_and_no_token()
    {
        await AskAsync("admin", "lock holder workers");
        await AskAsync("admin", "free");
        await AskAsync("nobody", "free");
        await _server.DisposeAsync();

        var text = string.Join('\n', _log.Lines.Select(line => line.Text));
        _log.AssertHas(LogLevel.Warning, nameof(ServerLog.ForceReleased), "holder", "admin", "127.0.0.1", "test");
        Assert.All(Rules, rule => Assert.DoesNotContain(SecretOf(rule.Name), text, StringComparison.Ordinal));
        Assert.DoesNotContain(SecretOf("nobody"), text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_ten_thousand_tokens_each_is_its_own()
    {
        var rules = Enumerable.Range(0, 10_000).Select(index => Token($"node{index}", Role.Node) with { OwnIdOnly = true }).ToList();
        await using var server = await TestServer.StartAsync(Options(rules));

        foreach (var index in new[] { 0, 1, 5_000, 9_999 })
        {
            var answer = await server.AskAsync(RawClient.Request("POST /v1/steady-state", WireFormat.WriteRequest(Group, $"node{index}"), TestServer.ProtocolHeader, Authorization($"node{index}")));
            AssertDone(answer);
        }
    }

    private FleetLockServerOptions Options(IReadOnlyList<Credential> rules) => TestServer.Options(new MemoryStore(), (Group, 5), (Other, 5)) with
    {
        Credentials = rules,
        Logging = logging => logging.SetMinimumLevel(LogLevel.Trace).AddProvider(_log),
    };

    private FleetLockClient Client(string name) => new(new FleetLockClientOptions
    {
        Server = ServerAddress.Parse(_server.Address.ToString()),
        Token = SecretOf(name),
        NoProxy = true,
    });

    private async Task<string> StateAsync() => (await _server.AskAsync(RawClient.Head("GET /v1/groups", Authorization("admin")))).Body;

    private Task<RawResponse> AskAsync(string name, string operation)
    {
        string[] headers = name.Length == 0 ? [TestServer.ProtocolHeader] : [TestServer.ProtocolHeader, Authorization(name)];
        return _server.AskAsync(operation.Split(' ') switch
        {
            ["lock", var id, var group] => RawClient.Request(TestServer.PreReboot, WireFormat.WriteRequest(group, id), headers),
            ["unlock", var id, var group] => RawClient.Request(TestServer.SteadyState, WireFormat.WriteRequest(group, id), headers),
            ["list"] => RawClient.Head("GET /v1/groups", headers),
            ["metrics"] => RawClient.Head("GET /metrics", headers),
            ["show"] => RawClient.Head("GET /v1/groups/workers", headers),
            ["resize"] => RawClient.Request("PUT /v1/groups/workers", """{"slots":9}"""u8.ToArray(), headers),
            _ => RawClient.Head("DELETE /v1/groups/workers/holders/holder?reason=test", headers),
        });
    }

    private static byte[] LockWith(string header) => RawClient.Request(TestServer.PreReboot, WireFormat.WriteRequest(Group, "a"), TestServer.ProtocolHeader, header);

    private static string Authorization(string name) => "Authorization: Bearer " + SecretOf(name);

    private static string SecretOf(string name) => $"secret-of-{name}";

    private static Credential Token(string name, Role role) => new(name, role) { Sha256 = Credential.HashOf(SecretOf(name)) };
}
