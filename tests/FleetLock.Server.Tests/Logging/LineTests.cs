using System.Text;
using System.Text.Json;
using FleetLock.TestKit;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using static FleetLock.Server.Tests.Sample;
using static FleetLock.Server.Tests.TestServer;

namespace FleetLock.Server.Tests;

/// <summary>What a line of the log looks like, and which request it belongs to.</summary>
public sealed class LineTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, 678, TimeSpan.Zero);

    [Fact]
    public void Text_has_the_time_the_level_and_the_message() => Assert.Equal(
        ["2026-01-02T03:04:05.678Z info: " + MessageOf(log => ServerLog.Full(log, Group, "a", 2))],
        Write(LogFormat.Text, log => ServerLog.Full(log, Group, "a", 2)));

    [Fact]
    public void The_journal_gets_the_level_as_a_prefix_and_keeps_the_time_itself() => Assert.Equal(
        ["<6>" + MessageOf(log => ServerLog.Granted(log, Group, "a")), "<4>" + MessageOf(log => ServerLog.ForceReleased(log, Group, "a", "me", "gone"))],
        Write(LogFormat.Journal, log =>
        {
            ServerLog.Granted(log, Group, "a");
            ServerLog.ForceReleased(log, Group, "a", "me", "gone");
        }));

    [Fact]
    public void Json_has_the_events_values_beside_its_own_members() => Assert.Equal(
        [$$"""{"time":"2026-01-02T03:04:05.678Z","level":"info","message":"{{MessageOf(log => ServerLog.Full(log, Group, "a", 2))}}","event":"full","group":"workers","id":"a","slots":2}"""],
        Write(LogFormat.Json, log => ServerLog.Full(log, Group, "a", 2)));

    [Fact]
    public void Json_tells_who_freed_a_slot_and_why()
    {
        var line = Json(Assert.Single(Write(LogFormat.Json, log => ServerLog.ForceReleased(log, Group, "a", "admin", "the machine \"a\" is gone"))));

        Assert.Equal(("warning", "admin", "the machine \"a\" is gone"), (line("level"), line("who"), line("reason")));
    }

    [Fact]
    public void Json_has_the_whole_exception_and_text_a_stores_message()
    {
        var fault = new SemaphoreStoreException("the store is away", new IOException("no route"));

        Assert.Contains("no route", Json(Assert.Single(Write(LogFormat.Json, log => ServerLog.StoreFailed(log, fault))))("exception"), StringComparison.Ordinal);
        Assert.EndsWith(": the store is away", Assert.Single(Write(LogFormat.Text, log => ServerLog.StoreFailed(log, fault))), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(LogFormat.Text)]
    [InlineData(LogFormat.Journal)]
    [InlineData(LogFormat.Json)]
    public void Nothing_breaks_a_line_or_steers_a_terminal(LogFormat format)
    {
        const string Evil = "a\r\nfake line\u001b[2J\u2028\u202e\u0000\u0085";

        KeyValuePair<string, object?>[] fields = [new("Evil", Evil)];
        var fault = new InvalidOperationException(Evil);

        var line = Assert.Single(Write(format, log => log.Log(LogLevel.Error, new EventId(1, "Evil"), fields, fault, (_, _) => Evil)));

        Assert.True(TerminalText.IsPrintable(line), line);
    }

    [Fact]
    public void A_field_does_not_overwrite_a_member_of_the_line()
    {
        KeyValuePair<string, object?>[] fields = [new("Level", "high"), new("Other", null)];

        var line = Json(Assert.Single(Write(LogFormat.Json, log => log.Log(LogLevel.Information, default, fields, null, (_, _) => "hello"))));

        Assert.Equal(("info", "high", null), (line("level"), line("level_"), line("other")));
    }

    [Fact]
    public void Another_parts_event_says_whose_it_is()
    {
        Assert.EndsWith("warning: Microsoft.AspNetCore.Server: hello", Assert.Single(Write(LogFormat.Text, Warn, "Microsoft.AspNetCore.Server")), StringComparison.Ordinal);
        Assert.Equal("Microsoft.AspNetCore.Server", Json(Assert.Single(Write(LogFormat.Json, Warn, "Microsoft.AspNetCore.Server")))("category"));

        static void Warn(ILogger log)
        {
            log.Log(LogLevel.Information, default, "told to nobody", null, (state, _) => state);
            log.Log(LogLevel.Warning, default, "hello", null, (state, _) => state);
        }
    }

    [Theory]
    [InlineData("7f1c9a52")]
    [InlineData("a/b:c-d_e.f=!~")]
    [InlineData("0123456789012345678901234567890123456789012345678901234567890123")]
    public async Task The_requests_own_id_is_in_the_answer_and_in_its_lines(string id)
    {
        var (answer, line) = await LockAsync("X-Request-Id: " + id);

        Assert.Equal((id, id), (answer.Header("X-Request-Id"), line("request")));
    }

    [Theory]
    [InlineData("X-Other: none")]
    [InlineData("X-Request-Id:")]
    [InlineData("X-Request-Id: two words")]
    [InlineData("X-Request-Id: esc\u001bape")]
    [InlineData("X-Request-Id: 節點")]
    [InlineData("X-Request-Id: one\r\nX-Request-Id: two")]
    [InlineData("X-Request-Id: 01234567890123456789012345678901234567890123456789012345678901234")]
    public async Task Without_an_id_that_is_fit_to_be_shown_the_server_makes_one(string header)
    {
        var (answer, line) = await LockAsync(header);

        Assert.Matches("^[0-9A-V]{13}:[0-9A-F]{8}$", answer.Header("X-Request-Id"));
        Assert.Equal(answer.Header("X-Request-Id"), line("request"));
    }

    [Fact]
    public async Task A_refusal_has_the_id_too()
    {
        await using var server = await StartAsync(new MemoryStore(), (Group, 1));

        Assert.Equal("mine", (await server.AskAsync(RawClient.Head("GET /nowhere", "X-Request-Id: mine"))).Header("X-Request-Id"));
    }

    private static async Task<(RawResponse Answer, Func<string, string?> Line)> LockAsync(string header)
    {
        using var output = new MemoryStream();
        RawResponse answer;
        await using (var server = await StartAsync(Options(new MemoryStore(), (Group, 1)) with { Logging = logging => logging.AddLines(output, LogFormat.Json) }))
            answer = await server.AskAsync(RawClient.Request(PreReboot, WireFormat.WriteRequest(Group, "a"), ProtocolHeader, header));
        return (answer, name => Json(Assert.Single(Lines(output)))(name));
    }

    /// <summary>The event's own words.</summary>
    private static string MessageOf(Action<ILogger> log)
    {
        using var captured = new CapturedLog();
        log(captured);
        return Assert.Single(captured.Lines).Text;
    }

    private static string[] Write(LogFormat format, Action<ILogger> log, string category = ServerLog.Category)
    {
        using var output = new MemoryStream();
        using (var factory = LoggerFactory.Create(logging => logging.AddLines(output, format, new FakeTimeProvider(Now))))
            log(factory.CreateLogger(category));
        return Lines(output);
    }

    private static string[] Lines(MemoryStream output)
    {
        var text = Encoding.UTF8.GetString(output.ToArray());
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        return text[..^1].Split('\n');
    }

    private static Func<string, string?> Json(string line)
    {
        var members = JsonDocument.Parse(line).RootElement.EnumerateObject().ToDictionary(member => member.Name, member => member.Value.ToString());
        return name => members[name] is { Length: > 0 } value ? value : null;
    }
}
