using FleetLock.TestKit;

namespace FleetLock.Core.Tests;

/// <summary>What the answers of servers that support grants report, and what is taken for no report.</summary>
public sealed class GrantTests
{
    private const string Sent = "0123456789abcdef0123456789abcdef";
    private const string Other = "ffffffffffffffffffffffffffffffff";

    public static readonly TheoryData<string[], string[], string?, bool?> Reports = new()
    {
        { [Sent], ["new"], Sent, true },
        { [Other], ["held"], Other, false },
        { [Sent], ["held"], Sent, false },
        { [], ["held"], null, false },
        { [], [], null, null },
        { [Sent], [], null, null },
        { [Other], [], null, null },
        { [Sent], ["new", "new"], null, null },
        { [Sent], ["new, held"], null, null },
        { [Sent, Sent], ["new"], null, null },
        { [Sent, Other], ["held"], null, null },
        { ["0123"], ["held"], null, null },
        { [""], ["held"], null, null },
        { [Sent + "0"], ["held"], null, null },
        { ["0123456789ABCDEF0123456789ABCDEF"], ["held"], null, null },
    };

    /// <summary>What no lock is answered, and what the message names.</summary>
    public static readonly TheoryData<string[], string[], string> OtherReports = new()
    {
        { [Sent], ["released"], "released" },
        { [Sent], ["kept"], "kept" },
        { [], ["absent"], "absent" },
        { [Sent], ["New"], "New" },
        { [Sent], [""], "Status: '" },
        { [Sent], ["granted"], "granted" },
        { [Sent], ["new", "released"], "released" },
        { [Sent], ["held, released"], "released" },
        { [Other], ["new"], "new grant" },
        { [], ["new"], "new grant" },
        { ["0123"], ["new"], "new grant" },
        { [Sent, Other], ["new"], "new grant" },
        { [Other], ["new, held"], "new grant" },
    };

    public static readonly TheoryData<string, FleetLockStatus, string?> Ends = new()
    {
        { "released", FleetLockStatus.Released, null },
        { "kept", FleetLockStatus.Refused, ErrorKinds.ClientGrantKept },
        { "absent", FleetLockStatus.Refused, ErrorKinds.NotHeld },
    };

    [Theory]
    [MemberData(nameof(Reports))]
    public async Task A_grant_reports_whether_it_is_new(string[] grantIds, string[] statuses, string? grantId, bool? isNew)
    {
        await using var server = new RawServer(RawAnswer.Http(200, "", Headers(grantIds, statuses)));
        using var client = Exchange.ClientOf(server.Url);

        var result = await client.LockAsync(Exchange.Group, Exchange.Id, Sent, TimeSpan.Zero, TestContext.Current.CancellationToken);

        Assert.Equal(FleetLockStatus.Granted, result.Status);
        Assert.Equal((grantId, isNew), (result.GrantId, result.IsNewGrant));
    }

    [Theory]
    [MemberData(nameof(OtherReports))]
    public async Task An_answer_to_another_request_is_not_a_grant_and_is_undone(string[] grantIds, string[] statuses, string named)
    {
        await using var server = new RawServer(
            RawAnswer.Http(200, "", Headers(grantIds, statuses)), RawAnswer.Http(200, "", Headers([Sent], ["released"])));
        using var client = Exchange.ClientOf(server.Url);
        var operation = new LockOperation(client, Exchange.Group, Exchange.Id, Sent);

        var result = await operation.TryAsync(TimeSpan.Zero, TestContext.Current.CancellationToken);

        Assert.Equal((FleetLockStatus.ProtocolError, "generic_http_200", true), (result.Status, result.Kind, result.OutcomeUnknown));
        Assert.Equal((null, null), (result.GrantId, result.IsNewGrant));
        Assert.Contains(named, result.Message, StringComparison.Ordinal);
        Assert.Null(await operation.UndoAsync(TestTimeout.Hang, TestContext.Current.CancellationToken));
        Assert.Equal(2, server.Requests.Count);
    }

    [Theory]
    [InlineData(FleetLockOperation.Lock, 409)]
    [InlineData(FleetLockOperation.Lock, 202)]
    [InlineData(FleetLockOperation.Unlock, 200)]
    public async Task Nothing_but_a_grant_reports_one(FleetLockOperation operation, int status)
    {
        var result = await Exchange.OfAsync(operation, RawAnswer.Http(status, "", $"FleetLock-Grant: {Sent}", "FleetLock-Grant-Status: held"));

        Assert.Equal((null, null), (result.GrantId, result.IsNewGrant));
    }

    [Theory]
    [MemberData(nameof(Ends))]
    public async Task The_release_of_one_grant_is_released_only_if_the_slot_is_free(string end, FleetLockStatus status, string? kind)
    {
        await using var server = new RawServer(RawAnswer.Http(200, "", $"FleetLock-Grant: {Sent}", $"FleetLock-Grant-Status: {end}"));
        using var client = Exchange.ClientOf(server.Url);

        var result = await client.ReleaseGrantAsync("workers", "a b/c", Sent, TestContext.Current.CancellationToken);

        Assert.Equal((FleetLockOperation.Unlock, status, kind, 200, false), (result.Operation, result.Status, result.Kind, result.HttpStatus, result.OutcomeUnknown));
        Assert.Equal($"DELETE /v1/groups/workers/grants/{Sent}?id=a%20b%2Fc HTTP/1.1", Assert.Single(server.Requests).Line);
    }

    [Theory]
    [InlineData(404, "404 page not found", FleetLockStatus.ProtocolError, false)]
    [InlineData(200, "", FleetLockStatus.ProtocolError, true)]
    [InlineData(404, """{"kind":"unknown_group","value":"no such group"}""", FleetLockStatus.Refused, false)]
    [InlineData(403, """{"kind":"forbidden","value":"not yours"}""", FleetLockStatus.Refused, false)]
    [InlineData(503, """{"kind":"store_unavailable","value":"away"}""", FleetLockStatus.Unreachable, true)]
    public async Task Any_other_answer_is_no_release(int code, string body, FleetLockStatus status, bool isUnknown)
    {
        await using var server = new RawServer(RawAnswer.Http(code, body));
        using var client = Exchange.ClientOf(server.Url);

        var result = await client.ReleaseGrantAsync(Exchange.Group, Exchange.Id, Sent, TestContext.Current.CancellationToken);

        Assert.Equal((status, isUnknown), (result.Status, result.OutcomeUnknown));
    }

    [Theory]
    [InlineData("")]
    [InlineData("0123456789abcdef0123456789abcde")]
    [InlineData("0123456789ABCDEF0123456789ABCDEF")]
    public async Task A_grant_id_of_another_form_is_not_sent(string grantId)
    {
        await using var server = new RawServer(RawAnswer.Http(200));
        using var client = Exchange.ClientOf(server.Url);

        var refused = await Assert.ThrowsAsync<FleetLockInputException>(() =>
            client.ReleaseGrantAsync(Exchange.Group, Exchange.Id, grantId, TestContext.Current.CancellationToken));

        Assert.Equal("grantId", refused.Setting);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public void The_header_cannot_be_set_by_hand() => Assert.Throws<FleetLockInputException>(() => new FleetLockClient(new FleetLockClientOptions
    {
        Server = ServerAddress.Parse("http://127.0.0.1:1"),
        Headers = new Dictionary<string, string> { ["fleetlock-grant"] = Sent },
    }));

    [Theory]
    [InlineData("""{"confirmed":true}""", true)]
    [InlineData("""{"confirmed":false}""", false)]
    public async Task A_restored_store_is_confirmed_by_an_answer_that_says_so(string body, bool confirmed)
    {
        await using var server = new RawServer(RawAnswer.Http(200, body));
        using var client = Exchange.ClientOf(server.Url);

        Assert.Equal(confirmed, await client.ConfirmRestoreAsync(TestContext.Current.CancellationToken));

        var request = Assert.Single(server.Requests);
        Assert.Equal("DELETE /v1/restore-mark HTTP/1.1", request.Line);
        Assert.Equal("true", request.Header("fleet-lock-protocol"));
    }

    [Theory]
    [InlineData(200, "", FleetLockStatus.ProtocolError)]
    [InlineData(200, "ok", FleetLockStatus.ProtocolError)]
    [InlineData(200, "{}", FleetLockStatus.ProtocolError)]
    [InlineData(404, "404 page not found", FleetLockStatus.ProtocolError)]
    [InlineData(403, """{"kind":"forbidden","value":"administrators only"}""", FleetLockStatus.Refused)]
    [InlineData(503, """{"kind":"store_unavailable","value":"away"}""", FleetLockStatus.Unreachable)]
    public async Task Another_answer_confirms_nothing(int code, string body, FleetLockStatus status)
    {
        await using var server = new RawServer(RawAnswer.Http(code, body));
        using var client = Exchange.ClientOf(server.Url);

        var refused = await Assert.ThrowsAsync<FleetGroupsException>(() => client.ConfirmRestoreAsync(TestContext.Current.CancellationToken));

        Assert.Equal(status, refused.Status);
    }

    private static string[] Headers(string[] grantIds, string[] statuses) =>
        [.. grantIds.Select(value => "FleetLock-Grant: " + value), .. statuses.Select(value => "FleetLock-Grant-Status: " + value)];
}
