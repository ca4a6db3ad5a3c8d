using FleetLock.Server.EtcdApi;
using Google.Protobuf;

namespace FleetLock.Server;

/// <summary>What a transaction compares.</summary>
internal static class EtcdCompares
{
    /// <summary>Adds that the keys of a group are as they were seen.</summary>
    internal static void AddTo(TxnRequest request, ByteString semaphore, ByteString companion, EtcdRevision seen)
    {
        request.Compare.Add(HasRevision(semaphore, seen.Semaphore));

        // Revisions repeat after a restore, before anybody has noticed it: airlock, or a server that has just started, may have written.
        if (seen.Semaphore != 0)
            request.Compare.Add(new Compare { Key = semaphore, Target = Compare.Types.CompareTarget.Value, Value = seen.Value });
        request.Compare.Add(HasRevision(companion, seen.Companion));
    }

    /// <summary>That the store has the mark of a restore, or has it not.</summary>
    internal static Compare IsRestored(bool isRestored) => new()
    {
        Key = EtcdKeys.Restored,
        Target = Compare.Types.CompareTarget.Version,
        Result = isRestored ? Compare.Types.CompareResult.Greater : Compare.Types.CompareResult.Equal,
        Version = 0,
    };

    /// <summary>That a key was written this often, or more often.</summary>
    internal static Compare HasVersion(ByteString key, long version) => new()
    {
        Key = key,
        Target = Compare.Types.CompareTarget.Version,
        Result = Compare.Types.CompareResult.Greater,
        Version = version - 1,
    };

    /// <summary>That a key was last written at a revision; 0 when there is no such key.</summary>
    internal static Compare HasRevision(ByteString key, long revision) => new() { Key = key, Target = Compare.Types.CompareTarget.Mod, ModRevision = revision };
}
