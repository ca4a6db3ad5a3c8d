using Microsoft.AspNetCore.Http;

namespace FleetLock.Server;

/// <summary>The metrics: what was counted since the start, and the groups as the store has them at the scrape.</summary>
internal sealed class MetricsEndpoint(SemaphoreGroups groups, AccessPolicy access, ServerMetrics metrics, StoreFaultLog faults, TimeProvider clock)
{
    private readonly SharedRead<FleetGroupList> _list = new(groups.ListAsync, clock, metrics);

    /// <summary><c>GET /metrics</c>. When the store is away, the counters are still told.</summary>
    /// <param name="context">The exchange.</param>
    /// <returns>When the answer is written.</returns>
    internal async Task ShowAsync(HttpContext context)
    {
        if (access.Refuse(context, Right.Observe) is { } refusal)
        {
            await refusal.WriteAsync(context.Response);
            return;
        }

        var text = new MetricsText();
        text.Begin("fleetlock_build_info", "gauge", "Always 1; the label is the server's version.");
        text.Sample("fleetlock_build_info", 1, ("version", ServerVersion.Text));
        var list = await TryListAsync();
        text.Single("fleetlock_store_up", "gauge", "1 when the store answered this scrape. When it did not, no group is told of.", list is null ? 0 : 1);
        if (list is not null)
        {
            text.Single(
                "fleetlock_store_restored",
                "gauge",
                "1 when the store went back to an earlier state, and grants nothing until that is confirmed.",
                list.Groups.Any(group => group.StoreRestored) ? 1 : 0);
            WriteGroups(text, list.Groups);
        }

        WriteConfiguration(text, groups.Configured);
        metrics.Write(text);

        var body = text.ToUtf8();
        context.Response.ContentType = MetricsText.ContentType;
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body);
    }

    private async Task<FleetGroupList?> TryListAsync()
    {
        try
        {
            var list = await _list.AskAsync();
            faults.Answered(list);
            return list;
        }
        catch (SemaphoreStoreException e)
        {
            faults.Failed(StoreFaultLog.WholeStore, e);
            return null;
        }
    }

    private void WriteGroups(MetricsText text, IReadOnlyList<FleetGroup> all)
    {
        var now = clock.GetUtcNow();
        var readable = all.Where(group => group.Fault is null).ToList();
        Write("fleetlock_slots", "How many may hold a slot at the same time.", group => group.Slots);
        Write("fleetlock_holders", "How many hold a slot.", group => group.Holders.Count);
        Write("fleetlock_oldest_holder_age_seconds", "For how long the slot that was granted first is held; 0 when none is held, no sample when nobody kept the times.", group => Age(group, now));
        Write("fleetlock_waiting", "How many ids wait for a slot at this server.", group => group.Waiting);
        Write("airlock_database_semaphore_slots", "fleetlock_slots, under airlock's name.", group => group.Slots);
        Write("airlock_database_semaphore_lock_holders", "fleetlock_holders, under airlock's name.", group => group.Holders.Count);
        text.Single("fleetlock_damaged_groups", "gauge", "Groups whose stored value cannot be read; they are refused, and have no other sample.", all.Count - readable.Count);

        void Write(string name, string help, Func<FleetGroup, double?> read)
        {
            text.Begin(name, "gauge", help);
            foreach (var group in readable)
            {
                if (read(group) is { } value)
                    text.Sample(name, value, ("group", group.Group));
            }
        }
    }

    /// <summary>What airlock tells of its configuration.</summary>
    private static void WriteConfiguration(MetricsText text, IReadOnlyDictionary<string, int> configured)
    {
        text.Single("airlock_config_groups", "gauge", "How many groups are configured, under airlock's name.", configured.Count);
        text.Begin("airlock_config_semaphore_slots", "gauge", "The configured number of slots, under airlock's name.");
        foreach (var (group, slots) in configured.OrderBy(group => group.Key, StringComparer.Ordinal))
            text.Sample("airlock_config_semaphore_slots", slots, ("group", group));
    }

    // Not less than nothing, when the clock was set back.
    private static double? Age(FleetGroup group, DateTimeOffset now) => group.Holders.Count == 0
        ? 0
        : group.Holders.Min(holder => holder.Since) is { } since ? Math.Max(0, (now - since).TotalSeconds) : null;
}
