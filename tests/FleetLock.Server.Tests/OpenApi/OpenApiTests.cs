using System.Reflection;
using System.Text.Json;
using FleetLock.TestKit;
using Microsoft.AspNetCore.Routing;
using static FleetLock.Server.Tests.Sample;
using static FleetLock.Server.Tests.TestServer;

namespace FleetLock.Server.Tests;

/// <summary>The description and the server say the same.</summary>
public sealed class OpenApiTests : IAsyncLifetime
{
    private readonly AwayStore _store = new();
    private TestServer _server = null!;
    private OpenApiDescription _description = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await StartAsync(_store, (Group, 1));
        _description = await OpenApiDescription.OfAsync(_server);
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public void It_has_the_assemblys_version()
    {
        Assert.Equal("3.1.0", _description.Root.GetProperty("openapi").GetString());
        Assert.Equal(ServerVersion.Text, _description.Root.GetProperty("info").GetProperty("version").GetString());
    }

    [Fact]
    public async Task It_describes_what_is_routed_and_nothing_else()
    {
        await using var server = await FleetLockServer.StartAsync(Options(new MemoryStore(), (Group, 1)), TestContext.Current.CancellationToken);
        var routed = server.Endpoints.Cast<RouteEndpoint>().SelectMany(endpoint =>
            endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()!.HttpMethods.Select(method => $"{method} {endpoint.RoutePattern.RawText}"));

        Assert.Equal(routed.Order(), _description.Operations.Select(operation => $"{operation.Method.ToUpperInvariant()} {operation.Path}").Order());
    }

    [Fact]
    public void It_has_every_kind_that_the_server_gives_and_no_other()
    {
        var kinds = typeof(ErrorKinds).GetFields().Select(field => (string)field.GetRawConstantValue()!)
            .Except([ErrorKinds.ClientFailedRequest, ErrorKinds.ClientRunHeld, ErrorKinds.ClientGrantKept, ErrorKinds.GenericHttpPrefix, ErrorKinds.GenericValue]);

        Assert.Equal(kinds.Order(), Schema("Error").GetProperty("properties").GetProperty("kind").GetProperty("enum").EnumerateArray().Select(kind => kind.GetString()!).Order());
    }

    /// <summary>Each refusal that the server can make is an example under its status code, but those of requests to nowhere.</summary>
    [Fact]
    public void Every_refusal_is_described_under_its_status()
    {
        var refusals = typeof(ErrorReply).GetMethods(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public)
            .Where(method => method.ReturnType == typeof(ErrorReply))
            .Select(method => (ErrorReply)method.Invoke(null, [.. method.GetParameters().Select(parameter => parameter.ParameterType == typeof(string) ? "x" : Activator.CreateInstance(parameter.ParameterType))])!)
            .Where(refusal => refusal.Kind is not (ErrorKinds.NotFound or ErrorKinds.MethodNotAllowed))
            .ToList();
        var described = _description.Operations
            .SelectMany(operation => operation.Operation.GetProperty("responses").EnumerateObject())
            .SelectMany(response => Examples(_description.Follow(response.Value)).Select(example => (Status: response.Name, example.Value)))
            .Where(example => example.Value.ValueKind == JsonValueKind.Object && example.Value.TryGetProperty("kind", out _))
            .Select(example => $"{example.Status} {example.Value.GetProperty("kind")}")
            .ToHashSet();

        Assert.True(refusals.Count > 10);
        Assert.All(refusals, refusal => Assert.Contains($"{refusal.Status} {refusal.Kind}", described));
    }

    [Fact]
    public void Every_example_keeps_its_schema()
    {
        var bodies = _description.Operations
            .SelectMany(operation => operation.Operation.GetProperty("responses").EnumerateObject().Select(response => response.Value)
                .Concat(operation.Operation.TryGetProperty("requestBody", out var request) ? [request] : []))
            .SelectMany(body => Examples(_description.Follow(body)))
            .ToList();
        var parameters = _description.Root.GetProperty("components").GetProperty("parameters").EnumerateObject()
            .Select(parameter => (Schema: parameter.Value.GetProperty("schema"), Value: parameter.Value.GetProperty("example")));

        Assert.True(bodies.Count > 30);
        Assert.All(bodies.Concat(parameters), example => Assert.Empty(_description.Faults(example.Schema, example.Value)));
    }

    [Fact]
    public void Every_reference_leads_somewhere_and_nothing_is_left_over()
    {
        var used = References(_description.Root).ToHashSet();
        var components = _description.Root.GetProperty("components");

        Assert.All(used, reference => Assert.True(components.GetProperty(reference.Split('/')[2]).TryGetProperty(reference.Split('/')[3], out _), reference));
        foreach (var kind in (string[])["headers", "parameters", "responses", "schemas"])
            Assert.All(components.GetProperty(kind).EnumerateObject(), component => Assert.Contains($"#/components/{kind}/{component.Name}", used));
    }

    [Fact]
    public void Every_parameter_of_a_path_is_described() => Assert.All(_description.Root.GetProperty("paths").EnumerateObject(), path =>
    {
        var named = path.Name.Split('/').Where(segment => segment.StartsWith('{')).Select(segment => segment.Trim('{', '}'));
        var described = path.Value.TryGetProperty("parameters", out var parameters)
            ? parameters.EnumerateArray().Select(_description.Follow).Where(parameter => parameter.GetProperty("in").GetString() == "path").Select(parameter => parameter.GetProperty("name").GetString()!)
            : [];
        Assert.Equal(named, described);
    });

    /// <summary>What the server really answers keeps the schema of that answer.</summary>
    [Fact]
    public async Task Real_answers_are_as_described()
    {
        AssertDescribed("/v1/pre-reboot", "post", await _server.LockAsync("a"));
        AssertDescribed("/v1/pre-reboot", "post", await _server.LockAsync("b"));
        AssertDescribed("/v1/pre-reboot", "post", await _server.LockAsync("b", "nowhere"));
        AssertDescribed("/v1/steady-state", "post", await _server.AskAsync(RawClient.Request(SteadyState, new byte[20_000], ProtocolHeader)));
        AssertDescribed("/v1/groups", "get", await _server.AskAsync(RawClient.Head("GET /v1/groups")));
        AssertDescribed("/v1/groups/{group}", "get", await _server.AskAsync(RawClient.Head("GET /v1/groups/workers")));
        AssertDescribed("/v1/groups/{group}", "get", await _server.AskAsync(RawClient.Head("GET /v1/groups/nowhere")));
        AssertDescribed("/v1/groups/{group}", "put", await _server.AskAsync(RawClient.Request("PUT /v1/groups/workers", """{"slots":2}"""u8.ToArray(), ProtocolHeader)));
        AssertDescribed("/v1/groups/{group}", "put", await _server.AskAsync(RawClient.Request("PUT /v1/groups/workers", """{"slots":-2}"""u8.ToArray(), ProtocolHeader)));
        AssertDescribed("/v1/groups/{group}/holders/{id}", "delete", await _server.AskAsync(RawClient.Head("DELETE /v1/groups/workers/holders/a?reason=gone", ProtocolHeader)));
        AssertDescribed("/v1/groups/{group}/holders/{id}", "delete", await _server.AskAsync(RawClient.Head("DELETE /v1/groups/workers/holders/a?reason=gone", ProtocolHeader)));
        AssertDescribed("/v1/groups/{group}/grants/{grantId}", "delete", await _server.AskAsync(RawClient.Head($"DELETE /v1/groups/workers/grants/{new string('a', 32)}?id=a", ProtocolHeader)));
        AssertDescribed("/v1/groups/{group}/grants/{grantId}", "delete", await _server.AskAsync(RawClient.Head("DELETE /v1/groups/workers/grants/A?id=a", ProtocolHeader)));
        AssertDescribed("/v1/restore-mark", "delete", await _server.AskAsync(RawClient.Head("DELETE /v1/restore-mark", ProtocolHeader)));
        AssertDescribed("/v1", "get", await _server.AskAsync(RawClient.Head("GET /v1")));
        AssertDescribed("/healthz", "get", await _server.AskAsync(RawClient.Head("GET /healthz")));
        AssertDescribed("/metrics", "get", await _server.AskAsync(RawClient.Head("GET /metrics")));
        AssertDescribed("/openapi.json", "get", await _server.AskAsync(RawClient.Head("GET /openapi.json")));
        AssertDescribed("/readyz", "get", await _server.AskAsync(RawClient.Head("GET /readyz")));
        _store.Way = AwayStore.Failing;
        AssertDescribed("/readyz", "get", await _server.AskAsync(RawClient.Head("GET /readyz")));
        AssertDescribed("/v1/groups", "get", await _server.AskAsync(RawClient.Head("GET /v1/groups")));
    }

    [Fact]
    public void The_judge_of_schemas_refuses_what_breaks_them()
    {
        Assert.NotEmpty(_description.Faults(Schema("Group"), JsonDocument.Parse("""{"group":"a b","slots":-1}""").RootElement));
        Assert.NotEmpty(_description.Faults(Schema("Error"), JsonDocument.Parse("""{"kind":"odd","value":"x"}""").RootElement));
        Assert.NotEmpty(_description.Faults(Schema("Error"), JsonDocument.Parse("""{"kind":"not_held","value":"x","more":1}""").RootElement));
        Assert.NotEmpty(_description.Faults(Schema("GroupList"), JsonDocument.Parse("""{"groups":[{"group":"a"}]}""").RootElement));
    }

    private JsonElement Schema(string name) => _description.Root.GetProperty("components").GetProperty("schemas").GetProperty(name);

    private void AssertDescribed(string path, string method, RawResponse answer)
    {
        var response = _description.Response(path, method, answer.Status);
        Assert.Equal(answer.Body.Length > 0, response.TryGetProperty("content", out var content));
        Assert.All(response.GetProperty("headers").EnumerateObject().Where(header => header.Name == "X-Request-Id"), header => Assert.NotNull(answer.Header(header.Name)));
        if (answer.Body.Length == 0)
            return;
        var (type, body) = (answer.Header("Content-Type")!.Split(';')[0], Assert.Single(content.EnumerateObject()));
        Assert.Equal(body.Name, type);
        if (type == "application/json")
            Assert.Empty(_description.Faults(body.Value.GetProperty("schema"), JsonDocument.Parse(answer.Body).RootElement));
    }

    private static IEnumerable<(JsonElement Schema, JsonElement Value)> Examples(JsonElement body) =>
        from content in body.TryGetProperty("content", out var contents) ? contents.EnumerateObject() : default
        where content.Value.TryGetProperty("examples", out _)
        from example in content.Value.GetProperty("examples").EnumerateObject()
        select (content.Value.GetProperty("schema"), example.Value.GetProperty("value"));

    private static IEnumerable<string> References(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(member => member.Name == "$ref" ? [member.Value.GetString()!] : References(member.Value)),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(References),
        _ => [],
    };
}
