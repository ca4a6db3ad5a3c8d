namespace FleetLock;

/// <summary>What the errors of the servers in the field mean. A new server's reply is one line here.</summary>
/// <remarks>Read from, or seen on, airlock, poseidon/fleetlock and its forks, heathcliff26/fleetlock, knubbis, fleetlock-consul, ceph-fleetlock.</remarks>
internal static class ServerReplies
{
    /// <summary>The meaning of an error.</summary>
    internal enum Meaning
    {
        /// <summary>Not in the table.</summary>
        Unknown,

        /// <summary>All slots are taken by others, so the id holds none.</summary>
        Full,

        /// <summary>The server says "not now"; that may hold for a holder too.</summary>
        NotNow,

        /// <summary>The server lost a compare-and-swap: send again at once.</summary>
        LostRace,

        /// <summary>A reserved slot that is not granted yet.</summary>
        Reserved,

        /// <summary>The request itself is not accepted.</summary>
        Refused,

        /// <summary>The server works but its store or its insides do not.</summary>
        ServerFault,

        /// <summary>The URL is not the server's base address: it has nothing at the protocol's path below it.</summary>
        WrongPath,
    }

    private static readonly Dictionary<string, Meaning> ByKind = new(StringComparer.Ordinal)
    {
        [ErrorKinds.SemaphoreFull] = Meaning.Full,                 // the specification, ours, ceph (with 400)
        ["lock_held"] = Meaning.Full,                              // poseidon
        ["all_slots_full"] = Meaning.Full,                         // heathcliff26
        ["reboot_cooldown"] = Meaning.NotNow,                      // forks of poseidon
        ["request_ratelimit"] = Meaning.NotNow,                    // knubbis
        ["failed_lock_cluster_not_healthy"] = Meaning.NotNow,      // ceph
        ["failed_lock_updating_not_enabled"] = Meaning.NotNow,     // ceph: the cluster's update switch is off
        ["failed_lock_not_in_timewindow"] = Meaning.NotNow,        // ceph
        ["waiting_for_node_drain"] = Meaning.Reserved,             // heathcliff26
        [ErrorKinds.UnknownGroup] = Meaning.Refused,               // airlock, ours
        ["invalid_client_identity"] = Meaning.Refused,             // airlock
        ["unauthorized_request"] = Meaning.Refused,                // knubbis
        [ErrorKinds.InvalidGroup] = Meaning.Refused,               // knubbis, ours
        [ErrorKinds.InvalidId] = Meaning.Refused,                  // knubbis, ours
        ["missing_id"] = Meaning.Refused,                          // fleetlock-consul
        [ErrorKinds.MissingHeader] = Meaning.Refused,              // poseidon, fleetlock-consul, ours
        ["missing_fleetlock_header"] = Meaning.Refused,            // heathcliff26
        ["decode_error"] = Meaning.Refused,                        // poseidon
        ["bad_request"] = Meaning.Refused,                         // heathcliff26
        [ErrorKinds.InvalidBody] = Meaning.Refused,                // fleetlock-consul, ours
        ["failed_sem_init"] = Meaning.ServerFault,                 // airlock: etcd is away
        [ErrorKinds.StoreUnavailable] = Meaning.ServerFault,       // ours
        [ErrorKinds.StoreRestored] = Meaning.ServerFault,          // ours
        [ErrorKinds.GrantCancelled] = Meaning.Refused,             // ours
        [ErrorKinds.InvalidGrant] = Meaning.Refused,               // ours
        [ErrorKinds.ShuttingDown] = Meaning.ServerFault,           // ours
        [ErrorKinds.NotFound] = Meaning.WrongPath,                 // ours
    };

    // Forks spell their own; these words in a kind say "not now" in all that we have seen.
    private static readonly string[] NotNowWords = ["window", "cooldown", "freeze", "ratelimit", "rate_limit"];

    /// <summary>Tells what an error means, from its kind and value and never from the status code alone.</summary>
    /// <param name="kind">The error's kind.</param>
    /// <param name="value">The error's value.</param>
    /// <returns>The meaning, or <see cref="Meaning.Unknown"/>.</returns>
    internal static Meaning Of(string kind, string value)
    {
        if (ByKind.TryGetValue(kind, out var meaning))
            return meaning;

        // airlock, knubbis and fleetlock-consul say "failed_lock" for a full group, and airlock for a lost race too.
        if (kind == "failed_lock")
        {
            if (Contains(value, "conflict on semaphore"))
                return Meaning.LostRace;
            if (Contains(value, "slots currently locked"))
                return Meaning.Full;
        }

        return Array.Exists(NotNowWords, word => Contains(kind, word)) ? Meaning.NotNow : Meaning.Unknown;
    }

    private static bool Contains(string text, string word) => text.IndexOf(word, StringComparison.OrdinalIgnoreCase) >= 0;
}
