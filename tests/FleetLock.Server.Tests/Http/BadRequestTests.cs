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

    /// <summary>The body, and what the answer's value says.</summary>
    public static TheoryData<string, string> Bodies => new()
    {
        // Not JSON, or not only JSON.
        { "", "the body is empty" },
        { " \r\n", "not valid JSON" },
        { "id=node&group=workers", "not valid JSON" },
        { "<client_params><id>node</id></client_params>", "not valid JSON" },
        { "\u00EF\u00BB\u00BF" + Good, "not valid JSON" },
        { Good[..^1], "not valid JSON" },
        { Good[..^2], "not valid JSON" },
        { Good[..20], "not valid JSON" },
        { Good + Good, "not valid JSON" },
        { Good + "\n" + Good, "not valid JSON" },
        { Good + "}", "not valid JSON" },
        { Good + "\0", "not valid JSON" },
        { Good + " x", "not valid JSON" },
        { "[" + Good, "is an array, not an object" },
        { "/* */" + Good, "not valid JSON" },
        { Good + "// comment", "not valid JSON" },
        { """{"client_params":{"id":"node","group":"workers",}}""", "not valid JSON" },
        { """{"client_params":{"id":"node" "group":"workers"}}""", "not valid JSON" },
        { """{'client_params':{'id':'node','group':'workers'}}""", "not valid JSON" },
        { """{client_params:{id:"node",group:"workers"}}""", "not valid JSON" },
        { """{"client_params":{"id":"node","group":"workers","x":NaN}}""", "not valid JSON" },
        { """{"client_params":{"id":"node","group":"workers","x":01}}""", "not valid JSON" },
        { "{\"client_params\":{\"id\":\"no\nde\",\"group\":\"workers\"}}", "not valid JSON" },
        { """{"client_params":{"id":"no\xde","group":"workers"}}""", "not valid JSON" },
        { """{"client_params":{"id":"node","group":"workers","x":""" + new string('[', 100) + new string(']', 100) + "}}", "not valid JSON" },
        { new string('[', 10_000), "is an array, not an object" },
        { string.Concat(Enumerable.Repeat("""{"client_params":""", 900)), "not valid JSON" },

        // Not UTF-8.
        { "{\"client_params\":{\"id\":\"node\u00FF\",\"group\":\"workers\"}}", "not valid UTF-8" },
        { "{\"client_params\":{\"id\":\"node\u00C3\",\"group\":\"workers\"}}", "not valid UTF-8" },
        { "{\"client_params\":{\"id\":\"node\u00C0\u0080\",\"group\":\"workers\"}}", "not valid UTF-8" },
        { "{\"client_params\":{\"id\":\"node\u00ED\u00A0\u0080\",\"group\":\"workers\"}}", "not valid UTF-8" },
        { "{\"client_params\":{\"id\":\"node\",\"group\":\"workers\",\"\u0080\":1}}", "not valid UTF-8" },
        { "\u00FF\u00FE{\0}\0", "not valid UTF-8" },

        // Another shape.
        { "null", "'the body' is null, not an object" },
        { "true", "'the body' is a Boolean, not an object" },
        { "0", "'the body' is a number, not an object" },
        { "\"workers\"", "'the body' is a string, not an object" },
        { "[]", "'the body' is an array, not an object" },
        { "[" + Good + "]", "'the body' is an array, not an object" },
        { "{}", "'client_params' is missing" },
        { """{"id":"node","group":"workers"}""", "'client_params' is missing" },
        { """{"Client_Params":{"id":"node","group":"workers"}}""", "'client_params' is missing" },
        { """{"x":{"client_params":{"id":"node","group":"workers"}}}""", "'client_params' is missing" },
        { """{"client_params":null}""", "'client_params' is null, not an object" },
        { """{"client_params":"node"}""", "'client_params' is a string, not an object" },
        { """{"client_params":1}""", "'client_params' is a number, not an object" },
        { """{"client_params":["node","workers"]}""", "'client_params' is an array, not an object" },
        { """{"client_params":{}}""", "'client_params.id' is missing" },
        { """{"client_params":{"group":"workers"}}""", "'client_params.id' is missing" },
        { """{"client_params":{"ID":"node","group":"workers"}}""", "'client_params.id' is missing" },
        { """{"client_params":{"group":"workers"},"id":"node"}""", "'client_params.id' is missing" },
        { """{"client_params":{"x":{"id":"node"},"group":"workers"}}""", "'client_params.id' is missing" },
        { """{"client_params":{"id":"node"}}""", "'client_params.group' is missing" },
        { """{"client_params":{"id":"node","Group":"workers"}}""", "'client_params.group' is missing" },
        { """{"client_params":{"id":null,"group":"workers"}}""", "'client_params.id' is null, not a string" },
        { """{"client_params":{"id":1,"group":"workers"}}""", "'client_params.id' is a number, not a string" },
        { """{"client_params":{"id":true,"group":"workers"}}""", "'client_params.id' is a Boolean, not a string" },
        { """{"client_params":{"id":["node"],"group":"workers"}}""", "'client_params.id' is an array, not a string" },
        { """{"client_params":{"id":{"id":"node"},"group":"workers"}}""", "'client_params.id' is an object, not a string" },
        { """{"client_params":{"id":"node","group":null}}""", "'client_params.group' is null, not a string" },
        { """{"client_params":{"id":"node","group":0}}""", "'client_params.group' is a number, not a string" },
        { """{"client_params":{"id":"node","group":["workers"]}}""", "'client_params.group' is an array, not a string" },

        // A member twice: two readers would understand two different things.
        { """{"client_params":{"id":"node","id":"node","group":"workers"}}""", "'client_params.id' is there twice" },
        { """{"client_params":{"id":"other","group":"workers","id":"node"}}""", "'client_params.id' is there twice" },
        { """{"client_params":{"id":"other","group":"workers","\u0069d":"node"}}""", "'client_params.id' is there twice" },
        { """{"client_params":{"\u0069\u0064":"other","group":"workers","i\u0064":"node"}}""", "'client_params.id' is there twice" },
        { """{"client_params":{"id":"node","group":"other","group":"workers"}}""", "'client_params.group' is there twice" },
        { """{"client_params":{"id":"node","group":"other","gr\u006Fup":"workers"}}""", "'client_params.group' is there twice" },
        { """{"client_params":{"id":"","group":"workers","id":"node"}}""", "'client_params.id' is there twice" },
        { """{"client_params":{"id":"node","group":"workers"},"client_params":{"id":"node","group":"workers"}}""", "'client_params' is there twice" },
        { """{"client_params":{"id":"node","group":"workers"},"client_params":null}""", "'client_params' is there twice" },
        { """{"client_params":{"id":"node","group":"workers"},"client\u005Fparams":{}}""", "'client_params' is there twice" },

        // Half a surrogate pair is no text.
        { """{"client_params":{"id":"node\ud83d","group":"workers"}}""", "'client_params.id' escapes half a surrogate pair" },
        { """{"client_params":{"id":"\ude00node","group":"workers"}}""", "'client_params.id' escapes half a surrogate pair" },
        { """{"client_params":{"id":"\ude00\ud83d","group":"workers"}}""", "'client_params.id' escapes half a surrogate pair" },
        { """{"client_params":{"id":"node","group":"workers\ud83d"}}""", "'client_params.group' escapes half a surrogate pair" },
        { """{"client_params":{"\ud83d":1,"id":"node","group":"workers"}}""", "half a surrogate pair" },
        { """{"client_params":{"id":"node","group":"workers","g\ud83d":1}}""", "half a surrogate pair" },
        { """{"\ud83d_client_params":{},"client_params":{"id":"node","group":"workers"}}""", "half a surrogate pair" },
    };

    /// <summary>The group as JSON has it between its quotes, and what the answer's value says.</summary>
    public static TheoryData<string, string> Groups => new()
    {
        { "", "the group is empty" },
        { " ", "the group '' has a character outside" },
        { "workers ", "the group 'workers' has a character outside" },
        { "my_workers", "the group 'my_workers' has a character outside" },
        { "workers/1", "the group 'workers/1' has a character outside" },
        { "../workers", "the group '../workers' has a character outside" },
        { "workers*", "the group 'workers*' has a character outside" },
        { "workers%20", "the group 'workers%20' has a character outside" },
        { @"workers\n", "the group 'workers' has a character outside" },
        { @"\u0000", "the group '' has a character outside" },
        { @"work\u00E9rs", "the group 'workérs' has a character outside" },
        { @"workers\u0660", "the group 'workers\u0660' has a character outside" },
        { @"\uFF57orkers", "the group '\uFF57orkers' has a character outside" },
        { @"\u001B[31mworkers", "the group '[31mworkers' has a character outside" },
    };

    /// <summary>The id as JSON has it between its quotes, and what the answer's value says.</summary>
    public static TheoryData<string, string> Ids => new()
    {
        { "", "the id is empty; it takes 1 to 255 printable characters" },
        { " ", "has nothing but spaces" },
        { @"\u00A0", "has nothing but spaces" },
        { new string('x', 256), "xxx…' has 256 characters; it takes 1 to 255" },
        { new string('x', 10_000), "has 10000 characters" },
        { @"node\u0000", "the id 'node' has a control or other unprintable character" },
        { @"no\nde", "the id 'no de' has a control" },
        { @"node\r\n", "the id 'node' has a control" },
        { @"no\tde", "the id 'no de' has a control" },
        { @"no\u007Fde", "the id 'no de' has a control" },
        { @"no\u0085de", "the id 'no de' has a control" },
        { @"\u001B[2Jnode", "the id '[2Jnode' has a control" },
        { @"no\u202Ede", "the id 'no de' has a control or other unprintable character" },
        { @"no\u200Bde", "the id 'no de' has a control or other unprintable character" },
        { @"no\u2028de", "the id 'no de' has a control or other unprintable character" },
    };

    /// <summary>The header's lines, and what the answer's value says.</summary>
    public static TheoryData<string[], string> Headers => new()
    {
        { [], "the header 'fleet-lock-protocol: true' is missing" },
        { ["fleet_lock_protocol: true"], "the header 'fleet-lock-protocol: true' is missing" },
        { ["fleet-lock-protocol:"], "the header 'fleet-lock-protocol' is ''; it takes 'true'" },
        { ["fleet-lock-protocol: false"], "is 'false'; it takes 'true'" },
        { ["fleet-lock-protocol: TRUE"], "is 'TRUE'; it takes 'true'" },
        { ["fleet-lock-protocol: 1"], "is '1'; it takes 'true'" },
        { ["fleet-lock-protocol: \"true\""], "is '\"true\"'; it takes 'true'" },
        { ["fleet-lock-protocol: true, true"], "is 'true, true'; it takes 'true'" },
        { ["fleet-lock-protocol: true", "fleet-lock-protocol: true"], "is 'true,true'; it takes 'true'" },
        { ["fleet-lock-protocol: true", "Fleet-Lock-Protocol: false"], "is 'true,false'; it takes 'true'" },
    };

    [Theory]
    [MemberData(nameof(Bodies))]
    public Task A_body_that_is_not_the_protocols_is_refused(string body, string says) => AssertRefusedAsync(body, "invalid_body", says);

    [Theory]
    [MemberData(nameof(Groups))]
    public Task A_group_that_breaks_its_rule_is_refused(string group, string says) =>
        AssertRefusedAsync($$$"""{"client_params":{"id":"node","group":"{{{group}}}"}}""", "invalid_group", says);

    [Theory]
    [MemberData(nameof(Ids))]
    public Task An_id_that_breaks_its_rule_is_refused(string id, string says) =>
        AssertRefusedAsync($$$"""{"client_params":{"id":"{{{id}}}","group":"workers"}}""", "invalid_id", says);

    [Theory]
    [MemberData(nameof(Headers))]
    public async Task A_request_without_the_right_header_is_refused(string[] headers, string says)
    {
        foreach (var (server, line) in servers.Targets)
            AssertRefused(400, "missing_header", says, await server.AskAsync(RawClient.Request(line, Bytes(Good), headers)));
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
            AssertRefused(405, "method_not_allowed", $"'{path}' takes {allowed}, not {method}", answer);
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
    [InlineData("/v1")]
    [InlineData("/v1/")]
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
            AssertRefused(404, "not_found", $"nothing at '{path}'", answer);
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
            AssertRefused(413, "body_too_large", "over 16384 bytes", await server.AskAsync(RawClient.Request(line, body, ProtocolHeader)));
            var head = RawClient.Head(line, ProtocolHeader, "Transfer-Encoding: chunked");
            byte[] chunked = [.. head, .. Bytes($"{length:x}\r\n"), .. body, .. "\r\n0\r\n\r\n"u8];
            AssertRefused(413, "body_too_large", "over 16384 bytes", await server.AskAsync(chunked));
        }

        await servers.AssertUntouchedAsync();
    }

    [Fact]
    public async Task A_body_that_is_announced_as_too_large_is_refused_before_it_is_sent()
    {
        foreach (var (server, line) in servers.Targets)
        {
            var answer = await server.AskAsync(RawClient.Head(line, ProtocolHeader, "Content-Length: 99999999999"));
            AssertRefused(413, "body_too_large", "over 16384 bytes", answer);
        }

        await servers.AssertUntouchedAsync();
    }

    private static byte[] Bytes(string characters) => Encoding.Latin1.GetBytes(characters);

    private async Task AssertRefusedAsync(string body, string kind, string says)
    {
        foreach (var (server, line) in servers.Targets)
        {
            using var client = await RawClient.ConnectAsync(server.Address);
            AssertRefused(400, kind, says, await client.AskAsync(RawClient.Request(line, Bytes(body), ProtocolHeader)));

            // The same connection is good for the next request.
            Assert.Equal(200, (await client.AskAsync(RawClient.Head("GET /healthz"))).Status);
        }

        await servers.AssertUntouchedAsync();
    }
}
