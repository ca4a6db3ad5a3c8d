using Google.Protobuf;

namespace FleetLock.Server;

/// <summary>What was seen of a group's two keys. A save compares it.</summary>
/// <param name="Semaphore">The semaphore's revision; 0 when there is no such key.</param>
/// <param name="Value">The semaphore's value. Revisions repeat after a restore, with other values.</param>
/// <param name="Companion">The companion's revision; 0 when there is no such key.</param>
internal sealed record EtcdRevision(long Semaphore, ByteString Value, long Companion)
{
    /// <summary>What a group that does not exist is compared with.</summary>
    internal static readonly EtcdRevision None = new(0, ByteString.Empty, 0);

    /// <summary>The companion's members to write back. They belong to the revision, and are not compared.</summary>
    internal EtcdUnknownMembers Unknown { get; init; } = EtcdUnknownMembers.None;

    public bool Equals(EtcdRevision? other) =>
        other is not null && Semaphore == other.Semaphore && Companion == other.Companion && Value.Equals(other.Value);

    public override int GetHashCode() => HashCode.Combine(Semaphore, Companion);
}
