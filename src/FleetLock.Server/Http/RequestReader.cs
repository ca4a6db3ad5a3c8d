using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Unicode;

namespace FleetLock.Server;

/// <summary>A request's body → group and id, or the refusal that names what is wrong. Pure.</summary>
/// <remarks>
/// Strict, because a body that two readers understand differently must not act: UTF-8, one JSON value and nothing after it, no member
/// twice. Members that the protocol does not know are passed over, so that clients may grow.
/// </remarks>
internal static class RequestReader
{
    /// <summary>Reads a body.</summary>
    /// <param name="body">The bytes.</param>
    /// <param name="group">The group, which keeps its rule.</param>
    /// <param name="id">The id, which keeps its rule.</param>
    /// <param name="refusal">What is wrong, when it is not a request.</param>
    /// <returns>True when it is a request.</returns>
    internal static bool TryRead(
        ReadOnlySpan<byte> body,
        [NotNullWhen(true)] out string? group,
        [NotNullWhen(true)] out string? id,
        [NotNullWhen(false)] out ErrorReply? refusal)
    {
        refusal = ReadBody(body, out group, out id);
        if (refusal is null && ProtocolRules.FaultOfGroup(group) is { } groupFault)
            refusal = ErrorReply.InvalidGroup(groupFault);
        if (refusal is null && ProtocolRules.FaultOfId(id) is { } idFault)
            refusal = ErrorReply.InvalidId(idFault);
        return refusal is null;
    }

    private static ErrorReply? ReadBody(ReadOnlySpan<byte> body, out string? group, out string? id)
    {
        group = id = null;
        if (body.IsEmpty)
            return ErrorReply.InvalidBody("the body is empty");
        if (!Utf8.IsValid(body))
            return ErrorReply.InvalidBody("the body is not valid UTF-8");

        try
        {
            var json = new Utf8JsonReader(body);
            json.Read();
            ReadRequest(ref json, ref group, ref id);

            // Throws on anything that follows.
            json.Read();
            return null;
        }
        catch (JsonException e)
        {
            return ErrorReply.InvalidBody("the body is not valid JSON: " + TerminalText.Clean(e.Message));
        }
        catch (InvalidOperationException)
        {
            // Thrown where a member's escaped name is compared.
            return ErrorReply.InvalidBody("a member's name escapes half a surrogate pair");
        }
        catch (InvalidRequestException e)
        {
            return ErrorReply.InvalidBody(e.Message);
        }
    }

    private static void ReadRequest(ref Utf8JsonReader json, ref string? group, ref string? id)
    {
        Require(ref json, JsonTokenType.StartObject, "the body");
        var hasParams = false;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (!json.ValueTextEquals(FleetLockProtocol.ClientParams))
            {
                json.Skip();
                continue;
            }

            if (hasParams)
                throw Twice(FleetLockProtocol.ClientParams);
            hasParams = true;
            json.Read();
            ReadClientParams(ref json, ref group, ref id);
        }

        if (!hasParams)
            throw Missing(FleetLockProtocol.ClientParams);
    }

    private static void ReadClientParams(ref Utf8JsonReader json, ref string? group, ref string? id)
    {
        Require(ref json, JsonTokenType.StartObject, FleetLockProtocol.ClientParams);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals(FleetLockProtocol.Id))
                ReadString(ref json, FleetLockProtocol.Id, ref id);
            else if (json.ValueTextEquals(FleetLockProtocol.Group))
                ReadString(ref json, FleetLockProtocol.Group, ref group);
            else
                json.Skip();
        }

        if (id is null)
            throw Missing($"{FleetLockProtocol.ClientParams}.{FleetLockProtocol.Id}");
        if (group is null)
            throw Missing($"{FleetLockProtocol.ClientParams}.{FleetLockProtocol.Group}");
    }

    private static void ReadString(ref Utf8JsonReader json, string member, ref string? value)
    {
        var name = $"{FleetLockProtocol.ClientParams}.{member}";
        if (value is not null)
            throw Twice(name);

        json.Read();
        Require(ref json, JsonTokenType.String, name);
        try
        {
            value = json.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw new InvalidRequestException($"'{name}' escapes half a surrogate pair");
        }
    }

    private static void Require(ref Utf8JsonReader json, JsonTokenType type, string what)
    {
        if (json.TokenType != type)
            throw new InvalidRequestException($"'{what}' is {Name(json.TokenType)}, not {Name(type)}");
    }

    private static InvalidRequestException Missing(string name) => new($"'{name}' is missing");

    private static InvalidRequestException Twice(string name) => new($"'{name}' is there twice");

    private static string Name(JsonTokenType type) => type switch
    {
        JsonTokenType.StartObject => "an object",
        JsonTokenType.StartArray => "an array",
        JsonTokenType.String => "a string",
        JsonTokenType.Number => "a number",
        JsonTokenType.Null => "null",
        _ => "a Boolean",
    };

    private sealed class InvalidRequestException(string message) : Exception(message);
}
