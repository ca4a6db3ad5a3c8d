using FleetLock.TestKit;
using Microsoft.Extensions.Time.Testing;

namespace FleetLock.Core.Tests;

/// <summary>The extensions for one group: show it, change its slots, free a slot by force. Only exactly 200 with a well-formed body about what was asked is a success.</summary>
public sealed class GroupOperationsTests
{
    private const string Shown = """{"group":"workers","slots":2,"free":1,"waiting":3,"holders":[{"id":"a","from":"10.0.0.7","lastAsked":"2026-03-01T12:05:00+00:00"}]}""";
    private const string Freed = """{"id":"a","since":"2026-03-01T12:00:00+00:00","from":"10.0.0.7"}""";

    private static readonly string[] Operations = ["show", "resize", "release"];

    public static readonly TheoryData<string> AllOperations = [.. Operations];

    public static readonly MatrixTheoryData<string, string> HostileNames = new(Operations, [.. HostileAnswers.Rows.Select(row => row.Name)]);

    public static readonly MatrixTheoryData<string, string> OtherBodies = new(
        Operations,
        [
            "",
            "null",
            "{}",
            "[]",
            "42",
            "\"a\"",
            "<html>Please log in</html>",
            Shown[..^1],
            Freed[..^1],
            Shown + Shown,
            Shown.Replace("workers", "others", StringComparison.Ordinal),
            Shown.Replace("\"a\"", "null", StringComparison.Ordinal),
            Shown.Replace("2,", "\"two\",", StringComparison.Ordinal),
            """{"group":"workers","slots":2,"free":1,"holders":null}""",
            Freed.Replace("\"a\"", "\"b\"", StringComparison.Ordinal),
            Freed.Replace("\"a\"", "\"A\"", StringComparison.Ordinal),
            Freed.Replace("2026", "yesterday", StringComparison.Ordinal),
        ]);

    public static readonly MatrixTheoryData<string, (int Code, string? Kind, FleetLockStatus Expected)> Refusals = new(
        Operations,
        [
            (401, null, FleetLockStatus.Refused),
            (403, null, FleetLockStatus.Refused),
            (403, "forbidden", FleetLockStatus.Refused),
            (404, "unknown_group", FleetLockStatus.Refused),
            (404, "not_held", FleetLockStatus.Refused),
            (400, "invalid_request", FleetLockStatus.Refused),
            (503, "store_unavailable", FleetLockStatus.Unreachable),
            (503, null, FleetLockStatus.Unreachable),
            (404, null, FleetLockStatus.ProtocolError),
            (404, "not_found", FleetLockStatus.ProtocolError),
            (405, "method_not_allowed", FleetLockStatus.ProtocolError),
            (400, "missing_header", FleetLockStatus.ProtocolError),
            (202, "success", FleetLockStatus.ProtocolError),
            (501, null, FleetLockStatus.ProtocolError),
        ]);

    public static readonly TheoryData<string, string> Ids = new()
    {
        { "n1", "n1" },
        { "a/b", "a%2Fb" },
        { "a b", "a%20b" },
        { "a+b&reason=x", "a%2Bb%26reason%3Dx" },
        { "a?b#c", "a%3Fb%23c" },
        { "%2F", "%252F" },
        { "é日", "%C3%A9%E6%97%A5" },
        { "..", ".." },
    };

    [Fact]
    public async Task A_group_is_shown_with_what_acts_on_it()
    {
        await using var server = new RawServer(RawAnswer.Http(200, Shown));
        using var client = Exchange.ClientOf(server.Url + "/base/");

        var group = await client.GetGroupAsync("workers", TestContext.Current.CancellationToken);

        Assert.Equal(("workers", 2, 1, 3, server.Url + "/base"), (group.Group, group.Slots, group.Free, group.Waiting, group.Server));
        var expected = new FleetHolder("a", null) { From = "10.0.0.7", LastAsked = new DateTimeOffset(2026, 3, 1, 12, 5, 0, TimeSpan.Zero), Group = "workers", Server = server.Url + "/base" };
        Assert.Equal(expected, Assert.Single(group.Holders));
        Assert.Equal("GET /base/v1/groups/workers HTTP/1.1", Assert.Single(server.Requests).Line);
    }

    [Fact]
    public async Task Slots_are_changed_with_the_header_and_a_body_of_a_known_length()
    {
        await using var server = new RawServer(RawAnswer.Http(200, Shown));
        using var client = Exchange.ClientOf(server.Url);

        Assert.Equal(2, (await client.ResizeAsync("workers", 2, TestContext.Current.CancellationToken)).Slots);

        var request = Assert.Single(server.Requests);
        Assert.Equal(("PUT /v1/groups/workers HTTP/1.1", """{"slots":2}"""), (request.Line, request.Body));
        Assert.Contains("fleet-lock-protocol: true", request.Head, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("Content-Length: 11", request.Head, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [MemberData(nameof(Ids))]
    public async Task A_forced_release_names_any_id_and_its_reason_in_the_query(string id, string escaped)
    {
        await using var server = new RawServer(RawAnswer.Http(200, $$"""{"id":"{{id}}"}"""));
        using var client = Exchange.ClientOf(server.Url);

        var result = await client.ForceReleaseAsync("workers", id, "dead & gone", TestContext.Current.CancellationToken);

        Assert.Equal((FleetLockStatus.Released, id, server.Url), (result.Status, result.Holder?.Id, result.Holder?.Server));
        var request = Assert.Single(server.Requests);
        Assert.Equal($"DELETE /v1/groups/workers/holders?id={escaped}&reason=dead%20%26%20gone HTTP/1.1", request.Line);
        Assert.Contains("fleet-lock-protocol: true", request.Head, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [MemberData(nameof(HostileNames))]
    public async Task Whatever_answers_it_is_no_success(string operation, string name)
    {
        var row = HostileAnswers.Rows.Single(candidate => candidate.Name == name);
        await using var server = row.Serve(operation == "show" ? null : RawAnswer.Http(200, Shown));
        var clock = new FakeTimeProvider();
        using var client = Exchange.ClientOf(server.Url, Exchange.FakeTimeout, clock);

        // Some of the answers do not end, and then the time-out has to: not before the server was asked.
        var operating = FailAsync(client, operation);
        await Task.WhenAny(operating, server.Asked);
        while (await Task.WhenAny(operating, Task.Delay(Exchange.ShortTimeout, TestContext.Current.CancellationToken)) != operating)
            clock.Advance(Exchange.FakeTimeout);

        Assert.NotEqual(FleetLockStatus.Released, await operating);

        // What changes nothing may be sent again by .NET itself, when the connection breaks.
        Assert.True(operation == "show" || server.Requests.Count == 1, $"{server.Requests.Count} requests were sent");
    }

    [Theory]
    [MemberData(nameof(OtherBodies))]
    public async Task A_200_about_something_else_is_no_success(string operation, string body)
    {
        await using var server = new RawServer(RawAnswer.Http(200, body, "Content-Type: application/json"));
        using var client = Exchange.ClientOf(server.Url);

        Assert.Equal(FleetLockStatus.ProtocolError, await FailAsync(client, operation));
    }

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task A_refusal_is_told_from_a_server_that_cannot_do_it(string operation, (int Code, string? Kind, FleetLockStatus Expected) answer)
    {
        var body = answer.Kind is null ? "<html>No</html>"u8.ToArray() : WireFormat.WriteError(answer.Kind, "the server's words");
        await using var server = new RawServer(RawAnswer.Http(answer.Code, body));
        using var client = Exchange.ClientOf(server.Url);

        Assert.Equal(answer.Expected, await FailAsync(client, operation, message =>
            Assert.Equal(answer.Kind is not null, message.Contains("the server's words", StringComparison.Ordinal))));
    }

    [Theory]
    [MemberData(nameof(AllOperations))]
    public async Task Silence_is_a_time_out_that_says_what_is_unknown(string operation)
    {
        await using var server = new RawServer(RawAnswer.Never);

        Assert.Equal(FleetLockStatus.TimedOut, await Exchange.TimedOutAsync(server, client => FailAsync(client, operation, message =>
            Assert.Equal(operation != "show", message.Contains("although no answer arrived", StringComparison.Ordinal)))));
    }

    [Theory]
    [MemberData(nameof(AllOperations))]
    public async Task Nobody_there_is_unreachable(string operation)
    {
        string url;
        await using (var server = new RawServer(RawAnswer.Never))
            url = server.Url;
        using var client = Exchange.ClientOf(url);

        Assert.Equal(FleetLockStatus.Unreachable, await FailAsync(client, operation));
    }

    [Theory]
    [MemberData(nameof(AllOperations))]
    public async Task The_callers_cancellation_is_no_outcome(string operation)
    {
        using var cancellation = new System.Threading.CancellationTokenSource();
        await using var server = new RawServer(RawAnswer.Never);
        using var client = Exchange.ClientOf(server.Url);

        Task call = operation switch
        {
            "show" => client.GetGroupAsync("workers", cancellation.Token),
            "resize" => client.ResizeAsync("workers", 2, cancellation.Token),
            _ => client.ForceReleaseAsync("workers", "a", "dead", cancellation.Token),
        };
        await server.Asked;
        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
    }

    [Theory]
    [InlineData("group", "..", "a", "dead", 1)]
    [InlineData("group", ".", "a", "dead", 1)]
    [InlineData("group", "a/b", "a", "dead", 1)]
    [InlineData("id", "workers", "", "dead", 1)]
    [InlineData("id", "workers", "\u001b", "dead", 1)]
    [InlineData("reason", "workers", "a", "", 1)]
    [InlineData("reason", "workers", "a", " ", 1)]
    [InlineData("reason", "workers", "a", "two\nlines", 1)]
    [InlineData("slots", "workers", "a", "dead", -1)]
    public async Task What_breaks_its_rule_is_not_sent(string setting, string group, string id, string reason, int slots)
    {
        await using var server = new RawServer(RawAnswer.Http(200, Shown));
        using var client = Exchange.ClientOf(server.Url);

        var fault = await Assert.ThrowsAsync<FleetLockInputException>(() => slots < 0
            ? client.ResizeAsync(group, slots, TestContext.Current.CancellationToken)
            : client.ForceReleaseAsync(group, id, reason, TestContext.Current.CancellationToken));

        Assert.Equal(setting, fault.Setting);
        Assert.Empty(server.Requests);
    }

    private static async Task<FleetLockStatus> FailAsync(FleetLockClient client, string operation, Action<string>? check = null)
    {
        if (operation == "release")
        {
            var result = await client.ForceReleaseAsync("workers", "a", "dead", TestContext.Current.CancellationToken);
            Assert.Null(result.Holder);
            Check(new FleetLockException(result).Message);
            return result.Status;
        }

        var fault = await Assert.ThrowsAsync<FleetGroupsException>(() => operation == "show"
            ? client.GetGroupAsync("workers", TestContext.Current.CancellationToken)
            : client.ResizeAsync("workers", 2, TestContext.Current.CancellationToken));
        Check(fault.Message);
        return fault.Status;

        void Check(string message)
        {
            Assert.True(TerminalText.IsPrintable(message), Uri.EscapeDataString(message));
            check?.Invoke(message);
        }
    }
}
