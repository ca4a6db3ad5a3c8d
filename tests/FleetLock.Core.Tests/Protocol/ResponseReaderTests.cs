using System.Text;

namespace FleetLock.Core.Tests;

/// <summary>Every outcome as a pure function of status code and body.</summary>
[Trait("Lane", "Fast")]
public sealed class ResponseReaderTests
{
    private const string Sent = "0123456789abcdef0123456789abcdef";

    private const string Other = "fedcba9876543210fedcba9876543210";

    public static readonly TheoryData<int, FleetLockStatus> WithoutFleetLockBody = new()
    {
        { 201, FleetLockStatus.ProtocolError },
        { 202, FleetLockStatus.Pending },
        { 204, FleetLockStatus.ProtocolError },
        { 302, FleetLockStatus.ProtocolError },
        { 304, FleetLockStatus.ProtocolError },
        { 400, FleetLockStatus.ProtocolError },
        { 401, FleetLockStatus.Refused },
        { 403, FleetLockStatus.Refused },
        { 404, FleetLockStatus.ProtocolError },
        { 405, FleetLockStatus.ProtocolError },
        { 407, FleetLockStatus.Unreachable },
        { 408, FleetLockStatus.Unreachable },
        { 409, FleetLockStatus.ProtocolError },
        { 423, FleetLockStatus.ProtocolError },
        { 425, FleetLockStatus.Unreachable },
        { 429, FleetLockStatus.Unreachable },
        { 500, FleetLockStatus.ProtocolError },
        { 502, FleetLockStatus.Unreachable },
        { 503, FleetLockStatus.Unreachable },
        { 504, FleetLockStatus.Unreachable },
        { 600, FleetLockStatus.ProtocolError },
    };

    public static readonly TheoryData<int, FleetLockStatus> WithAnUnknownKind = new()
    {
        { 201, FleetLockStatus.ProtocolError },
        { 202, FleetLockStatus.Pending },
        { 302, FleetLockStatus.ProtocolError },
        { 400, FleetLockStatus.Refused },
        { 401, FleetLockStatus.Refused },
        { 403, FleetLockStatus.Refused },
        { 404, FleetLockStatus.Refused },
        { 407, FleetLockStatus.Unreachable },
        { 408, FleetLockStatus.Unreachable },
        { 409, FleetLockStatus.Busy },
        { 423, FleetLockStatus.Busy },
        { 425, FleetLockStatus.Unreachable },
        { 429, FleetLockStatus.Busy },
        { 500, FleetLockStatus.Unreachable },
        { 502, FleetLockStatus.Unreachable },
        { 503, FleetLockStatus.Unreachable },
        { 504, FleetLockStatus.Unreachable },
        { 599, FleetLockStatus.Unreachable },
        { 600, FleetLockStatus.ProtocolError },
    };

    /// <summary>Values of the two headers of a 200 to pre-reboot, and what is reported of the grant.</summary>
    public static readonly TheoryData<string[], string[], string?, bool?> GrantHeaders = new()
    {
        { [Sent], ["new"], Sent, true },
        { [Sent], ["held"], Sent, false },
        { [Other], ["held"], Other, false },
        { [], ["held"], null, false },
        { [Sent], [], null, null },
        { [Other], [], null, null },
        { [], [], null, null },
        { [Sent], ["new", "new"], null, null },
        { [Sent], ["new, held"], null, null },
        { [Sent, Sent], ["new"], null, null },
        { [Sent, Other], ["held"], null, null },
        { ["not-a-grant-id"], ["held"], null, null },
    };

    /// <summary>Values of the two headers of a 200 to the release of one grant, and what it says.</summary>
    public static readonly TheoryData<string[], string[], FleetLockStatus, string?> CancellationHeaders = new()
    {
        { [Sent], ["released"], FleetLockStatus.Released, null },
        { [Sent], ["kept"], FleetLockStatus.Refused, "client_grant_kept" },
        { [Sent], ["absent"], FleetLockStatus.Refused, "not_held" },
        { [Sent], ["tomorrow"], FleetLockStatus.ProtocolError, "generic_http_200" },
        { [Sent], [], FleetLockStatus.ProtocolError, "generic_http_200" },
        { [Sent], ["released", "released"], FleetLockStatus.ProtocolError, "generic_http_200" },
        { [], ["released"], FleetLockStatus.ProtocolError, "generic_http_200" },
        { [Other], ["released"], FleetLockStatus.ProtocolError, "generic_http_200" },
        { [Sent, Sent], ["released"], FleetLockStatus.ProtocolError, "generic_http_200" },
    };

    public static readonly MatrixTheoryData<FleetLockOperation, string> Bodies = new(
        Exchange.Operations,
        [
            "",
            "ok",
            "null",
            "<html>login</html>",
            """{"kind":"granted","value":"slot granted"}""",
            """{"kind":"failed_lock_semaphore_full","value":"all 1 semaphore slots currently locked"}""",
            """{"kind":"failed_lock","value":"conflict on semaphore detected, aborting"}""",
            """{"kind":"waiting_for_node_drain","value":"reserved"}""",
            """{"client_params":{"id":"a","group":"b"}}""",
        ]);

    private static IEnumerable<int> AllCodes => Enumerable.Range(100, 900);

    /// <summary>The guard of the first promise: over every status code there is, success is 200 and 200 is success.</summary>
    [Theory]
    [MemberData(nameof(Bodies))]
    public void Of_all_status_codes_200_and_only_200_is_a_success(FleetLockOperation operation, string body)
    {
        var success = operation == FleetLockOperation.Lock ? FleetLockStatus.Granted : FleetLockStatus.Released;

        Assert.Equal([200], AllCodes.Where(status => Read(status, body, operation).Status is FleetLockStatus.Granted or FleetLockStatus.Released));
        Assert.Equal(success, Read(200, body, operation).Status);
    }

    [Theory]
    [MemberData(nameof(Bodies))]
    public void Every_answer_has_a_message_and_its_code_and_every_failure_a_kind(FleetLockOperation operation, string body) =>
        Assert.All(AllCodes, status =>
        {
            var outcome = Read(status, body, operation);
            Assert.Equal(status == 200, string.IsNullOrEmpty(outcome.Kind));
            Assert.False(string.IsNullOrEmpty(outcome.Message));
            Assert.Equal(status, outcome.HttpStatus);
        });

    [Fact]
    public void A_status_that_nobody_set_is_no_grant() => Assert.Equal(FleetLockStatus.ProtocolError, default);

    [Theory]
    [MemberData(nameof(WithoutFleetLockBody))]
    public void A_foreign_body_leaves_the_code_to_decide(int status, FleetLockStatus expected)
    {
        var outcome = Read(status, "<html>some gateway</html>");

        Assert.Equal(expected, outcome.Status);
        Assert.Equal($"generic_http_{status}", outcome.Kind);
        Assert.Equal("(unknown/generic server error)", outcome.Message);
    }

    [Theory]
    [MemberData(nameof(WithAnUnknownKind))]
    public void An_error_of_an_unknown_kind_is_told_by_its_code(int status, FleetLockStatus expected)
    {
        var outcome = Read(status, """{"kind":"a_kind_of_tomorrow","value":"in so many words"}""");

        Assert.Equal(expected, outcome.Status);
        Assert.Equal("a_kind_of_tomorrow", outcome.Kind);
        Assert.Equal("in so many words", outcome.Message);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(409)]
    [InlineData(423)]
    [InlineData(500)]
    [InlineData(503)]
    public void Busy_is_told_by_the_kind_whatever_the_code(int status) =>
        Assert.Equal(FleetLockStatus.Busy, Read(status, """{"kind":"failed_lock_semaphore_full","value":"full"}""").Status);

    [Theory]
    [InlineData(403, "reboot_window")]
    [InlineData(500, "failed_lock_not_in_timewindow")]
    public void Not_now_is_busy_whatever_the_code(int status, string kind) =>
        Assert.Equal(FleetLockStatus.Busy, ReadError(status, kind, "not now").Status);

    [Theory]
    [InlineData(409)]
    [InlineData(500)]
    public void A_reserved_slot_is_pending_whatever_the_code(int status) =>
        Assert.Equal(FleetLockStatus.Pending, Read(status, """{"kind":"waiting_for_node_drain","value":"reserved"}""").Status);

    [Theory]
    [InlineData(100)]
    [InlineData(201)]
    [InlineData(204)]
    [InlineData(302)]
    [InlineData(307)]
    [InlineData(408)]
    [InlineData(499)]
    [InlineData(500)]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(504)]
    [InlineData(520)]
    [InlineData(524)]
    [InlineData(600)]
    public void A_gateway_that_answers_itself_may_have_passed_the_request_on(int status) =>
        Assert.True(Read(status, "<html>Bad gateway</html>").OutcomeUnknown);

    [Theory]
    [InlineData(202)]
    [InlineData(400)]
    [InlineData(401)]
    [InlineData(404)]
    [InlineData(409)]
    [InlineData(429)]
    public void A_refusal_and_a_reservation_leave_nothing_unknown(int status) =>
        Assert.False(Read(status, "<html>No</html>").OutcomeUnknown);

    [Theory]
    [InlineData(201)]
    [InlineData(302)]
    public void A_FleetLock_error_under_a_code_of_something_else_leaves_the_outcome_unknown(int status) =>
        Assert.True(Read(status, """{"kind":"a_kind","value":"a value"}""").OutcomeUnknown);

    [Theory]
    [InlineData(503, "store_unavailable", "the store does not answer", true)]
    [InlineData(400, "store_unavailable", "the store does not answer", true)]
    [InlineData(500, "failed_lock", "context deadline exceeded", true)]
    [InlineData(409, "failed_lock", "the lock is held", false)]
    [InlineData(500, "failed_lock", "all 1 semaphore slots currently locked", false)]
    [InlineData(500, "failed_lock", "conflict on semaphore detected, aborting", false)]
    [InlineData(500, "failed_sem_init", "context deadline exceeded", false)]
    [InlineData(503, "store_restored", "the store was restored", false)]
    [InlineData(409, "grant_cancelled", "the grant was cancelled", false)]
    public void A_store_that_failed_may_have_saved_all_the_same(int status, string kind, string value, bool isUnknown) =>
        Assert.Equal(isUnknown, ReadError(status, kind, value).OutcomeUnknown);

    [Theory]
    [InlineData(409, "failed_lock_semaphore_full", "full", true)]
    [InlineData(423, "lock_held", "held", true)]
    [InlineData(423, "all_slots_full", "full", true)]
    [InlineData(500, "failed_lock", "all 1 semaphore slots currently locked", true)]
    [InlineData(409, "grant_cancelled", "cancelled", true)]
    [InlineData(429, "too_many_requests", "slow down", false)]
    [InlineData(403, "reboot_window", "not now", false)]
    [InlineData(429, "reboot_cooldown", "not now", false)]
    [InlineData(500, "failed_lock", "conflict on semaphore detected, aborting", false)]
    [InlineData(302, "failed_lock_semaphore_full", "full", false)]
    [InlineData(400, "unknown_group", "no such group", false)]
    public void Only_a_full_group_and_a_cancelled_grant_say_that_nothing_is_held(int status, string kind, string value, bool saysSo) =>
        Assert.Equal(saysSo, ReadError(status, kind, value).SaysNotHeld);

    [Theory]
    [InlineData(400)]
    [InlineData(409)]
    [InlineData(504)]
    [InlineData(599)]
    public void An_error_of_the_servers_own_leaves_nothing_unknown(int status) =>
        Assert.False(Read(status, """{"kind":"a_kind","value":"a value"}""").OutcomeUnknown);

    [Theory]
    [InlineData(409, "failed_lock", "conflict on semaphore detected, aborting", true)]
    [InlineData(500, "failed_lock", "conflict on semaphore detected, aborting", true)]
    [InlineData(302, "failed_lock", "conflict on semaphore detected, aborting", false)]
    [InlineData(600, "failed_lock", "conflict on semaphore detected, aborting", false)]
    [InlineData(500, "failed_lock", "all 1 semaphore slots currently locked", false)]
    [InlineData(500, "failed_lock", "context deadline exceeded", false)]
    public void Only_a_conflict_of_writers_is_a_lost_race(int status, string kind, string value, bool isLostRace) =>
        Assert.Equal(isLostRace, ReadError(status, kind, value).LostRace);

    /// <summary>Half an error is none: a kind without a value decides nothing.</summary>
    [Theory]
    [InlineData(409, "failed_lock_semaphore_full", FleetLockStatus.ProtocolError)]
    [InlineData(401, "grant_cancelled", FleetLockStatus.Refused)]
    [InlineData(503, "store_restored", FleetLockStatus.Unreachable)]
    public void A_kind_whose_value_has_nothing_to_show_counts_for_nothing(int status, string kind, FleetLockStatus expected)
    {
        var outcome = ReadError(status, kind, "\u001b \u0007");

        Assert.Equal((expected, $"generic_http_{status}"), (outcome.Status, outcome.Kind));
        Assert.False(outcome.SaysNotHeld);
    }

    [Fact]
    public void Retry_After_goes_with_a_failure() =>
        Assert.Equal(TimeSpan.FromSeconds(7), ResponseReader.Read(FleetLockOperation.Lock, 503, default, TimeSpan.FromSeconds(7)).RetryAfter);

    [Theory]
    [MemberData(nameof(GrantHeaders))]
    public void A_grant_is_new_only_with_the_grant_id_that_was_sent(string[] grantIds, string[] statuses, string? grantId, bool? isNew)
    {
        var granted = Read(200, "");

        var outcome = ResponseReader.ReadGrant(granted, Sent, grantIds, statuses);

        Assert.Equal(granted with { GrantId = grantId, IsNewGrant = isNew }, outcome);
    }

    [Theory]
    [InlineData("released", Sent)]
    [InlineData("New", Sent)]
    [InlineData("tomorrow", Sent)]
    [InlineData("new, kept", Sent)]
    [InlineData("new", Other)]
    [InlineData("new")]
    public void What_no_lock_is_answered_is_not_a_grant_and_its_outcome_is_unknown(string status, params string[] grantIds)
    {
        var outcome = ResponseReader.ReadGrant(Read(200, ""), Sent, grantIds, [status]);

        Assert.Equal((FleetLockStatus.ProtocolError, 200, true), (outcome.Status, outcome.HttpStatus, outcome.OutcomeUnknown));
    }

    [Theory]
    [InlineData(202)]
    [InlineData(409)]
    public void What_is_not_granted_has_no_grant_whatever_the_headers_say(int status)
    {
        var outcome = Read(status, "");

        Assert.Same(outcome, ResponseReader.ReadGrant(outcome, Sent, [Sent], ["new"]));
    }

    [Theory]
    [MemberData(nameof(CancellationHeaders))]
    public void A_grant_is_released_only_where_it_is_echoed(string[] grantIds, string[] statuses, FleetLockStatus status, string? kind)
    {
        var outcome = ResponseReader.ReadCancellation(Read(200, "", FleetLockOperation.Unlock), Sent, grantIds, statuses);

        Assert.Equal((status, kind, 200), (outcome.Status, outcome.Kind, outcome.HttpStatus));
        Assert.Equal(status == FleetLockStatus.ProtocolError, outcome.OutcomeUnknown);
        Assert.NotEmpty(outcome.Message);
    }

    [Theory]
    [InlineData(404, "a_kind_of_tomorrow", FleetLockStatus.ProtocolError)]
    [InlineData(404, "unknown_group", FleetLockStatus.Refused)]
    [InlineData(503, "store_unavailable", FleetLockStatus.Unreachable)]
    public void A_grant_is_not_released_by_an_error_whatever_the_headers_say(int code, string kind, FleetLockStatus status)
    {
        var outcome = ResponseReader.ReadCancellation(ReadError(code, kind, "a value"), Sent, [Sent], ["released"]);

        Assert.Equal((status, code), (outcome.Status, outcome.HttpStatus));
    }

    private static Outcome ReadError(int status, string kind, string value) =>
        ResponseReader.Read(FleetLockOperation.Lock, status, WireFormat.WriteError(kind, value), null);

    private static Outcome Read(int status, string body, FleetLockOperation operation = FleetLockOperation.Lock) =>
        ResponseReader.Read(operation, status, Encoding.UTF8.GetBytes(body), null);
}
