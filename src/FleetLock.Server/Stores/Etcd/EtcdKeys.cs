using Google.Protobuf;

namespace FleetLock.Server;

/// <summary>
/// The keys of <see cref="EtcdStore"/>: the semaphores under the very names that airlock gives them, so that both can serve one fleet, and for each a
/// companion key with what airlock would not keep. One range has both.
/// </summary>
internal static class EtcdKeys
{
    private const string Prefix = "com.coreos.airlock/groups/";
    private const string Version = "/v1/";
    private const string SemaphoreName = "semaphore";
    private const string CompanionName = "fleetlock";

    // No group has such a key, because a colon is escaped in a group's. It is among the groups' keys, so that a user of etcd who may use
    // those may use it too.
    private const string StorePrefix = Prefix + ":fleetlock/";
    private const string WriterPrefix = StorePrefix + "writers/";

    /// <summary>The first key of all groups.</summary>
    internal static readonly ByteString First = ByteString.CopyFromUtf8(Prefix);

    /// <summary>The end of all groups' keys: the first key that is none of them.</summary>
    internal static readonly ByteString End = EndOf(Prefix);

    /// <summary>Present while the store went back to an earlier state and no administrator has confirmed that.</summary>
    internal static readonly ByteString Restored = ByteString.CopyFromUtf8(StorePrefix + "restored");

    /// <summary>Its version counts the writes of all servers.</summary>
    internal static readonly ByteString Sequence = ByteString.CopyFromUtf8(StorePrefix + "sequence");

    private static readonly ByteString WriterStart = ByteString.CopyFromUtf8(WriterPrefix);

    internal static ByteString Semaphore(string group) => ByteString.CopyFromUtf8(Folder(group) + SemaphoreName);

    internal static ByteString Companion(string group) => ByteString.CopyFromUtf8(Folder(group) + CompanionName);

    /// <summary>The key whose version counts the writes of one server process.</summary>
    internal static ByteString Writer(string name) => ByteString.CopyFromUtf8(WriterPrefix + name);

    internal static bool IsWriter(ByteString key) => key.Span.StartsWith(WriterStart.Span);

    /// <summary>A group's keys, from the first to the one that is none of them.</summary>
    internal static (ByteString First, ByteString End) RangeOf(string group) => (ByteString.CopyFromUtf8(Folder(group)), EndOf(Folder(group)));

    /// <summary>Reads a key's name.</summary>
    /// <param name="key">The key.</param>
    /// <param name="group">Its group.</param>
    /// <param name="isSemaphore">Whether it is the semaphore; otherwise it is the companion.</param>
    /// <returns>False when it is neither: another program's key.</returns>
    internal static bool TryRead(ByteString key, out string group, out bool isSemaphore)
    {
        (group, isSemaphore) = ("", false);
        var name = key.ToStringUtf8();
        var end = name.LastIndexOf('/');
        if (end < 0 || name.AsSpan(end + 1) is not (SemaphoreName or CompanionName) || !name.StartsWith(Prefix, StringComparison.Ordinal))
            return false;
        isSemaphore = name.AsSpan(end + 1) is SemaphoreName;
        var length = end + 1 - Version.Length - Prefix.Length;
        if (length <= 0)
            return false;
        group = Unescape(name.Substring(Prefix.Length, length));

        // The same key again, or it is not the group's.
        return name.Length == key.Length && name == Folder(group) + (isSemaphore ? SemaphoreName : CompanionName);
    }

    private static string Folder(string group) => Prefix + Escape(group) + Version;

    /// <summary>Go's <c>url.QueryEscape</c>, which escapes all but RFC 3986's unreserved characters, and a space as a plus sign.</summary>
    private static string Escape(string group) => Uri.EscapeDataString(group).Replace("%20", "+", StringComparison.Ordinal);

    private static string Unescape(string group) => Uri.UnescapeDataString(group.Replace('+', ' '));

    private static ByteString EndOf(string prefix)
    {
        var bytes = ByteString.CopyFromUtf8(prefix).ToByteArray();
        bytes[^1]++;
        return UnsafeByteOperations.UnsafeWrap(bytes);
    }
}
