using FleetLock.TestKit;

namespace FleetLock.Core.Tests;

/// <summary>Rule 5: what the servers in the field answer, row by row of the table in <c>protocol.md</c>. A new server is a new line.</summary>
public sealed class ServersInTheFieldTests
{
    private const FleetLockOperation Lock = FleetLockOperation.Lock;
    private const FleetLockOperation Unlock = FleetLockOperation.Unlock;

    public static readonly TheoryData<string, FleetLockOperation, int, string, string, FleetLockStatus> Errors = new()
    {
        // airlock (its lost race has tests of its own)
        { "airlock", Lock, 500, "failed_lock", "all 1 semaphore slots currently locked", FleetLockStatus.Busy },
        { "airlock", Lock, 500, "failed_lock", "all 12 semaphore slots currently locked", FleetLockStatus.Busy },
        { "airlock", Lock, 500, "failed_lock", "context deadline exceeded", FleetLockStatus.Unreachable },
        { "airlock", Lock, 400, "unknown_group", "unknown group \"workers\"", FleetLockStatus.Refused },
        { "airlock", Unlock, 400, "unknown_group", "unknown group \"workers\"", FleetLockStatus.Refused },
        { "airlock", Lock, 400, "invalid_client_identity", "empty client ID", FleetLockStatus.Refused },
        { "airlock", Lock, 500, "failed_sem_init", "context deadline exceeded", FleetLockStatus.Unreachable },
        { "airlock", Unlock, 500, "failed_sem_init", "context deadline exceeded", FleetLockStatus.Unreachable },

        // poseidon and its forks
        { "poseidon", Lock, 423, "lock_held", "reboot lease unavailable, held by node1", FleetLockStatus.Busy },
        { "poseidon", Unlock, 423, "lock_held", "reboot lease not held by this node", FleetLockStatus.Busy },
        { "poseidon", Lock, 400, "missing_header", "required fleet-lock-protocol header", FleetLockStatus.Refused },
        { "poseidon", Lock, 400, "decode_error", "error decoding message", FleetLockStatus.Refused },
        { "poseidon fork", Lock, 403, "outside_reboot_window", "not within the window", FleetLockStatus.Busy },
        { "poseidon fork", Lock, 403, "maintenance_freeze", "frozen over the holidays", FleetLockStatus.Busy },
        { "poseidon fork", Lock, 429, "reboot_cooldown", "another node rebooted 2m ago", FleetLockStatus.Busy },

        // heathcliff26
        { "heathcliff26", Lock, 423, "all_slots_full", "could not reserve a slot as all slots in the group are currently locked already", FleetLockStatus.Busy },
        { "heathcliff26", Lock, 202, "waiting_for_node_drain", "the slot has been reserved, but the node is not yet drained", FleetLockStatus.Pending },
        { "heathcliff26", Lock, 500, "error", "an unexpected error occured", FleetLockStatus.Unreachable },
        { "heathcliff26", Unlock, 500, "error", "an unexpected error occured", FleetLockStatus.Unreachable },
        { "heathcliff26", Lock, 400, "missing_fleetlock_header", "the header fleet-lock-protocol must be set to true", FleetLockStatus.Refused },
        { "heathcliff26", Lock, 400, "bad_request", "request is malformed", FleetLockStatus.Refused },

        // knubbis
        { "knubbis", Lock, 409, "failed_lock", "semaphore currently full, all slots are locked already", FleetLockStatus.Busy },
        { "knubbis", Lock, 401, "unauthorized_request", "this request requires valid HTTP basic auth credentials", FleetLockStatus.Refused },
        { "knubbis", Unlock, 401, "unauthorized_request", "this request requires valid HTTP basic auth credentials", FleetLockStatus.Refused },
        { "knubbis", Lock, 429, "request_ratelimit", "rate limited", FleetLockStatus.Busy },
        { "knubbis", Unlock, 429, "request_ratelimit", "rate limited", FleetLockStatus.Busy },
        { "knubbis", Lock, 400, "invalid_group", "the group is invalid", FleetLockStatus.Refused },
        { "knubbis", Lock, 400, "invalid_id", "the id is invalid", FleetLockStatus.Refused },

        // fleetlock-consul
        { "fleetlock-consul", Lock, 409, "failed_lock", "lock is held by another node", FleetLockStatus.Busy },
        { "fleetlock-consul", Lock, 400, "missing_header", "missing header", FleetLockStatus.Refused },
        { "fleetlock-consul", Lock, 400, "invalid_body", "invalid body", FleetLockStatus.Refused },
        { "fleetlock-consul", Lock, 400, "missing_id", "missing id", FleetLockStatus.Refused },

        // ceph
        { "ceph", Lock, 400, "failed_lock_semaphore_full", "semaphore currently full, all slots are locked already", FleetLockStatus.Busy },
        { "ceph", Lock, 400, "failed_lock_cluster_not_healthy", "cluster is not healthy", FleetLockStatus.Busy },
        { "ceph", Lock, 400, "failed_lock_updating_not_enabled", "updating is not enabled", FleetLockStatus.Busy },
        { "ceph", Lock, 400, "failed_lock_not_in_timewindow", "not in the time window", FleetLockStatus.Busy },

        // ours, and the specification's example
        { "ours", Lock, 409, "failed_lock_semaphore_full", "all 3 semaphore slots currently locked", FleetLockStatus.Busy },
        { "ours", Lock, 503, "store_unavailable", "the store does not answer", FleetLockStatus.Unreachable },
        { "ours", Lock, 503, "store_restored", "the store went back to an earlier state", FleetLockStatus.Unreachable },
        { "ours", Lock, 409, "grant_cancelled", "the grant was cancelled", FleetLockStatus.Refused },
        { "ours", Lock, 400, "invalid_grant", "the grant id is invalid", FleetLockStatus.Refused },
        { "ours", Unlock, 503, "shutting_down", "the server is stopping", FleetLockStatus.Unreachable },
        { "ours", Lock, 413, "body_too_large", "the body is over 16 KiB", FleetLockStatus.Refused },
        { "ours", Lock, 404, "not_found", "no such path", FleetLockStatus.ProtocolError },
        { "ours", Lock, 405, "method_not_allowed", "the path takes POST", FleetLockStatus.Refused },
    };

    public static readonly TheoryData<string, int, string, FleetLockStatus> Plain = new()
    {
        { "DynamoDB gateway", 400, "ConditionalCheckFailedException", FleetLockStatus.ProtocolError },
        { "zincati-consul", 503, "could not acquire the semaphore\n", FleetLockStatus.Unreachable },
    };

    public static readonly TheoryData<string, string> BodiesOf200 = new()
    {
        { "airlock, knubbis, fleetlock-consul", "" },
        { "poseidon, zincati-consul", "ok\n" },
        { "heathcliff26", """{"kind":"success","value":"The operation was succesfull"}""" },
        { "ceph", """{"kind":"ok","value":"ok"}""" },
    };

    [Theory]
    [MemberData(nameof(Errors))]
    public async Task An_error_of_the_protocol_is_told_by_kind_and_value_with_the_code(
        string server, FleetLockOperation operation, int status, string kind, string value, FleetLockStatus expected)
    {
        var result = await Exchange.OfAsync(operation, RawAnswer.Http(status, WireFormat.WriteError(kind, value)));

        Assert.True(expected == result.Status, $"{server}: {result.Status} instead of {expected}");
        Assert.Equal(kind, result.Kind);
        Assert.Equal(value, result.Message);
        Assert.Equal(status, result.HttpStatus);

        // A store that failed may have saved all the same.
        Assert.Equal(kind == "store_unavailable" || (kind == "failed_lock" && value == "context deadline exceeded"), result.OutcomeUnknown);
    }

    [Theory]
    [MemberData(nameof(Plain))]
    public async Task A_refusal_in_plain_text_is_at_least_not_a_grant(string server, int status, string body, FleetLockStatus expected)
    {
        var result = await Exchange.OfAsync(Lock, RawAnswer.Http(status, body, "Content-Type: text/plain"));

        Assert.True(expected == result.Status, $"{server}: {result.Status} instead of {expected}");
        Assert.Equal($"generic_http_{status}", result.Kind);
        Assert.Equal("(unknown/generic server error)", result.Message);
    }

    [Theory]
    [MemberData(nameof(BodiesOf200))]
    public async Task A_200_is_a_grant_with_each_servers_body(string server, string body)
    {
        var result = await Exchange.OfAsync(Lock, RawAnswer.Http(200, body));

        Assert.True(result.Status == FleetLockStatus.Granted, server);
        Assert.Null(result.Kind);
    }
}
