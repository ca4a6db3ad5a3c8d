using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Google.Protobuf;

namespace FleetLock.Server;

/// <summary>The value of a semaphore's key: <c>{"total_slots":N,"holders":["a","b"]}</c>, as airlock writes it.</summary>
internal static class EtcdValues
{
    // As close to Go's encoder as the framework's comes: no escapes but those that JSON asks for.
    private static readonly JsonWriterOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    private static readonly JsonEncodedText TotalSlots = JsonEncodedText.Encode("total_slots");
    private static readonly JsonEncodedText Holders = JsonEncodedText.Encode("holders");

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

    /// <summary>Reads a semaphore, by whomever it was written.</summary>
    /// <param name="value">The semaphore's value.</param>
    /// <param name="companion">Its companion.</param>
    /// <returns>The semaphore.</returns>
    /// <exception cref="JsonException">The value is not a semaphore.</exception>
    internal static GroupSemaphore ReadSemaphore(ByteString value, EtcdCompanion companion)
    {
        try
        {
            return Read(value, companion);
        }
        catch (InvalidOperationException e)
        {
            // A string that is not Unicode.
            throw new JsonException(e.Message, e);
        }
    }

    internal static int ReadSlots(ref Utf8JsonReader json)
    {
        json.Read();
        return json.TokenType == JsonTokenType.Number && json.TryGetInt32(out var slots) && slots >= 0
            ? slots
            : throw new JsonException("its total_slots is not a number of slots");
    }

    internal static void RequireObject(ref Utf8JsonReader json)
    {
        if (json.TokenType != JsonTokenType.StartObject)
            throw new JsonException("an object is missing");
    }

    internal static void RequireEnd(ref Utf8JsonReader json)
    {
        // Read to the end, so that a value that was cut off, or has something behind it, is noticed.
        if (json.TokenType != JsonTokenType.EndObject || json.Read())
            throw new JsonException("it does not end where it should");
    }

    internal static ByteString Write(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer, Compact))
            write(json);
        return UnsafeByteOperations.UnsafeWrap(buffer.WrittenMemory);
    }

    private static GroupSemaphore Read(ByteString value, EtcdCompanion companion)
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
                holders = ReadHolders(ref json, companion);
            else
                json.Skip();
        }

        RequireEnd(ref json);
        if (slots is not { } total)
            throw new JsonException("it has no total_slots");
        return GroupSemaphore.Restore(
            total, companion.ConfiguredSlots, holders?.ToImmutable() ?? throw new JsonException("it has no holders"), companion.CancelledGrants);
    }

    private static ImmutableSortedDictionary<string, SlotHolder>.Builder ReadHolders(ref Utf8JsonReader json, EtcdCompanion companion)
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
            holders[id] = companion.KnownHolders.GetValueOrDefault(id, SlotHolder.Unknown);
        }

        return holders;
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
}
