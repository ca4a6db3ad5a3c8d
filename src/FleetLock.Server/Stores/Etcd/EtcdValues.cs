using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Google.Protobuf;

namespace FleetLock.Server;

/// <summary>
/// The values of <see cref="EtcdStore"/>. A semaphore is <c>{"total_slots":N,"holders":["a","b"]}</c>, as airlock writes it; what we keep beside it is
/// <c>{"configured":N,"holders":{"a":{"since":…,"from":…,"asked":…}}}</c>.
/// </summary>
internal static class EtcdValues
{
    // As close to Go's encoder as the framework's comes: no escapes but those that JSON asks for.
    private static readonly JsonWriterOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    private static readonly JsonEncodedText TotalSlots = JsonEncodedText.Encode("total_slots");
    private static readonly JsonEncodedText Holders = JsonEncodedText.Encode("holders");
    private static readonly JsonEncodedText Configured = JsonEncodedText.Encode("configured");
    private static readonly JsonEncodedText Since = JsonEncodedText.Encode("since");
    private static readonly JsonEncodedText From = JsonEncodedText.Encode("from");
    private static readonly JsonEncodedText Asked = JsonEncodedText.Encode("asked");

    /// <summary>The semaphore for airlock and us. The holders are sorted by their bytes, because airlock looks for them by bisection.</summary>
    internal static ByteString WriteSemaphore(GroupSemaphore semaphore) => Write(json =>
    {
        json.WriteStartObject();
        json.WriteNumber(TotalSlots, semaphore.Slots);
        json.WriteStartArray(Holders);
        foreach (var id in InByteOrder(semaphore.Holders.Keys))
            json.WriteStringValue(id);
        json.WriteEndArray();
        json.WriteEndObject();
    });

    /// <summary>What airlock does not know.</summary>
    internal static ByteString WriteExtras(GroupSemaphore semaphore) => Write(json =>
    {
        json.WriteStartObject();
        if (semaphore.Configured is { } configured)
            json.WriteNumber(Configured, configured);
        json.WriteStartObject(Holders);
        foreach (var (id, holder) in semaphore.Holders)
        {
            if (holder == SlotHolder.Unknown)
                continue;
            json.WriteStartObject(id);
            WriteTime(json, Since, holder.Since);
            if (holder.From is { } from)
                json.WriteString(From, from);
            WriteTime(json, Asked, holder.LastSeen);
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteEndObject();
    });

    /// <summary>Reads a semaphore, by whomever it was written.</summary>
    /// <param name="value">The semaphore's value.</param>
    /// <param name="extras">What is beside it; anything that is not ours, or is damaged, is as if it were not there.</param>
    /// <returns>The semaphore.</returns>
    /// <exception cref="JsonException">The value is no semaphore.</exception>
    internal static GroupSemaphore Read(ByteString value, ByteString? extras)
    {
        var known = extras is null ? null : ReadExtras(extras);
        try
        {
            return ReadSemaphore(value, known ?? Extras.None);
        }
        catch (InvalidOperationException e)
        {
            // A string that is not Unicode.
            throw new JsonException(e.Message, e);
        }
    }

    private static GroupSemaphore ReadSemaphore(ByteString value, Extras extras)
    {
        var json = new Utf8JsonReader(value.Span);
        if (!json.Read() || json.TokenType != JsonTokenType.StartObject)
            throw new JsonException("it is not an object");

        int? slots = null;
        ImmutableSortedDictionary<string, SlotHolder>.Builder? holders = null;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals(TotalSlots.EncodedUtf8Bytes))
                slots = ReadSlots(ref json);
            else if (json.ValueTextEquals(Holders.EncodedUtf8Bytes))
                holders = ReadHolders(ref json, extras);
            else
                json.Skip();
        }

        RequireEnd(ref json);
        if (slots is not { } total)
            throw new JsonException("it has no total_slots");
        return GroupSemaphore.Restore(total, extras.Configured, holders?.ToImmutable() ?? throw new JsonException("it has no holders"));
    }

    private static int ReadSlots(ref Utf8JsonReader json)
    {
        json.Read();
        return json.TokenType == JsonTokenType.Number && json.TryGetInt32(out var slots) && slots >= 0
            ? slots
            : throw new JsonException("its total_slots is not a number of slots");
    }

    private static ImmutableSortedDictionary<string, SlotHolder>.Builder ReadHolders(ref Utf8JsonReader json, Extras extras)
    {
        var holders = ImmutableSortedDictionary.CreateBuilder<string, SlotHolder>(StringComparer.Ordinal);
        json.Read();

        // Go writes a list that was never made as null.
        if (json.TokenType == JsonTokenType.Null)
            return holders;
        if (json.TokenType != JsonTokenType.StartArray)
            throw new JsonException("its holders are not a list");
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            var id = json.TokenType == JsonTokenType.String ? json.GetString()! : throw new JsonException("one of its holders is not a string");
            holders[id] = extras.Holders.GetValueOrDefault(id, SlotHolder.Unknown);
        }

        return holders;
    }

    private static Extras? ReadExtras(ByteString value)
    {
        try
        {
            var json = new Utf8JsonReader(value.Span);
            if (!json.Read() || json.TokenType != JsonTokenType.StartObject)
                return null;

            int? configured = null;
            var holders = new Dictionary<string, SlotHolder>(StringComparer.Ordinal);
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                if (json.ValueTextEquals(Configured.EncodedUtf8Bytes))
                    configured = ReadSlots(ref json);
                else if (json.ValueTextEquals(Holders.EncodedUtf8Bytes))
                    ReadKnown(ref json, holders);
                else
                    json.Skip();
            }

            RequireEnd(ref json);
            return new Extras(configured, holders);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }

    private static void ReadKnown(ref Utf8JsonReader json, Dictionary<string, SlotHolder> holders)
    {
        json.Read();
        RequireObject(ref json);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var id = json.GetString()!;
            json.Read();
            RequireObject(ref json);
            var holder = SlotHolder.Unknown;
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                if (json.ValueTextEquals(Since.EncodedUtf8Bytes) && json.Read())
                    holder = holder with { Since = json.GetDateTimeOffset() };
                else if (json.ValueTextEquals(From.EncodedUtf8Bytes) && json.Read())
                    holder = holder with { From = json.GetString() };
                else if (json.ValueTextEquals(Asked.EncodedUtf8Bytes) && json.Read())
                    holder = holder with { LastSeen = json.GetDateTimeOffset() };
                else
                    json.Skip();
            }

            holders[id] = holder;
        }
    }

    private static void RequireObject(ref Utf8JsonReader json)
    {
        if (json.TokenType != JsonTokenType.StartObject)
            throw new JsonException("an object is missing");
    }

    private static void RequireEnd(ref Utf8JsonReader json)
    {
        // Read to the end, so that a value that was cut off, or has something behind it, is noticed.
        if (json.TokenType != JsonTokenType.EndObject || json.Read())
            throw new JsonException("it does not end where it should");
    }

    private static ByteString Write(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer, Compact))
            write(json);
        return UnsafeByteOperations.UnsafeWrap(buffer.WrittenMemory);
    }

    /// <summary>The time in UTC, to the tick.</summary>
    private static void WriteTime(Utf8JsonWriter json, JsonEncodedText name, DateTimeOffset? time)
    {
        if (time is { } t)
            json.WriteString(name, t.UtcDateTime);
    }

    /// <summary>.NET orders strings by UTF-16 and Go by UTF-8, which differ only where there are surrogates.</summary>
    private static IEnumerable<string> InByteOrder(IEnumerable<string> ids)
    {
        if (!ids.Any(id => id.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF')))
            return ids;
        return ids.Select(id => (Id: id, Bytes: Encoding.UTF8.GetBytes(id)))
            .Order(Comparer<(string Id, byte[] Bytes)>.Create((a, b) => a.Bytes.AsSpan().SequenceCompareTo(b.Bytes)))
            .Select(id => id.Id);
    }

    private sealed record Extras(int? Configured, Dictionary<string, SlotHolder> Holders)
    {
        internal static readonly Extras None = new(null, []);
    }
}
