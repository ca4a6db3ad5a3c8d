using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using FleetLock.TestKit;

namespace FleetLock.Server.Tests;

/// <summary>The server's own description, and a judge of JSON by its schemas.</summary>
internal sealed class OpenApiDescription(JsonElement root)
{
    internal JsonElement Root => root;

    /// <summary>Every operation: path, method and what is said of it.</summary>
    internal IEnumerable<(string Path, string Method, JsonElement Operation)> Operations =>
        from path in root.GetProperty("paths").EnumerateObject()
        from method in path.Value.EnumerateObject()
        where method.Name != "parameters"
        select (path.Name, method.Name, method.Value);

    internal static async Task<OpenApiDescription> OfAsync(TestServer server)
    {
        var answer = await server.AskAsync(RawClient.Head("GET /openapi.json"));
        Assert.Equal((200, "application/json"), (answer.Status, answer.Header("Content-Type")));
        return new OpenApiDescription(JsonDocument.Parse(answer.Body).RootElement);
    }

    /// <summary>What an answer's description says, its reference followed; fails when the status is not described.</summary>
    internal JsonElement Response(string path, string method, int status)
    {
        var operation = Operations.Single(operation => operation.Path == path && operation.Method == method).Operation;
        Assert.True(operation.GetProperty("responses").TryGetProperty(status.ToString(CultureInfo.InvariantCulture), out var response), $"{method} {path} can answer {status}");
        return Follow(response);
    }

    internal JsonElement Follow(JsonElement element)
    {
        while (element.ValueKind == JsonValueKind.Object && element.TryGetProperty("$ref", out var reference))
        {
            var path = reference.GetString()!;
            Assert.StartsWith("#/", path, StringComparison.Ordinal);
            element = path[2..].Split('/').Aggregate(root, (at, name) => at.GetProperty(name));
        }

        return element;
    }

    /// <summary>Says what is wrong with a value. It knows the keywords that the document uses, and fails on any other.</summary>
    internal List<string> Faults(JsonElement schema, JsonElement value, string at = "$")
    {
        schema = Follow(schema);
        return [.. schema.EnumerateObject().SelectMany(keyword => Faults(schema, keyword, value, at))];
    }

    private IEnumerable<string> Faults(JsonElement schema, JsonProperty keyword, JsonElement value, string at)
    {
        var rule = keyword.Value;
        var isText = value.ValueKind == JsonValueKind.String;
        var isNumber = value.ValueKind == JsonValueKind.Number;
        var isObject = value.ValueKind == JsonValueKind.Object;
        return keyword.Name switch
        {
            "description" => [],
            "type" => Unless(rule.GetString() == TypeOf(value)),
            "const" => Unless(JsonElement.DeepEquals(rule, value)),
            "enum" => Unless(rule.EnumerateArray().Any(one => JsonElement.DeepEquals(one, value))),
            "minLength" => Unless(!isText || value.GetString()!.Length >= rule.GetInt32()),
            "maxLength" => Unless(!isText || value.GetString()!.Length <= rule.GetInt32()),
            "pattern" => Unless(!isText || Regex.IsMatch(value.GetString()!, rule.GetString()!)),
            "format" => Unless(rule.GetString() == "date-time" && value.TryGetDateTimeOffset(out _)),
            "minimum" => Unless(!isNumber || value.GetDouble() >= rule.GetDouble()),
            "maximum" => Unless(!isNumber || value.GetDouble() <= rule.GetDouble()),
            "required" => Unless(!isObject || rule.EnumerateArray().All(name => value.TryGetProperty(name.GetString()!, out _))),
            "additionalProperties" => Unless(!isObject || value.EnumerateObject().All(member => schema.GetProperty("properties").TryGetProperty(member.Name, out _))),
            "items" => value.EnumerateArray().SelectMany((item, i) => Faults(rule, item, $"{at}[{i}]")),
            "properties" => rule.EnumerateObject().SelectMany(property => isObject && value.TryGetProperty(property.Name, out var member) ? Faults(property.Value, member, $"{at}.{property.Name}") : []),
            _ => [$"the keyword {keyword.Name} is not known"],
        };

        IEnumerable<string> Unless(bool isKept) => isKept ? [] : [$"{at} breaks {keyword.Name} {rule}: {value}"];
    }

    private static string TypeOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "object",
        JsonValueKind.Array => "array",
        JsonValueKind.String => "string",
        JsonValueKind.Number => value.TryGetInt64(out _) ? "integer" : "number",
        JsonValueKind.Null => "null",
        _ => "boolean",
    };
}
