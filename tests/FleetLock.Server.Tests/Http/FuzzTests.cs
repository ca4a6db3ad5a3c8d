using System.Text;
using FleetLock.TestKit;
using static FleetLock.Server.Tests.Answers;
using static FleetLock.Server.Tests.TestServer;

namespace FleetLock.Server.Tests;

/// <summary>Random bodies over connections that stay open: each is refused in good order, and touches no slot.</summary>
public sealed class FuzzTests(UntouchedServers servers) : IClassFixture<UntouchedServers>
{
    private const int BodiesForEachSeed = 250;

    /// <summary>Names a group that the servers do not have, and that a few changes do not make theirs: so no body is to be obeyed.</summary>
    private const string Absent = """{"client_params":{"id":"node","group":"absent-group"}}""";

    // Pieces of which some orders are almost a request.
    private static readonly string[] Tokens =
    [
        "{", "}", "{", "}", "[", "]", ":", ",", ":", ",", " ", "\n",
        "\"client_params\"", "\"client\\u005fparams\"", "\"client_params", "\"id\"", "\"\\u0069d\"", "\"group\"", "\"node\"", "\"absent\"",
        "\"\"", "\"\\ud83d\"", "\"\\ude00 \\ud83d\"", "\"\\ud83dlient_params\"", "\"\\u0000\"", "\"\\", "\"\\u12\"", "\\",
        "null", "true", "0", "-1", "1e999", "NaN", "//", "/**/", "\u00EF\u00BB\u00BF", "\u00FF", "\u00C3\u00A9", "\0",
    ];

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 4)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Random_bytes_are_refused(int seed)
    {
        var random = new Random(seed);
        await AssertAllRefusedAsync(() =>
        {
            var body = new byte[random.Next(200)];
            random.NextBytes(body);
            return body;
        });
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Random_changes_of_a_good_body_are_refused(int seed)
    {
        var random = new Random(seed);
        await AssertAllRefusedAsync(() =>
        {
            var body = Encoding.Latin1.GetBytes(Absent).ToList();
            for (var change = random.Next(1, 4); change > 0; change--)
            {
                var at = random.Next(body.Count);
                if (random.Next(3) != 0)
                    body.RemoveAt(at);
                if (random.Next(3) != 0)
                    body.Insert(at, (byte)random.Next(256));
            }

            return [.. body];
        });
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Random_pieces_of_JSON_are_refused(int seed)
    {
        var random = new Random(seed);
        await AssertAllRefusedAsync(() =>
        {
            var tokens = random.GetItems(Tokens, random.Next(1, 12));
            return Encoding.Latin1.GetBytes(random.Next(2) == 0 ? string.Concat(tokens) : $"{{\"client_params\":{{{string.Concat(tokens)}}}}}");
        });
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Random_names_of_members_are_refused(int seed)
    {
        var random = new Random(seed);
        string[] pieces = [@"\ud83d", @"\ude00", @"\u0069", "i", "d", "_", "client_params", "group"];
        string Name() => string.Concat(random.GetItems(pieces, random.Next(1, 4)));
        await AssertAllRefusedAsync(() => Encoding.Latin1.GetBytes(
            $$$"""{"{{{Name()}}}":0,"client_params":{"{{{Name()}}}":"node","{{{Name()}}}":"absent"},"{{{Name()}}}":[]}"""));
    }

    private async Task AssertAllRefusedAsync(Func<byte[]> next)
    {
        foreach (var (server, line) in servers.Targets)
        {
            using var client = await RawClient.ConnectAsync(server.Address);
            for (var i = 0; i < BodiesForEachSeed; i++)
            {
                var body = next();
                var answer = await client.AskAsync(RawClient.Request(line, body, ProtocolHeader));
                Assert.True(answer.Status == 400, $"{answer.Status} for {Convert.ToHexString(body)}: {Encoding.Latin1.GetString(body)}");
                ReadError(answer);
            }
        }

        await servers.AssertUntouchedAsync();
    }
}
