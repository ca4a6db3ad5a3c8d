using System.Text;
using FleetLock.TestKit;
using Microsoft.Extensions.Logging;
using static FleetLock.Server.Tests.Answers;
using static FleetLock.Server.Tests.Sample;
using static FleetLock.Server.Tests.TestServer;

namespace FleetLock.Server.Tests;

/// <summary>What is not even HTTP, or stops in the middle: it grants nothing, releases nothing, and disturbs nobody else.</summary>
public sealed class HostileClientTests(UntouchedServers servers) : IClassFixture<UntouchedServers>
{
    /// <summary>What stands for the request line that would change the server if it were obeyed.</summary>
    private const string Line = "LINE";

    private const string Header = "\r\nHost: test\r\nfleet-lock-protocol: true\r\n";
    private const string Start = Line + " HTTP/1.1" + Header;
    private const string Good = """{"client_params":{"id":"node","group":"workers"}}""";

    /// <summary>Whole messages, one byte for each character, that the server answers with an error or by closing the connection.</summary>
    private static readonly Dictionary<string, string> NonsenseMessages = new()
    {
        ["zeros"] = "\0\0\0\0\r\n\r\n",
        ["a word"] = "nonsense\r\n\r\n",
        ["TLS"] = "\u0016\u0003\u0001\u0002\0\u0001\0\u0001\u00FC\u0003\u0003\r\n\r\n",
        ["HTTP/2"] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        ["no version"] = Line + "\r\n\r\n",
        ["version 0.9"] = Line + " HTTP/0.9" + Header + "Content-Length: 49\r\n\r\n" + Good,
        ["version 9.9"] = Line + " HTTP/9.9" + Header + "Content-Length: 49\r\n\r\n" + Good,
        ["version 1.0 without a length"] = Line + " HTTP/1.0" + Header + "\r\n" + Good,
        ["no Host"] = Line + " HTTP/1.1\r\nfleet-lock-protocol: true\r\nContent-Length: 49\r\n\r\n" + Good,
        ["two Hosts"] = Line + " HTTP/1.1\r\nHost: a" + Header + "Content-Length: 49\r\n\r\n" + Good,
        ["a zero in the path"] = Line + "\0 HTTP/1.1" + Header + "Content-Length: 49\r\n\r\n" + Good,
        ["a long path"] = Line + new string('x', 20_000) + " HTTP/1.1" + Header + "Content-Length: 49\r\n\r\n" + Good,
        ["a long header"] = Start + "X: " + new string('x', 40_000) + "\r\nContent-Length: 49\r\n\r\n" + Good,
        ["a header without a colon"] = Start + "no colon\r\nContent-Length: 49\r\n\r\n" + Good,
        ["a zero in a header"] = Start + "X: a\0b\r\nContent-Length: 49\r\n\r\n" + Good,
        ["a header that is not UTF-8"] = Start + "X: \u00FF\r\nContent-Length: 49\r\n\r\n" + Good,
        ["a space before a colon"] = Start + "Content-Length : 49\r\n\r\n" + Good,
        ["a length that is a word"] = Start + "Content-Length: abc\r\n\r\n" + Good,
        ["a length below zero"] = Start + "Content-Length: -1\r\n\r\n" + Good,
        ["a length twice in one header"] = Start + "Content-Length: 49, 49\r\n\r\n" + Good,
        ["two lengths"] = Start + "Content-Length: 49\r\nContent-Length: 9\r\n\r\n" + Good,
        ["a length beyond 64 bits"] = Start + "Content-Length: 99999999999999999999\r\n\r\n" + Good,
        ["a length that is one short"] = Start + "Content-Length: 48\r\n\r\n" + Good + "\r\n\r\n",
        ["no length"] = Start + "\r\n" + Good + "\r\n\r\n",
        ["another encoding"] = Start + "Transfer-Encoding: gzip\r\n\r\n" + Good,
        ["another encoding at the end"] = Start + "Transfer-Encoding: chunked, gzip\r\n\r\n31\r\n" + Good + "\r\n0\r\n\r\n",
        ["no chunks"] = Start + "Transfer-Encoding: chunked\r\n\r\n" + Good,
        ["a chunk's size that is a word"] = Start + "Transfer-Encoding: chunked\r\n\r\nzz\r\n" + Good + "\r\n0\r\n\r\n",
        ["a chunk's size below zero"] = Start + "Transfer-Encoding: chunked\r\n\r\n-31\r\n" + Good + "\r\n0\r\n\r\n",
        ["a chunk's size beyond 32 bits"] = Start + "Transfer-Encoding: chunked\r\n\r\nFFFFFFFFF\r\n" + Good + "\r\n0\r\n\r\n",
        ["a chunk's size beyond 64 bits"] = Start + "Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFF\r\n" + Good + "\r\n0\r\n\r\n",
        ["a chunk's size that is one short"] = Start + "Transfer-Encoding: chunked\r\n\r\n30\r\n" + Good + "\r\n0\r\n\r\n",
    };

    /// <summary>Beginnings, one byte for each character, of a request that would be obeyed if it went on.</summary>
    private static readonly Dictionary<string, string> RequestBeginnings = new()
    {
        ["nothing"] = "",
        ["half a method"] = "PO",
        ["a method and a path"] = Line,
        ["some headers"] = Start,
        ["the head"] = Start + "Content-Length: 49\r\n\r\n",
        ["a body without its last byte"] = Start + "Content-Length: 49\r\n\r\n" + Good[..48],
        ["a whole body that is announced as longer by one"] = Start + "Content-Length: 50\r\n\r\n" + Good,
        ["a whole body that is announced as longer by far"] = Start + "Content-Length: 9999\r\n\r\n" + Good,
        ["no chunk"] = Start + "Transfer-Encoding: chunked\r\n\r\n",
        ["half a chunk"] = Start + "Transfer-Encoding: chunked\r\n\r\n31\r\n" + Good[..20],
        ["a chunk without its end"] = Start + "Transfer-Encoding: chunked\r\n\r\n31\r\n" + Good,
        ["a chunk"] = Start + "Transfer-Encoding: chunked\r\n\r\n31\r\n" + Good + "\r\n",
        ["a chunk and half the end"] = Start + "Transfer-Encoding: chunked\r\n\r\n31\r\n" + Good + "\r\n0\r\n",
    };

    public static TheoryData<string> Nonsense => [.. NonsenseMessages.Keys];

    public static TheoryData<string> Beginnings => [.. RequestBeginnings.Keys];

    [Theory]
    [MemberData(nameof(Nonsense))]
    public async Task Nonsense_is_not_obeyed(string what)
    {
        foreach (var (server, line) in servers.Targets)
        {
            using var client = await RawClient.ConnectAsync(server.Address);
            try
            {
                var answer = await client.AskAsync(Bytes(NonsenseMessages[what], line));
                Assert.True(answer.Status is (>= 400 and < 500) or 505, answer.Head);
            }
            catch (IOException)
            {
                // Closed without an answer: as good as a refusal.
            }
        }

        await servers.AssertUntouchedAsync();
    }

    [Theory]
    [MemberData(nameof(Beginnings))]
    public async Task A_request_that_stops_in_the_middle_is_not_obeyed(string upTo)
    {
        foreach (var (server, line) in servers.Targets)
        {
            using var other = await RawClient.ConnectAsync(server.Address);
            using (var client = await RawClient.ConnectAsync(server.Address))
            using (var rude = await RawClient.ConnectAsync(server.Address))
            {
                await client.SendAsync(Bytes(RequestBeginnings[upTo], line));
                await rude.SendAsync(Bytes(RequestBeginnings[upTo], line));
                Assert.Equal(200, (await other.AskAsync(RawClient.Head("GET /healthz"))).Status);
                rude.Reset();
            }

            Assert.Equal(200, (await other.AskAsync(RawClient.Head("GET /healthz"))).Status);
        }

        await servers.AssertUntouchedAsync();
    }

    [Fact]
    public async Task Many_that_stop_in_the_middle_keep_nobody_waiting()
    {
        await using var server = await StartAsync(new MemoryStore(), (Group, 1));
        var stuck = new RawClient[100];
        for (var i = 0; i < stuck.Length; i++)
        {
            stuck[i] = await RawClient.ConnectAsync(server.Address);
            await stuck[i].SendAsync(Bytes(Start + "Content-Length: 49\r\n\r\n" + Good[..48], PreReboot));
        }

        AssertDone(await server.LockAsync("a"));
        AssertDone(await server.UnlockAsync("a"));
        Array.ForEach(stuck, client => client.Dispose());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_that_goes_away_in_the_middle_is_no_error_in_the_log(bool rudely)
    {
        using var log = new CapturedLog();
        var options = Options(new MemoryStore(), (Group, 1)) with { Logging = logging => logging.AddProvider(log) };
        await using (var server = await StartAsync(options))
        {
            for (var i = 0; i < 25; i++)
            {
                using var client = await RawClient.ConnectAsync(server.Address);
                await client.SendAsync(Bytes(Start + "Expect: 100-continue\r\nContent-Length: 49\r\n\r\n", PreReboot));

                // Now the server is reading the body.
                Assert.Equal(100, (await client.ReceiveAsync())!.Status);
                await client.SendAsync(Bytes(Good[..20], PreReboot));
                if (rudely)
                    client.Reset();
            }
        }

        Assert.DoesNotContain(log.Lines, line => line.Level >= LogLevel.Warning);
    }

    private static byte[] Bytes(string characters, string line) => Encoding.Latin1.GetBytes(characters.Replace(Line, line, StringComparison.Ordinal));
}
