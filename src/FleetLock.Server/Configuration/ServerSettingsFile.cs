using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace FleetLock.Server;

/// <summary>A server's configuration file: bytes → settings, or the error that names file, member and rule. Pure.</summary>
/// <remarks>Strict, because a member that is passed over in silence may be the one that was to keep somebody out.</remarks>
internal static class ServerSettingsFile
{
    /// <summary>Reads the file's content.</summary>
    /// <param name="json">The bytes.</param>
    /// <param name="path">The file's full path: relative paths in it are of its folder.</param>
    /// <returns>The settings; each value keeps its rule.</returns>
    /// <exception cref="FleetLockInputException">Something is wrong in it.</exception>
    internal static ServerSettings Read(ReadOnlyMemory<byte> json, string path)
    {
        // Windows PowerShell puts a mark before what it writes as UTF-8.
        if (json.Span is [0xEF, 0xBB, 0xBF, ..])
            json = json[3..];
        try
        {
            using var document = JsonDocument.Parse(json);
            Require(document.RootElement, ServerSettingsJson.Default.ServerSettings, "");
            var settings = document.RootElement.Deserialize(ServerSettingsJson.Default.ServerSettings)!;
            ServerSettingsRules.Check(settings, member => $"'{member}'");
            return settings.In(Path.GetDirectoryName(path)!);
        }
        catch (JsonException e)
        {
            throw new FleetLockInputException("config", $"{path}:{e.LineNumber + 1}: this is not valid JSON: {TerminalText.Clean(e.Message.Split(" LineNumber:")[0])}", e);
        }
        catch (InvalidOperationException e)
        {
            throw new FleetLockInputException("config", $"{path}: a text escapes half a surrogate pair.", e);
        }
        catch (InvalidShapeException e)
        {
            throw new FleetLockInputException("config", $"{path}: {e.Message}.", e);
        }
        catch (FleetLockInputException e)
        {
            throw new FleetLockInputException(e.Setting, $"{path}: {e.Message}", e);
        }
    }

    /// <summary>Each member is known, there once, and of its kind; so that what is read by it afterwards cannot fail.</summary>
    private static void Require(JsonElement element, JsonTypeInfo type, string place)
    {
        switch (type.Kind)
        {
            case JsonTypeInfoKind.Object:
                RequireMembers(element, type, place);
                break;
            case JsonTypeInfoKind.Enumerable:
                RequireKind(element.ValueKind == JsonValueKind.Array, place, "a list");
                foreach (var (index, item) in element.EnumerateArray().Index())
                    Require(item, Of(type.ElementType!), $"{place}[{index}]");
                break;
            case JsonTypeInfoKind.Dictionary:
                RequireKind(element.ValueKind == JsonValueKind.Object, place, "an object");
                RequireOnce(element, place);
                foreach (var entry in element.EnumerateObject())
                    Require(entry.Value, Of(type.ElementType!), Join(place, ProtocolRules.Show(entry.Name)));
                break;
            case JsonTypeInfoKind.None when (Nullable.GetUnderlyingType(type.Type) ?? type.Type) == typeof(int):
                RequireKind(element.ValueKind == JsonValueKind.Number && element.TryGetInt32(out _), place, "a whole number");
                break;
            case JsonTypeInfoKind.None when type.Type == typeof(bool?):
                RequireKind(element.ValueKind is JsonValueKind.True or JsonValueKind.False, place, "true or false");
                break;
            default:
                RequireKind(element.ValueKind == JsonValueKind.String, place, "a string");
                break;
        }
    }

    private static void RequireMembers(JsonElement element, JsonTypeInfo type, string place)
    {
        RequireKind(element.ValueKind == JsonValueKind.Object, place, "an object");
        RequireOnce(element, place);
        foreach (var member in element.EnumerateObject())
        {
            var known = type.Properties.FirstOrDefault(property => property.Name == member.Name)
                ?? throw new InvalidShapeException($"unknown member '{Join(place, ProtocolRules.Show(member.Name))}'; the members {(place.Length == 0 ? "" : $"of '{place}' ")}are {string.Join(", ", type.Properties.Select(property => property.Name))}");
            var inner = Join(place, member.Name);
            if (known.CustomConverter is OneOrMoreConverter)
                RequireKind(IsOneOrMore(member.Value), inner, "a string or a list of strings");
            else
                Require(member.Value, Of(known.PropertyType), inner);
        }
    }

    private static void RequireOnce(JsonElement element, string place)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var member in element.EnumerateObject())
        {
            if (!names.Add(member.Name))
                throw new InvalidShapeException($"the member '{Join(place, ProtocolRules.Show(member.Name))}' is there twice");
        }
    }

    private static void RequireKind(bool isKind, string place, string kind)
    {
        if (!isKind)
            throw new InvalidShapeException(place.Length == 0 ? $"the file takes {kind}" : $"the member '{place}' takes {kind}");
    }

    private static bool IsOneOrMore(JsonElement element) =>
        element.ValueKind == JsonValueKind.String
        || (element.ValueKind == JsonValueKind.Array && element.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String));

    private static JsonTypeInfo Of(Type type) => ServerSettingsJson.Default.Options.GetTypeInfo(type);

    private static string Join(string place, string name) => place.Length == 0 ? name : $"{place}.{name}";

    private sealed class InvalidShapeException(string message) : Exception(message);
}
