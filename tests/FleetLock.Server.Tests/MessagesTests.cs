using System.Reflection;
using System.Text.RegularExpressions;
using FleetLock.TestKit;
using Microsoft.Extensions.Logging;

namespace FleetLock.Server.Tests;

/// <summary>The sentences of the server's replies and of its log, as the files in <c>tests/messages</c> have them.</summary>
public sealed class MessagesTests
{
    private const string Resize = "PUT /v1/groups/workers";
    private const string Cancel = $"DELETE /v1/groups/workers/grants/{Sample.Grant}";
    private const string GrantHeader = $"{FleetLockProtocol.GrantHeader}: {Sample.Grant}";
    private const string Free = "DELETE /v1/groups/workers/holders/";

    /// <summary>What .NET's own reader says of a body that is not JSON.</summary>
    private static readonly Regex ReasonOfReader = new("""(?<=not valid JSON: ).*(?=; )|.*(?=; the body takes {"slots")""");

    private static readonly Credential[] Credentials =
    [
        Token("node", Role.Node) with { Ids = ["node"] },
        Token("node-groups", Role.Node) with { Groups = ["others"] },
        Token("node-own", Role.Node) with { OwnIdOnly = true },
        Token("observer", Role.Observer),
    ];

    private readonly MessageFile _replies = new("server-replies");

    [Fact]
    public async Task Replies()
    {
        await AddBadRequestsAsync();
        await AddRefusalsAsync();
        await AddForbiddenAsync();
        await AddOverloadAsync();

        // Their moments are those of other tests: the end of a time limit, and the end of the server.
        Add("a body that does not arrive in time", ErrorReply.BodyTooSlow());
        Add("a lock that waits when the server stops", ErrorReply.ShuttingDown());
        _replies.Verify();
    }

    [Fact]
    public void Log()
    {
        var messages = new MessageFile("server-log");
        var methods = typeof(ServerLog).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.DeclaredOnly));
        foreach (var method in methods)
        {
            if (method.GetCustomAttribute<LoggerMessageAttribute>() is { } logged)
                messages.Add($"{method.Name}, {logged.Level}", logged.Message);
        }

        messages.Verify();
    }

    private async Task AddBadRequestsAsync()
    {
        await using var server = await TestServer.StartAsync(new MemoryStore(), (Sample.Group, 1));

        foreach (var body in BadRequestTests.Bodies.Select(row => row.Data.Item1).Where(body => body.Length < 1000))
        {
            var request = RawClient.Request(TestServer.PreReboot, BadRequestTests.Bytes(body), TestServer.ProtocolHeader);
            await AddAsync($"a lock with the body {Show(body)}", server, request);
        }

        foreach (var group in new[] { "", "my_workers", "others" })
            await AddAsync($"a lock of the group '{group}'", server, TestServer.Request(TestServer.PreReboot, group, "node"));
        foreach (var id in new[] { "", " ", "no\u202Ede", new string('x', 256) })
            await AddAsync($"a lock for the id '{ProtocolRules.Show(id)}'", server, LockRequest(id));

        await AddAsync("a lock without the protocol's header", server, RawClient.Head(TestServer.PreReboot));
        await AddAsync(
            "a lock with another value of the protocol's header",
            server,
            RawClient.Head(TestServer.PreReboot, "fleet-lock-protocol: false"));
        await AddAsync(
            "a lock with the protocol's header twice",
            server,
            RawClient.Head(TestServer.PreReboot, TestServer.ProtocolHeader, TestServer.ProtocolHeader));
        await AddAsync(
            "a lock with two grant ids",
            server,
            RawClient.Request(
                TestServer.PreReboot, WireFormat.WriteRequest(Sample.Group, "node"), TestServer.ProtocolHeader, GrantHeader, GrantHeader));
        await AddAsync(
            "a lock with a long body", server, RawClient.Head(TestServer.PreReboot, TestServer.ProtocolHeader, "Content-Length: 100000"));
        await AddAsync("GET /v1/pre-reboot", server, RawClient.Head("GET /v1/pre-reboot"));
        await AddAsync("GET /index.html", server, RawClient.Head("GET /index.html"));
    }

    private async Task AddRefusalsAsync()
    {
        await using var server = await TestServer.StartAsync(new MemoryStore(), (Sample.Group, 1));
        await server.LockAsync("holder");

        await AddAsync("a lock of a full group", server, LockRequest("node"));
        await AddAsync("GET /v1/groups/others", server, RawClient.Head("GET /v1/groups/others"));
        foreach (var body in GroupsEndpointTests.BadSlots.Select(row => row.Data.Item1))
            await AddAsync($"{Resize} with the body {Show(body)}", server, ResizeRequest(body, TestServer.ProtocolHeader));
        foreach (var holder in new[] { "node?reason=dead", "holder", "holder?reason=a%0Ab", "holder?reason=" + new string('x', 256) })
            await AddAsync(Free + holder, server, RawClient.Head(Free + holder, TestServer.ProtocolHeader));
        foreach (var query in new[] { "?id=a&id=b", "?id=a&reason=undo&reason=undo" })
            await AddAsync(Cancel + query, server, RawClient.Head(Cancel + query, TestServer.ProtocolHeader));
        foreach (var holder in new[] { "holder?id=holder&reason=dead", "holder?reason=dead&reason=gone" })
            await AddAsync(Free + holder, server, RawClient.Head(Free + holder, TestServer.ProtocolHeader));
        await AddAsync(
            "resizing by way of a proxy", server, ResizeRequest("""{"slots":1}""", TestServer.ProtocolHeader, "Forwarded: for=192.0.2.1"));
    }

    private async Task AddForbiddenAsync()
    {
        var options = TestServer.Options(new MemoryStore(), (Sample.Group, 1)) with { Credentials = Credentials };
        await using var server = await TestServer.StartAsync(options);

        await AddAsync("a lock without a token", server, LockRequest("node"));
        await AddAsync(
            "a lock with an unknown token",
            server,
            RawClient.Head(TestServer.PreReboot, TestServer.ProtocolHeader, "Authorization: Bearer stranger"));

        const string Token = "Authorization: Bearer node";
        await AddAsync("a lock with two tokens", server, RawClient.Head(TestServer.PreReboot, TestServer.ProtocolHeader, Token, Token));

        foreach (var name in Credentials.Select(credential => credential.Name))
        {
            string[] headers = [TestServer.ProtocolHeader, "Authorization: Bearer " + name];
            var another = WireFormat.WriteRequest(Sample.Group, "another");
            await AddAsync($"a lock by '{name}'", server, RawClient.Request(TestServer.PreReboot, another, headers));
            await AddAsync($"a list by '{name}'", server, RawClient.Head("GET /v1/groups", headers));
            await AddAsync($"a resize by '{name}'", server, ResizeRequest("""{"slots":1}""", headers));
            await AddAsync($"a forced release by '{name}'", server, RawClient.Head(Free + "holder?reason=test", headers));
        }
    }

    private async Task AddOverloadAsync()
    {
        await using var store = new AwayStore();
        var limits = new ServerLimits { RequestsPerMinutePerAddress = 1 };
        await using var server = await TestServer.StartAsync(TestServer.Options(store, (Sample.Group, 1)) with { Limits = limits });
        store.Way = AwayStore.Failing;

        await AddAsync("a lock while the store is away", server, LockRequest("node"));
        Add("GET /v1/groups/workers while the store is away", ErrorReply.StoreUnavailable());
        await AddAsync("a lock too many", server, LockRequest("node"));
    }

    private async Task AddAsync(string situation, TestServer server, byte[] request)
    {
        var answer = await server.AskAsync(request);
        if (answer.Status == 200)
            return;
        var (kind, value) = Answers.ReadError(answer);
        Add(situation, new ErrorReply(answer.Status, kind, value));
    }

    private void Add(string situation, ErrorReply reply) =>
        _replies.Add(TerminalText.Clean(situation), $"{reply.Status} {reply.Kind}: {ReasonOfReader.Replace(reply.Value, "…")}");

    private static byte[] LockRequest(string id) => TestServer.Request(TestServer.PreReboot, Sample.Group, id);

    private static byte[] ResizeRequest(string body, params string[] headers) =>
        RawClient.Request(Resize, BadRequestTests.Bytes(body), headers);

    private static string Show(string body) => body.Length == 0 ? "(nothing)" : body.Trim().Length == 0 ? "(white space)" : body;

    private static Credential Token(string name, Role role) => new(name, role) { Sha256 = Credential.HashOf(name) };
}
