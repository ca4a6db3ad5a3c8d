using System.Text;
using FleetLock.TestKit;
using static FleetLock.Server.Tests.Answers;
using static FleetLock.Server.Tests.TestServer;

namespace FleetLock.Server.Tests;

/// <summary>
/// Every request that does not keep the rules gets a clear 4xx and touches no slot. Each row is sent as a lock and as an unlock that would
/// change something if it were obeyed. A body's characters are its bytes, so \u00FF is the byte FF.
/// </summary>
public sealed class BadRequestTests(UntouchedServers servers) : IClassFixture<UntouchedServers>
{
    private const string Good = """{"client_params":{"id":"node","group":"workers"}}""";

    /// <summary>The body, and the member that the answer names if it is about one.</summary>
    public static TheoryData<string, string> Bodies => new()
    {
        // Not JSON, or not only JSON.
        { "", "" },
        { " \r\n", "" },
        { "id=node&group=workers", "" },
        { "<client_params><id>node</id></client_params>", "" },
        { "\u00EF\u00BB\u00BF" + Good, "" },
        { Good[..^1], "" },
        { Good[..^2], "" },
        { Good[..20], "" },
        { Good + Good, "" },
        { Good + "\n" + Good, "" },
        { Good + "}", "" },
        { Good + "\0", "" },
        { Good + " x", "" },
        { "[" + Good, "" },
        { "/* */" + Good, "" },
        { Good + "// comment", "" },
        { """{"client_params":{"id":"node","group":"workers",}}""", "" },
        { """{"client_params":{"id":"node" "group":"workers"}}""", "" },
        { """{'client_params':{'id':'node','group':'workers'}}""", "" },
        { """{client_params:{id:"node",group:"workers"}}""", "" },
        { """{"client_params":{"id":"node","group":"workers","x":NaN}}""", "" },
        { """{"client_params":{"id":"node","group":"workers","x":01}}""", "" },
        { "{\"client_params\":{\"id\":\"no\nde\",\"group\":\"workers\"}}", "" },
        { """{"client_params":{"id":"no\xde","group":"workers"}}""", "" },
        { """{"client_params":{"id":"node","group":"workers","x":""" + new string('[', 100) + new string(']', 100) + "}}", "" },
        { new string('[', 10_000), "" },
        { string.Concat(Enumerable.Repeat("""{"client_params":""", 900)), "" },

        // Not UTF-8.
        { "{\"client_params\":{\"id\":\"node\u00FF\",\"group\":\"workers\"}}", "" },
        { "{\"client_params\":{\"id\":\"node\u00C3\",\"group\":\"workers\"}}", "" },
        { "{\"client_params\":{\"id\":\"node\u00C0\u0080\",\"group\":\"workers\"}}", "" },
        { "{\"client_params\":{\"id\":\"node\u00ED\u00A0\u0080\",\"group\":\"workers\"}}", "" },
        { "{\"client_params\":{\"id\":\"node\",\"group\":\"workers\",\"\u0080\":1}}", "" },
        { "\u00FF\u00FE{\0}\0", "" },

        // Another shape.
        { "null", "" },
        { "true", "" },
        { "0", "" },
        { "\"workers\"", "" },
        { "[]", "" },
        { "[" + Good + "]", "" },
        { "{}", "'client_params'" },
        { """{"id":"node","group":"workers"}""", "'client_params'" },
        { """{"Client_Params":{"id":"node","group":"workers"}}""", "'client_params'" },
        { """{"x":{"client_params":{"id":"node","group":"workers"}}}""", "'client_params'" },
        { """{"client_params":null}""", "'client_params'" },
        { """{"client_params":"node"}""", "'client_params'" },
        { """{"client_params":1}""", "'client_params'" },
        { """{"client_params":["node","workers"]}""", "'client_params'" },
        { """{"client_params":{}}""", "'client_params.id'" },
        { """{"client_params":{"group":"workers"}}""", "'client_params.id'" },
        { """{"client_params":{"ID":"node","group":"workers"}}""", "'client_params.id'" },
        { """{"client_params":{"group":"workers"},"id":"node"}""", "'client_params.id'" },
        { """{"client_params":{"x":{"id":"node"},"group":"workers"}}""", "'client_params.id'" },
        { """{"client_params":{"id":"node"}}""", "'client_params.group'" },
        { """{"client_params":{"id":"node","Group":"workers"}}""", "'client_params.group'" },
        { """{"client_params":{"id":null,"group":"workers"}}""", "'client_params.id'" },
        { """{"client_params":{"id":1,"group":"workers"}}""", "'client_params.id'" },
        { """{"client_params":{"id":true,"group":"workers"}}""", "'client_params.id'" },
        { """{"client_params":{"id":["node"],"group":"workers"}}""", "'client_params.id'" },
        { """{"client_params":{"id":{"id":"node"},"group":"workers"}}""", "'client_params.id'" },
        { """{"client_params":{"id":"node","group":null}}""", "'client_params.group'" },
        { """{"client_params":{"id":"node","group":0}}""", "'client_params.group'" },
        { """{"client_params":{"id":"node","group":["workers"]}}""", "'client_params.group'" },

        // A member twice: two readers would understand two different things.
        { """{"client_params":{"id":"node","id":"node","group":"workers"}}""", "'client_params.id'" },
        { """{"client_params":{"id":"other","group":"workers","id":"node"}}""", "'client_params.id'" },
        { """{"client_params":{"id":"other","group":"workers","\u0069d":"node"}}""", "'client_params.id'" },
        { """{"client_params":{"\u0069\u0064":"other","group":"workers","i\u0064":"node"}}""", "'client_params.id'" },
        { """{"client_params":{"id":"node","group":"other","group":"workers"}}""", "'client_params.group'" },
        { """{"client_params":{"id":"node","group":"other","gr\u006Fup":"workers"}}""", "'client_params.group'" },
        { """{"client_params":{"id":"","group":"workers","id":"node"}}""", "'client_params.id'" },
        { """{"client_params":{"id":"node","group":"workers"},"client_params":{"id":"node","group":"workers"}}""", "'client_params'" },
        { """{"client_params":{"id":"node","group":"workers"},"client_params":null}""", "'client_params'" },
        { """{"client_params":{"id":"node","group":"workers"},"client\u005Fparams":{}}""", "'client_params'" },

        // Half a surrogate pair is no text.
        { """{"client_params":{"id":"node\ud83d","group":"workers"}}""", "'client_params.id'" },
        { """{"client_params":{"id":"\ude00node","group":"workers"}}""", "'client_params.id'" },
        { """{"client_params":{"id":"\ude00\ud83d","group":"workers"}}""", "'client_params.id'" },
        { """{"client_params":{"id":"node","group":"workers\ud83d"}}""", "'client_params.group'" },
        { """{"client_params":{"\ud83d":1,"id":"node","group":"workers"}}""", "" },
        { """{"client_params":{"id":"node","group":"workers","g\ud83d":1}}""", "" },
        { """{"\ud83d_client_params":{},"client_params":{"id":"node","group":"workers"}}""", "" },
    };

    /// <summary>The group as JSON has it between its quotes, and how the answer shows it.</summary>
    public static TheoryData<string, string> Groups => new()
    {
        { "", "" },
        { " ", "''" },
        { "workers ", "'workers'" },
        { "my_workers", "'my_workers'" },
        { "workers/1", "'workers/1'" },
        { "../workers", "'../workers'" },
        { "workers*", "'workers*'" },
        { "workers%20", "'workers%20'" },
        { @"workers\n", "'workers'" },
        { @"\u0000", "''" },
        { @"work\u00E9rs", "'workérs'" },
        { @"workers\u0660", "'workers\u0660'" },
        { @"\uFF57orkers", "'\uFF57orkers'" },
        { @"\u001B[31mworkers", "'[31mworkers'" },
    };

    /// <summary>The id as JSON has it between its quotes, and how the answer shows it, or its length.</summary>
    public static TheoryData<string, string> Ids => new()
    {
        { "", "" },
        { " ", "" },
        { @"\u00A0", "" },
        { new string('x', 256), "256" },
        { new string('x', 10_000), "10000" },
        { @"node\u0000", "'node'" },
        { @"no\nde", "'no de'" },
        { @"node\r\n", "'node'" },
        { @"no\tde", "'no de'" },
        { @"no\u007Fde", "'no de'" },
        { @"no\u0085de", "'no de'" },
        { @"\u001B[2Jnode", "'[2Jnode'" },
        { @"no\u202Ede", "'no de'" },
        { @"no\u200Bde", "'no de'" },
        { @"no\u2028de", "'no de'" },
    };

    /// <summary>The header's lines, and how the answer shows them.</summary>
    public static TheoryData<string[], string> Headers => new()
    {
        { [], "'fleet-lock-protocol: true'" },
        { ["fleet_lock_protocol: true"], "'fleet-lock-protocol: true'" },
        { ["fleet-lock-protocol:"], "''" },
        { ["fleet-lock-protocol: false"], "'false'" },
        { ["fleet-lock-protocol: TRUE"], "'TRUE'" },
        { ["fleet-lock-protocol: 1"], "'1'" },
        { ["fleet-lock-protocol: \"true\""], "'\"true\"'" },
        { ["fleet-lock-protocol: true, true"], "'true, true'" },
        { ["fleet-lock-protocol: true", "fleet-lock-protocol: true"], "2 times" },
        { ["fleet-lock-protocol: true", "Fleet-Lock-Protocol: false"], "2 times" },
    };

    [Theory]
    [MemberData(nameof(Bodies))]
    public Task A_body_that_is_not_the_protocols_is_refused(string body, string named) => AssertRefusedAsync(body, "invalid_body", named);

    [Theory]
    [MemberData(nameof(Groups))]
    public Task A_group_that_breaks_its_rule_is_refused(string group, string named) =>
        AssertRefusedAsync($$$"""{"client_params":{"id":"node","group":"{{{group}}}"}}""", "invalid_group", named);

    [Theory]
    [MemberData(nameof(Ids))]
    public Task An_id_that_breaks_its_rule_is_refused(string id, string named) =>
        AssertRefusedAsync($$$"""{"client_params":{"id":"{{{id}}}","group":"workers"}}""", "invalid_id", named);

    [Theory]
    [MemberData(nameof(Headers))]
    public async Task A_request_without_the_right_header_is_refused(string[] headers, string named)
    {
        foreach (var (server, line) in servers.Targets)
            AssertRefused(400, "missing_header", named, await server.AskAsync(RawClient.Request(line, Bytes(Good), headers)));
        await servers.AssertUntouchedAsync();
    }

    [Theory]
    [InlineData("GET", "/v1/pre-reboot", "POST")]
    [InlineData("PUT", "/v1/pre-reboot", "POST")]
    [InlineData("PATCH", "/v1/pre-reboot", "POST")]
    [InlineData("DELETE", "/v1/steady-state", "POST")]
    [InlineData("OPTIONS", "/v1/steady-state", "POST")]
    [InlineData("BREW", "/v1/steady-state", "POST")]
    [InlineData("POST", "/v1/groups", "GET")]
    [InlineData("DELETE", "/v1/groups", "GET")]
    [InlineData("POST", "/healthz", "GET, HEAD")]
    public async Task Another_method_is_refused(string method, string path, string allowed)
    {
        foreach (var (server, _) in servers.Targets)
        {
            var answer = await server.AskAsync(RawClient.Request($"{method} {path}", Bytes(Good), ProtocolHeader));
            AssertRefused(405, "method_not_allowed", $"'{path}'", answer);
            Assert.Equal(allowed, answer.Header("Allow"));
        }

        await servers.AssertUntouchedAsync();
    }

    [Theory]
    [InlineData("/v1/pre-reboot")]
    [InlineData("/v1/steady-state")]
    public async Task HEAD_is_refused_without_a_body(string path)
    {
        using var client = await RawClient.ConnectAsync(servers.Targets[0].Server.Address);
        await client.SendAsync(RawClient.Head("HEAD " + path, ProtocolHeader));

        var answer = await client.ReceiveAsync(hasBody: false);
        Assert.Equal((405, "POST"), (answer!.Status, answer.Header("Allow")));
        Assert.Equal(200, (await client.AskAsync(RawClient.Head("GET /healthz"))).Status);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/v2/pre-reboot")]
    [InlineData("/v1/pre-reboots")]
    [InlineData("/v1/pre-reboot/workers")]
    [InlineData("/v1/pre_reboot")]
    [InlineData("//v1/pre-reboot")]
    [InlineData("/v1//steady-state")]
    [InlineData("/fleetlock/v1/steady-state")]
    [InlineData("/v1/steady-state%2F")]
    [InlineData("/v1/steady-state%0A")]
    [InlineData("/index.html")]
    public async Task Another_path_is_refused(string path)
    {
        foreach (var (server, _) in servers.Targets)
        {
            var answer = await server.AskAsync(RawClient.Request("POST " + path, Bytes(Good), ProtocolHeader));
            AssertRefused(404, "not_found", $"'{path}'", answer);
        }

        await servers.AssertUntouchedAsync();
    }

    [Theory]
    [InlineData((16 * 1024) + 1)]
    [InlineData(64 * 1024)]
    public async Task A_body_over_16_KiB_is_refused(int length)
    {
        var body = Bytes(Good + new string(' ', length - Good.Length));
        foreach (var (server, line) in servers.Targets)
        {
            AssertRefused(413, "body_too_large", "16384", await server.AskAsync(RawClient.Request(line, body, ProtocolHeader)));
            var head = RawClient.Head(line, ProtocolHeader, "Transfer-Encoding: chunked");
            byte[] chunked = [.. head, .. Bytes($"{length:x}\r\n"), .. body, .. "\r\n0\r\n\r\n"u8];
            AssertRefused(413, "body_too_large", "16384", await server.AskAsync(chunked));
        }

        await servers.AssertUntouchedAsync();
    }

    [Fact]
    public async Task A_body_that_is_announced_as_too_large_is_refused_before_it_is_sent()
    {
        foreach (var (server, line) in servers.Targets)
        {
            var answer = await server.AskAsync(RawClient.Head(line, ProtocolHeader, "Content-Length: 99999999999"));
            AssertRefused(413, "body_too_large", "16384", answer);
        }

        await servers.AssertUntouchedAsync();
    }

    internal static byte[] Bytes(string characters) => Encoding.Latin1.GetBytes(characters);

    private async Task AssertRefusedAsync(string body, string kind, string named)
    {
        foreach (var (server, line) in servers.Targets)
        {
            using var client = await RawClient.ConnectAsync(server.Address);
            AssertRefused(400, kind, named, await client.AskAsync(RawClient.Request(line, Bytes(body), ProtocolHeader)));

            // The same connection is good for the next request.
            Assert.Equal(200, (await client.AskAsync(RawClient.Head("GET /healthz"))).Status);
        }

        await servers.AssertUntouchedAsync();
    }
}
