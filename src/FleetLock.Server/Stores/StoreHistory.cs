using System.Globalization;

namespace FleetLock.Server;

/// <summary>What a transaction finds in the store about the store itself.</summary>
/// <param name="Sequence">The number of the last write, by whichever process.</param>
/// <param name="Written">The number of this process's last write; 0 when it has written nothing.</param>
/// <param name="IsMarked">Whether the store is marked as one that went back to an earlier state.</param>
internal readonly record struct StoreState(long Sequence, long Written, bool IsMarked);

/// <summary>
/// What this process knows of the store's past. It notices when the content goes back to an earlier state: the highest sequence number that was seen is
/// gone, or this process's own last write is. The second also notices when other processes have written on after the restore.
/// </summary>
internal sealed class StoreHistory
{
    private long _highest;
    private long _written;

    /// <summary>The name under which the store keeps this process's last write.</summary>
    internal string Writer { get; } = "writer " + Random.Shared.NextInt64().ToString("x16", CultureInfo.InvariantCulture);

    /// <summary>Whether another file has taken the place of the one that was open. How old its content is, nobody knows.</summary>
    internal bool IsReplaced { get; set; }

    /// <summary>Whether this process has written since it opened the store.</summary>
    internal bool HasWritten => _written > 0;

    /// <summary>Whether the store has lost something that this process has seen.</summary>
    internal bool IsLostIn(in StoreState state) => IsReplaced || state.Sequence < _highest || state.Written < _written;

    /// <summary>The number of a write: higher than any that was seen.</summary>
    internal long Next(in StoreState state) => Math.Max(state.Sequence, _highest) + 1;

    /// <summary>Takes over what a committed transaction has seen or written.</summary>
    internal void Remember(in StoreState state)
    {
        _highest = Math.Max(_highest, state.Sequence);
        _written = Math.Max(_written, state.Written);
        IsReplaced = false;
    }
}
