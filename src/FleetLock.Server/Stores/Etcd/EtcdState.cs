namespace FleetLock.Server;

/// <summary>What a transaction finds in etcd about etcd itself.</summary>
/// <param name="Sequence">The writes of all servers.</param>
/// <param name="Written">The writes of this process.</param>
internal readonly record struct EtcdState(EtcdCount Sequence, EtcdCount Written)
{
    /// <summary>Whether it can be the same or a later state.</summary>
    internal bool IsAfter(EtcdState earlier) => Sequence.IsAfter(earlier.Sequence) && Written.IsAfter(earlier.Written);

    /// <summary>Whether both can be of one history. Each count goes by itself: a watch reports only one of them.</summary>
    internal bool GoesWith(EtcdState other) => GoTogether(Sequence, other.Sequence) && GoTogether(Written, other.Written);

    /// <summary>The later count of each key.</summary>
    internal EtcdState Latest(EtcdState other) => new(Latest(Sequence, other.Sequence), Latest(Written, other.Written));

    private static bool GoTogether(EtcdCount one, EtcdCount other) => one.IsAfter(other) || other.IsAfter(one);

    private static EtcdCount Latest(EtcdCount one, EtcdCount other) => one.Version >= other.Version ? one : other;
}
