namespace FleetLock;

/// <summary>Says who holds a group's slots, for those who wait for one, if the server can tell.</summary>
/// <param name="client">The client of the server.</param>
public sealed class HolderLookup(FleetLockClient client)
{
    private const int MostShown = 3;

    /// <summary>Looks it up. It never throws but for the caller's cancellation.</summary>
    /// <param name="group">The group.</param>
    /// <param name="cancellationToken">Ends the look-up.</param>
    /// <returns>For people: "held by a, b and 3 more"; <see langword="null"/> when the server does not tell.</returns>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    public async Task<string?> DescribeAsync(string group, CancellationToken cancellationToken)
    {
        using var limit = new Deadline(InteractiveLimits.HolderLookup, client.Options.Clock, cancellationToken);
        try
        {
            var list = await client.GetGroupsAsync(limit.Token).ConfigureAwait(false);
            return Describe(list.Groups.FirstOrDefault(candidate => candidate.Group == group)?.Holders);
        }
        catch (Exception e) when (e is FleetGroupsException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    private static string? Describe(IReadOnlyList<FleetHolder>? holders)
    {
        if (holders is not { Count: > 0 })
            return null;

        var shown = string.Join(", ", holders.Take(MostShown).Select(holder => ProtocolRules.Show(holder.Id)));
        return holders.Count > MostShown ? $"held by {shown} and {holders.Count - MostShown} more" : $"held by {shown}";
    }
}
