using System.Reflection;
using System.Text.RegularExpressions;
using FleetLock.TestKit;
using Microsoft.Extensions.Logging;

namespace FleetLock.Server.Tests;

/// <summary>The sentences of the server's replies and of its log, as the files in <c>tests/messages</c> have them.</summary>
public sealed class MessagesTests
{
    private static readonly byte[] OneSlot = """{"slots":1}"""u8.ToArray();

    [Fact]
    public async Task Replies()
    {
        var messages = new MessageFile("server-replies");
        await using (var server = await TestServer.StartAsync(new MemoryStore(), (Sample.Group, 1)))
        {
            foreach (var body in BadRequestTests.Bodies.Select(row => row.Data.Item1).Where(body => body.Length < 1000))
                await AddAsync(messages, server, $"a lock with the body {(body.Trim().Length == 0 ? "(nothing)" : body)}", RawClient.Request(TestServer.PreReboot, BadRequestTests.Bytes(body), TestServer.ProtocolHeader));
            foreach (var group in new[] { "", "my_workers", "others" })
                await AddAsync(messages, server, $"a lock of the group '{group}'", TestServer.Request(TestServer.PreReboot, group, "node"));
            foreach (var id in new[] { "", " ", "no\u202Ede", new string('x', 256) })
                await AddAsync(messages, server, $"a lock for the id '{ProtocolRules.Show(id)}'", TestServer.Request(TestServer.PreReboot, Sample.Group, id));
            await AddAsync(messages, server, "a lock without the protocol's header", RawClient.Head(TestServer.PreReboot));
            await AddAsync(messages, server, "a lock with another value of the protocol's header", RawClient.Head(TestServer.PreReboot, "fleet-lock-protocol: false"));
            await AddAsync(messages, server, "a lock with a long body", RawClient.Head(TestServer.PreReboot, TestServer.ProtocolHeader, "Content-Length: 100000"));
            await AddAsync(messages, server, "GET /v1/pre-reboot", RawClient.Head("GET /v1/pre-reboot"));
            await AddAsync(messages, server, "GET /index.html", RawClient.Head("GET /index.html"));
            await server.LockAsync("holder");
            await AddAsync(messages, server, "a lock of a full group", TestServer.Request(TestServer.PreReboot, Sample.Group, "node"));
            await AddAsync(messages, server, "GET /v1/groups/others", RawClient.Head("GET /v1/groups/others"));
            foreach (var body in GroupsEndpointTests.BadSlots.Select(row => row.Data.Item1))
                await AddAsync(messages, server, $"PUT /v1/groups/workers with the body {(body.Length == 0 ? "(nothing)" : body)}", RawClient.Request("PUT /v1/groups/workers", BadRequestTests.Bytes(body), TestServer.ProtocolHeader));
            foreach (var query in new[] { "node?reason=dead", "holder", "holder?reason=%20", "holder?reason=a%0Ab", "holder?reason=" + new string('x', 256) })
                await AddAsync(messages, server, $"DELETE /v1/groups/workers/holders/{query}", RawClient.Head("DELETE /v1/groups/workers/holders/" + query, TestServer.ProtocolHeader));
            await AddAsync(messages, server, "resizing by way of a proxy", RawClient.Request("PUT /v1/groups/workers", OneSlot, TestServer.ProtocolHeader, "Forwarded: for=192.0.2.1"));
        }

        await using (var server = await TestServer.StartAsync(TestServer.Options(new MemoryStore(), (Sample.Group, 1)) with { Credentials = Credentials }))
        {
            await AddAsync(messages, server, "a lock without a token", TestServer.Request(TestServer.PreReboot, Sample.Group, "node"));
            await AddAsync(messages, server, "a lock with an unknown token", RawClient.Head(TestServer.PreReboot, TestServer.ProtocolHeader, "Authorization: Bearer stranger"));
            foreach (var name in Credentials.Select(credential => credential.Name))
            {
                string[] headers = [TestServer.ProtocolHeader, "Authorization: Bearer " + name];
                await AddAsync(messages, server, $"a lock by '{name}'", RawClient.Request(TestServer.PreReboot, WireFormat.WriteRequest(Sample.Group, "another"), headers));
                await AddAsync(messages, server, $"a list by '{name}'", RawClient.Head("GET /v1/groups", headers));
                await AddAsync(messages, server, $"a resize by '{name}'", RawClient.Request("PUT /v1/groups/workers", OneSlot, headers));
                await AddAsync(messages, server, $"a forced release by '{name}'", RawClient.Head("DELETE /v1/groups/workers/holders/holder?reason=test", headers));
            }
        }

        await using var store = new AwayStore();
        await using (var server = await TestServer.StartAsync(TestServer.Options(store, (Sample.Group, 1)) with { Limits = new ServerLimits { RequestsPerMinutePerAddress = 1 } }))
        {
            store.Way = AwayStore.Failing;
            await AddAsync(messages, server, "a lock while the store is away", TestServer.Request(TestServer.PreReboot, Sample.Group, "node"));
            await AddAsync(messages, server, "a lock too many", TestServer.Request(TestServer.PreReboot, Sample.Group, "node"));
        }

        // Their moments are those of other tests: the end of a time limit, and the end of the server.
        Add(messages, "a body that does not arrive in time", ErrorReply.BodyTooSlow());
        Add(messages, "a lock that waits when the server stops", ErrorReply.ShuttingDown());
        messages.Verify();
    }

    [Fact]
    public void Log()
    {
        var messages = new MessageFile("server-log");
        foreach (var method in typeof(ServerLog).Assembly.GetTypes().SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)))
        {
            if (method.GetCustomAttribute<LoggerMessageAttribute>() is { } logged)
                messages.Add($"{method.Name}, {logged.Level}", logged.Message);
        }

        messages.Verify();
    }

    private static Credential[] Credentials =>
    [
        Token("node", Role.Node) with { Ids = ["node"] },
        Token("node-groups", Role.Node) with { Groups = ["others"] },
        Token("node-own", Role.Node) with { OwnIdOnly = true },
        Token("observer", Role.Observer),
    ];

    private static Credential Token(string name, Role role) => new(name, role) { Sha256 = Credential.HashOf(name) };

    private static async Task AddAsync(MessageFile messages, TestServer server, string situation, byte[] request)
    {
        var answer = await server.AskAsync(request);
        if (answer.Status == 200)
            return;
        var (kind, value) = Answers.ReadError(answer);
        Add(messages, situation, new ErrorReply(answer.Status, kind, value));
    }

    /// <summary>What .NET's own reader says of a body that is not JSON is left out.</summary>
    private static void Add(MessageFile messages, string situation, ErrorReply reply) =>
        messages.Add(TerminalText.Clean(situation), $"{reply.Status} {reply.Kind}: {Regex.Replace(reply.Value, "(?<=not valid JSON: ).*(?=; )|.*(?=; the body takes {\"slots\")", "…")}");
}
