using System.Collections.Immutable;
using System.Text.Json;

namespace FleetLock.Server;

/// <summary>Members of a companion that this version does not know, as they were read: another version's data, which a save writes back.</summary>
/// <param name="OfGroup">Those of the group.</param>
/// <param name="OfHolders">Those of the holders, by id.</param>
internal sealed record EtcdUnknownMembers(
    ImmutableList<EtcdUnknownMembers.Member> OfGroup, ImmutableDictionary<string, ImmutableList<EtcdUnknownMembers.Member>> OfHolders)
{
    internal static readonly EtcdUnknownMembers None = new([], ImmutableDictionary.Create<string, ImmutableList<Member>>(StringComparer.Ordinal));

    /// <summary>The members that are still valid after a change: those of a holder end with its hold.</summary>
    internal EtcdUnknownMembers After(GroupSemaphore before, GroupSemaphore after) => OfHolders.IsEmpty
        ? this
        : this with { OfHolders = OfHolders.RemoveRange(OfHolders.Keys.Where(id => !IsSameHold(before, after, id))) };

    private static bool IsSameHold(GroupSemaphore before, GroupSemaphore after, string id) =>
        before.Holders.TryGetValue(id, out var old) && after.Holders.TryGetValue(id, out var now) && old.GrantId == now.GrantId && old.Since == now.Since;

    /// <summary>One member: its name, and its value as JSON.</summary>
    internal readonly record struct Member(string Name, ReadOnlyMemory<byte> Value)
    {
        /// <summary>Reads the member that the reader is at.</summary>
        internal static Member Read(ref Utf8JsonReader json, ReadOnlyMemory<byte> text)
        {
            var name = json.GetString()!;
            json.Read();
            var start = (int)json.TokenStartIndex;
            json.Skip();
            return new Member(name, text[start..(int)json.BytesConsumed]);
        }

        internal void Write(Utf8JsonWriter json)
        {
            json.WritePropertyName(Name);
            json.WriteRawValue(Value.Span, skipInputValidation: true);
        }
    }
}
