using FleetLock.TestKit;

namespace FleetLock.Core.Tests;

/// <summary>Whatever answers: no false grant, no exception, one status and one message. The cases are the lines of <see cref="HostileAnswers"/>.</summary>
public sealed class HostileServerTests
{
    public static readonly MatrixTheoryData<FleetLockOperation, string> Names = new(Exchange.Operations, [.. HostileAnswers.Rows.Select(row => row.Name)]);

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Nothing_but_a_200_is_a_success(FleetLockOperation operation, string name)
    {
        var row = HostileAnswers.Rows.Single(candidate => candidate.Name == name);
        await using var server = row.Serve(row.IsRepeated ? null : RawAnswer.Http(200));
        using var client = Exchange.ClientOf(server.Url);

        var result = row.Expected == FleetLockStatus.TimedOut
            ? await Exchange.TimedOutAsync(server, impatient => impatient.SendAsync(operation))
            : await client.SendAsync(operation);

        AssertOutcome(operation, row.Expected, result);
        Assert.True(result.HttpStatus == 200 || !result.IsSuccess);
        Assert.True(row.IsRepeated || server.Requests.Count == 1, $"{server.Requests.Count} requests were sent");
    }

    [Fact]
    public void The_table_has_at_least_150_cases() => Assert.InRange(HostileAnswers.Rows.Count, 150, int.MaxValue);

    [Fact]
    public async Task An_answer_that_nobody_has_asked_for_is_not_the_next_ones()
    {
        // Both in one write, so that the second is there when the connection goes back to the pool.
        var refusal = "HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\n\r\n";
        await using var server = new RawServer(RawAnswer.Of(refusal + "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), RawAnswer.Of(refusal));
        using var client = Exchange.ClientOf(server.Url);

        var first = await client.SendAsync(FleetLockOperation.Lock);
        var second = await client.SendAsync(FleetLockOperation.Lock);

        Assert.Equal([409, 409], new[] { first.HttpStatus, second.HttpStatus });
        Assert.Equal(2, server.Requests.Count);
    }

    internal static void AssertOutcome(FleetLockOperation operation, FleetLockStatus expectedOfLock, FleetLockResult result)
    {
        var expected = expectedOfLock == FleetLockStatus.Granted && operation == FleetLockOperation.Unlock ? FleetLockStatus.Released : expectedOfLock;
#if NET
        Assert.True(expected == result.Status, $"{result.Status} instead of {expected}: {result.Message} ({result.HttpStatus}, {result.Kind})");
#else
        // .NET Framework's HTTP stack, and Mono's, do not call every failure by the same name. What is a failure is one nevertheless.
        Assert.True(expected == result.Status || !result.IsSuccess, $"{result.Status} instead of {expected}: {result.Message} ({result.HttpStatus}, {result.Kind})");
#endif
        Assert.NotEmpty(result.Message);
        Assert.True(TerminalText.IsPrintable(result.Message), Uri.EscapeDataString(result.Message));
        Assert.Equal(result.IsSuccess, result.Kind is null);
        Assert.True(TerminalText.IsPrintable(result.Kind ?? ""));
    }
}
