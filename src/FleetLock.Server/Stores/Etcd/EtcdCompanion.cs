using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Google.Protobuf;

namespace FleetLock.Server;

/// <summary>The value of a group's companion key: what airlock does not know.</summary>
/// <remarks>
/// <para>The names are a contract between versions. All but <c>format</c> may be missing.</para>
/// <code>
/// {
///   "format": 1,
///   "configured": 3,
///   "cancelled": [ { "id": "…", "grant": "…", "until": "…" } ],
///   "holders": {
///     "ID": { "since": "…", "from": "…", "last_seen": "…", "grant": "…", "renewals": 1, "shared": true, "host": "…", "boot_id": "…", "note": "…" }
///   }
/// }
/// </code>
/// <para>
/// <c>last_seen</c> is written only when it differs from <c>since</c>; <c>asked</c> is its name in values without a format, which are of format 1.
/// Members that this version does not know are written back. A change that such a version must not miss takes a new format.
/// </para>
/// <para>
/// <c>holders</c> counts only if the transaction that last wrote the semaphore wrote the companion too: airlock, which may have released an id and
/// granted it again, writes the semaphore alone. The other members belong to the group, and count whoever wrote last.
/// </para>
/// </remarks>
internal sealed class EtcdCompanion
{
    /// <summary>The newest format that this version reads, and the one that it writes.</summary>
    internal const int Format = 1;

    internal static readonly EtcdCompanion None = new();

    private static readonly JsonEncodedText FormatName = JsonEncodedText.Encode("format");
    private static readonly JsonEncodedText Configured = JsonEncodedText.Encode("configured");
    private static readonly JsonEncodedText Cancelled = JsonEncodedText.Encode("cancelled");
    private static readonly JsonEncodedText Holders = JsonEncodedText.Encode("holders");
    private static readonly JsonEncodedText Id = JsonEncodedText.Encode("id");
    private static readonly JsonEncodedText Grant = JsonEncodedText.Encode("grant");
    private static readonly JsonEncodedText Until = JsonEncodedText.Encode("until");
    private static readonly JsonEncodedText Since = JsonEncodedText.Encode("since");
    private static readonly JsonEncodedText From = JsonEncodedText.Encode("from");
    private static readonly JsonEncodedText LastSeen = JsonEncodedText.Encode("last_seen");
    private static readonly JsonEncodedText Asked = JsonEncodedText.Encode("asked");
    private static readonly JsonEncodedText Renewals = JsonEncodedText.Encode("renewals");
    private static readonly JsonEncodedText Shared = JsonEncodedText.Encode("shared");

    /// <summary>The number of slots that a configuration last asked for.</summary>
    internal int? ConfiguredSlots { get; private set; }

    internal ImmutableList<CancelledGrant> CancelledGrants { get; private set; } = [];

    internal Dictionary<string, SlotHolder> KnownHolders { get; } = new(StringComparer.Ordinal);

    internal EtcdUnknownMembers Unknown { get; private set; } = EtcdUnknownMembers.None;

    /// <summary>The format as it is written, when this version does not know it: nothing else is then read.</summary>
    internal string? ForeignFormat { get; private init; }

    /// <summary>Reads a companion. One that is damaged is as if it were missing: the semaphore alone says who holds a slot.</summary>
    /// <param name="value">The value.</param>
    /// <param name="isOfSemaphore">Whether its holders count.</param>
    /// <returns>The companion.</returns>
    internal static EtcdCompanion Read(ByteString value, bool isOfSemaphore)
    {
        // Read first and by itself: what follows may be anything in another format.
        if (ReadForeignFormat(value) is { } format)
            return new EtcdCompanion { ForeignFormat = format };
        try
        {
            var companion = new EtcdCompanion();
            companion.Read(value.Memory, isOfSemaphore);
            return companion;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            return None;
        }
    }

    /// <summary>Writes the companion of a semaphore.</summary>
    /// <param name="semaphore">The semaphore.</param>
    /// <param name="unknown">Another version's members, which are kept.</param>
    /// <returns>The value.</returns>
    internal static ByteString Write(GroupSemaphore semaphore, EtcdUnknownMembers unknown) => EtcdValues.Write(json =>
    {
        json.WriteStartObject();
        json.WriteNumber(FormatName, Format);
        if (semaphore.Configured is { } configured)
            json.WriteNumber(Configured, configured);
        if (!semaphore.Cancelled.IsEmpty)
            WriteCancelled(json, semaphore.Cancelled);
        foreach (var member in unknown.OfGroup)
            member.Write(json);
        json.WriteStartObject(Holders);
        foreach (var (id, holder) in semaphore.Holders)
            WriteHolder(json, id, holder, unknown.OfHolders.GetValueOrDefault(id, []));
        json.WriteEndObject();
        json.WriteEndObject();
    });

    private static void WriteCancelled(Utf8JsonWriter json, ImmutableList<CancelledGrant> grants)
    {
        json.WriteStartArray(Cancelled);
        foreach (var grant in grants)
        {
            json.WriteStartObject();
            json.WriteString(Id, grant.Id);
            json.WriteString(Grant, grant.GrantId);
            WriteTime(json, Until, grant.Until);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteHolder(Utf8JsonWriter json, string id, SlotHolder holder, ImmutableList<EtcdUnknownMembers.Member> unknown)
    {
        if (unknown.IsEmpty && holder == SlotHolder.Unknown)
            return;
        json.WriteStartObject(id);
        if (holder.Since is { } since)
            WriteTime(json, Since, since);
        if (holder.From is { } from)
            json.WriteString(From, from);
        if (holder.LastSeen is { } seen && seen != holder.Since)
            WriteTime(json, LastSeen, seen);
        if (holder.GrantId is { } grant)
            json.WriteString(Grant, grant);
        if (holder.Renewals != 0)
            json.WriteNumber(Renewals, holder.Renewals);
        if (holder.IsShared)
            json.WriteBoolean(Shared, true);
        foreach (var member in unknown)
            member.Write(json);
        json.WriteEndObject();
    }

    /// <summary>In UTC, to the tick.</summary>
    private static void WriteTime(Utf8JsonWriter json, JsonEncodedText name, DateTimeOffset time) => json.WriteString(name, time.UtcDateTime);

    private static string? ReadForeignFormat(ByteString value)
    {
        try
        {
            var json = new Utf8JsonReader(value.Span);
            if (!json.Read() || json.TokenType != JsonTokenType.StartObject)
                return null;
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                var isFormat = json.ValueTextEquals(FormatName.EncodedUtf8Bytes);
                json.Read();
                if (isFormat)
                    return IsKnownFormat(ref json) ? null : Show(ref json);
                json.Skip();
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // It is damaged before a format is found.
        }

        return null;
    }

    private static bool IsKnownFormat(ref Utf8JsonReader json) =>
        json.TokenType == JsonTokenType.Number && json.TryGetInt32(out var format) && format is > 0 and <= Format;

    private static string Show(ref Utf8JsonReader json) =>
        json.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray ? "that is not a number" : Encoding.UTF8.GetString(json.ValueSpan);

    private void Read(ReadOnlyMemory<byte> text, bool isOfSemaphore)
    {
        var json = new Utf8JsonReader(text.Span);
        json.Read();
        EtcdValues.RequireObject(ref json);
        var unknown = ImmutableList.CreateBuilder<EtcdUnknownMembers.Member>();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals(FormatName.EncodedUtf8Bytes))
                json.Skip();
            else if (json.ValueTextEquals(Configured.EncodedUtf8Bytes))
                ConfiguredSlots = EtcdValues.ReadSlots(ref json);
            else if (json.ValueTextEquals(Cancelled.EncodedUtf8Bytes))
                CancelledGrants = ReadCancelled(ref json);
            else if (!json.ValueTextEquals(Holders.EncodedUtf8Bytes))
                unknown.Add(EtcdUnknownMembers.Member.Read(ref json, text));
            else if (isOfSemaphore)
                ReadHolders(ref json, text);
            else
                json.Skip();
        }

        EtcdValues.RequireEnd(ref json);
        if (unknown.Count > 0)
            Unknown = Unknown with { OfGroup = unknown.ToImmutable() };
    }

    private static ImmutableList<CancelledGrant> ReadCancelled(ref Utf8JsonReader json)
    {
        json.Read();
        if (json.TokenType != JsonTokenType.StartArray)
            throw new JsonException("the cancelled grants are not a list");
        var grants = ImmutableList.CreateBuilder<CancelledGrant>();
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
            grants.Add(ReadCancelledGrant(ref json));
        return grants.ToImmutable();
    }

    private static CancelledGrant ReadCancelledGrant(ref Utf8JsonReader json)
    {
        EtcdValues.RequireObject(ref json);
        string? id = null, grant = null;
        DateTimeOffset? until = null;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals(Id.EncodedUtf8Bytes) && json.Read())
                id = json.GetString();
            else if (json.ValueTextEquals(Grant.EncodedUtf8Bytes) && json.Read())
                grant = json.GetString();
            else if (json.ValueTextEquals(Until.EncodedUtf8Bytes) && json.Read())
                until = json.GetDateTimeOffset();
            else
                json.Skip();
        }

        return id is not null && grant is not null && until is { } end
            ? new CancelledGrant(id, grant, end)
            : throw new JsonException("a cancelled grant is incomplete");
    }

    private void ReadHolders(ref Utf8JsonReader json, ReadOnlyMemory<byte> text)
    {
        json.Read();
        EtcdValues.RequireObject(ref json);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var id = json.GetString()!;
            json.Read();
            EtcdValues.RequireObject(ref json);
            var unknown = ImmutableList<EtcdUnknownMembers.Member>.Empty;
            var holder = SlotHolder.Unknown;
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                if (!TryReadMember(ref json, ref holder))
                    unknown = unknown.Add(EtcdUnknownMembers.Member.Read(ref json, text));
            }

            KnownHolders[id] = holder with { LastSeen = holder.LastSeen ?? holder.Since };
            if (!unknown.IsEmpty)
                Unknown = Unknown with { OfHolders = Unknown.OfHolders.SetItem(id, unknown) };
        }
    }

    private static bool TryReadMember(ref Utf8JsonReader json, ref SlotHolder holder)
    {
        if (json.ValueTextEquals(Since.EncodedUtf8Bytes) && json.Read())
            holder = holder with { Since = json.GetDateTimeOffset() };
        else if (json.ValueTextEquals(From.EncodedUtf8Bytes) && json.Read())
            holder = holder with { From = json.GetString() };
        else if (json.ValueTextEquals(Grant.EncodedUtf8Bytes) && json.Read())
            holder = holder with { GrantId = json.GetString() };
        else if ((json.ValueTextEquals(LastSeen.EncodedUtf8Bytes) || json.ValueTextEquals(Asked.EncodedUtf8Bytes)) && json.Read())
            holder = holder with { LastSeen = json.GetDateTimeOffset() };
        else if (json.ValueTextEquals(Renewals.EncodedUtf8Bytes) && json.Read())
            holder = holder with { Renewals = json.GetInt64() };
        else if (json.ValueTextEquals(Shared.EncodedUtf8Bytes) && json.Read())
            holder = holder with { IsShared = json.GetBoolean() };
        else
            return false;
        return true;
    }
}
