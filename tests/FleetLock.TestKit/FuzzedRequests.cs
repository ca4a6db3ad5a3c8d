using System.Text;

namespace FleetLock.TestKit;

/// <summary>Requests with random faults, head and body, from a seed. None of them can take a slot: they name a group that nobody has.</summary>
public static class FuzzedRequests
{
    private const string Body = """{"client_params":{"id":"node","group":"absent-group"}}""";
    private const string Header = "fleet-lock-protocol: true\r\n";

    private static readonly string[] Templates =
    [
        $"POST /v1/pre-reboot HTTP/1.1\r\nHost: h\r\n{Header}Content-Length: {Body.Length}\r\n\r\n{Body}",
        $"POST /v1/steady-state HTTP/1.1\r\nHost: h\r\n{Header}Content-Length: {Body.Length}\r\n\r\n{Body}",
        $"POST /v1/pre-reboot HTTP/1.1\r\nHost: h\r\n{Header}Prefer: wait=1\r\nTransfer-Encoding: chunked\r\n\r\n{Body.Length:x}\r\n{Body}\r\n0\r\n\r\n",
        "GET /v1/groups HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /v1/groups/absent-group HTTP/1.1\r\nHost: h\r\n\r\n",
        $"PUT /v1/groups/absent-group HTTP/1.1\r\nHost: h\r\n{Header}Content-Length: 11\r\n\r\n{{\"slots\":3}}",
        $"DELETE /v1/groups/absent-group/holders/node?reason=dead HTTP/1.1\r\nHost: h\r\n{Header}\r\n",
        "GET /metrics HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer token\r\n\r\n",
    ];

    private static readonly string[] Pieces =
    [
        "\r\n", "\n", "\r", "\0", " ", ":", "%", "%00", "%2F", "..", "//", "\u00FF", "\u00C3\u00A9", "-1", "99999999999999999999", "chunked", "Content-Length: 5\r\n",
        "Transfer-Encoding: chunked\r\n", "Expect: 100-continue\r\n", "Connection: close\r\n", "Upgrade: h2c\r\n", "HTTP/2.0", "HTTP/1.0", "?reason=", "#", "{", "\"",
    ];

    /// <summary>Makes the next one.</summary>
    /// <param name="random">Where the faults come from.</param>
    /// <returns>The bytes to send.</returns>
    public static byte[] Next(Random random)
    {
        if (random.Next(10) == 0)
        {
            var noise = new byte[random.Next(1, 2000)];
            random.NextBytes(noise);
            return noise;
        }

        var bytes = Encoding.Latin1.GetBytes(Templates[random.Next(Templates.Length)]).ToList();
        for (var change = random.Next(1, 5); change > 0 && bytes.Count > 1; change--)
            Change(bytes, random);
        return [.. bytes];
    }

    private static void Change(List<byte> bytes, Random random)
    {
        var at = random.Next(bytes.Count);
        switch (random.Next(6))
        {
            case 0:
                bytes[at] = (byte)random.Next(256);
                break;
            case 1:
                bytes.RemoveAt(at);
                break;
            case 2:
                bytes.InsertRange(at, Encoding.Latin1.GetBytes(Pieces[random.Next(Pieces.Length)]));
                break;
            case 3:
                bytes.InsertRange(at, bytes.GetRange(at, random.Next(bytes.Count - at)));
                break;
            case 4:
                bytes.InsertRange(at, Enumerable.Repeat((byte)'x', random.Next(40_000)));
                break;
            default:
                bytes.RemoveRange(at, random.Next(bytes.Count - at));
                break;
        }
    }
}
