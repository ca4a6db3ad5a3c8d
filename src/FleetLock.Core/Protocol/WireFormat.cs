using System.Text.Encodings.Web;
using System.Text.Json;

namespace FleetLock;

/// <summary>The protocol's JSON: the request's body and an error's body.</summary>
public static class WireFormat
{
    // The default escapes every quote and non-ASCII letter for the sake of HTML, and makes errors unreadable with curl.
    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static ReadOnlySpan<byte> Utf8ByteOrderMark => [0xEF, 0xBB, 0xBF];

    /// <summary>Writes <c>{"client_params":{"id":…,"group":…}}</c>, the id first as Zincati does: some servers in the field look for just that.</summary>
    /// <param name="group">A group that keeps its rule.</param>
    /// <param name="id">An id that keeps its rule.</param>
    /// <returns>The body in UTF-8.</returns>
    public static byte[] WriteRequest(string group, string id) => Write(json =>
    {
        json.WriteStartObject(FleetLockProtocol.ClientParams);
        json.WriteString(FleetLockProtocol.Id, id);
        json.WriteString(FleetLockProtocol.Group, group);
        json.WriteEndObject();
    });

    /// <summary>Writes <c>{"kind":…,"value":…}</c>.</summary>
    /// <param name="kind">The error's type, one of <see cref="ErrorKinds"/>.</param>
    /// <param name="value">The error's text for people.</param>
    /// <returns>The body in UTF-8.</returns>
    public static byte[] WriteError(string kind, string value) => Write(json =>
    {
        json.WriteString(FleetLockProtocol.Kind, kind);
        json.WriteString(FleetLockProtocol.Value, value);
    });

    /// <summary>Reads an error's body. Whatever the bytes are, it does not throw.</summary>
    /// <param name="body">The bytes.</param>
    /// <param name="kind">The error's kind, as it was sent.</param>
    /// <param name="value">The error's value, as it was sent.</param>
    /// <returns>True when the body is a FleetLock error: an object with a non-empty kind and a non-empty value.</returns>
    public static bool TryReadError(ReadOnlyMemory<byte> body, out string kind, out string value)
    {
        kind = value = "";
        if (body.Span.StartsWith(Utf8ByteOrderMark))
            body = body.Slice(Utf8ByteOrderMark.Length);

        try
        {
            using var document = JsonDocument.Parse(body);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                return false;

            kind = StringMember(document.RootElement, FleetLockProtocol.Kind);
            value = StringMember(document.RootElement, FleetLockProtocol.Value);
            return kind.Length > 0 && value.Length > 0;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a string that is not UTF-8, or that escapes half a surrogate pair.
            return false;
        }
    }

    private static string StringMember(JsonElement element, string name) =>
        element.TryGetProperty(name, out var member) && member.ValueKind == JsonValueKind.String ? member.GetString()! : "";

    private static byte[] Write(Action<Utf8JsonWriter> members)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Readable))
        {
            json.WriteStartObject();
            members(json);
            json.WriteEndObject();
        }

        return buffer.ToArray();
    }
}
