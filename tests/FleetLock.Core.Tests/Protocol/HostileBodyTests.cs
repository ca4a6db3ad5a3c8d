using System.Text;

namespace FleetLock.Core.Tests;

/// <summary>Rules 6 and 7: whatever the bytes of an error's body are, reading them does not throw, and what comes out is fit for a terminal.</summary>
[Trait("Lane", "Fast")]
public sealed class HostileBodyTests
{
    /// <summary>One character is one byte.</summary>
    public static readonly TheoryData<string> NotFleetLock =
    [
        "",
        " ",
        "null",
        "true",
        "0",
        "-1e999",
        "\"kind\"",
        "[]",
        "[{\"kind\":\"a\",\"value\":\"b\"}]",
        "{}",
        "{\"kind\":\"a\"}",
        "{\"value\":\"b\"}",
        "{\"kind\":\"\",\"value\":\"b\"}",
        "{\"kind\":\"a\",\"value\":\"\"}",
        "{\"kind\":null,\"value\":null}",
        "{\"kind\":1,\"value\":2}",
        "{\"kind\":[\"a\"],\"value\":{\"b\":1}}",
        "{\"Kind\":\"a\",\"Value\":\"b\"}",
        "{\"error\":{\"kind\":\"a\",\"value\":\"b\"}}",
        "{\"kind\":\"a\",\"value\":\"b\"",
        "{\"kind\":\"a\",\"value\":\"b",
        "{\"kind\":\"a\",\"value\":\"b\"}}",
        "{\"kind\":\"a\",\"value\":\"b\"}{}",
        "{\"kind\":\"a\",\"value\":\"b\",}",
        "{'kind':'a','value':'b'}",
        "// comment\n{\"kind\":\"a\",\"value\":\"b\"}",
        "{\"kind\":\"a\nb\",\"value\":\"c\"}",
        "{\"kind\":\"\u00ff\u00fe\",\"value\":\"b\"}",
        "{\"kind\":\"a\",\"value\":\"\u00c3\"}",
        "{\"kind\":\"a\",\"value\":\"\u00ed\u00a0\u0080\"}",
        "{\"kind\":\"\\ud800\",\"value\":\"b\"}",
        "{\"kind\":\"a\",\"value\":\"\\udc00\\ud800\"}",
        "{\"\\ud800\":\"x\"}",
        "\u00ef\u00bb\u00bf",
        "\u00ef\u00bb\u00bf\u00ef\u00bb\u00bf{\"kind\":\"a\",\"value\":\"b\"}",
        "\u00ff\u00fe{\u0000}\u0000",
        "\u0000",
        "<html>{\"kind\":\"a\",\"value\":\"b\"}</html>",
        "{\"kind\":\"\\u0007\",\"value\":\"b\"}",
        "{\"kind\":\" \",\"value\":\"b\"}",
        "{\"kind\":\"a\",\"value\":\"\\u001b\\u202e\\r\\n\"}",
    ];

    public static readonly TheoryData<string, string, string> FleetLock = new()
    {
        { "{\"kind\":\"a\",\"value\":\"b\"}", "a", "b" },
        { "\r\n\t {\"value\":\"b\" , \"kind\":\"a\"}\n", "a", "b" },
        { "\u00ef\u00bb\u00bf{\"kind\":\"a\",\"value\":\"b\"}", "a", "b" },
        { "{\"kind\":\"a\",\"value\":\"b\",\"more\":[{\"x\":null}]}", "a", "b" },
        { "{\"\\u006bind\":\"a\",\"value\":\"\\u0062\"}", "a", "b" },
        { "{\"kind\":\"a\",\"value\":\"gr\u00c3\u00b6\u00c3\u009fe \\ud83d\\ude80\"}", "a", "größe \U0001F680" },
        { "{\"kind\":\"a\",\"kind\":\"z\",\"value\":\"b\"}", "z", "b" },
        { "{\"kind\":\"\\u001b[31ma\",\"value\":\"b\\u0000c\\u007fd\\u009be\"}", "[31ma", "b c d e" },
        { "{\"kind\":\"a\",\"value\":\"\\u202eevil\\u202c \\u2066x\\u2069\\u200f\"}", "a", "evil x" },
        { "{\"kind\":\"a\",\"value\":\"line 1\\r\\nline 2\\u2028line 3\\u0085line 4\"}", "a", "line 1 line 2 line 3 line 4" },
    };

    [Theory]
    [MemberData(nameof(NotFleetLock))]
    public void What_is_no_FleetLock_error_falls_back_to_Zincatis_naming(string bytes)
    {
        foreach (var operation in Exchange.Operations)
        {
            var outcome = ResponseReader.Read(operation, 500, Encoding.Latin1.GetBytes(bytes), null);

            Assert.Equal("generic_http_500", outcome.Kind);
            Assert.Equal("(unknown/generic server error)", outcome.Message);
            Assert.Equal(FleetLockStatus.ProtocolError, outcome.Status);
        }
    }

    [Theory]
    [MemberData(nameof(FleetLock))]
    public void A_FleetLock_error_is_read_and_cleaned(string bytes, string kind, string message)
    {
        var outcome = ResponseReader.Read(FleetLockOperation.Lock, 500, Encoding.Latin1.GetBytes(bytes), null);

        Assert.Equal(kind, outcome.Kind);
        Assert.Equal(message, outcome.Message);
    }

    [Theory]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(30_000)]
    public void Deep_nesting_does_not_throw(int depth)
    {
        var nested = string.Concat(Enumerable.Repeat("{\"kind\":", depth)) + "1" + new string('}', depth);
        var inside = "{\"kind\":\"a\",\"value\":\"b\",\"more\":" + new string('[', depth) + new string(']', depth) + "}";

        Assert.Equal("generic_http_500", ReadKind(nested));
        Assert.Equal(depth < 64 ? "a" : "generic_http_500", ReadKind(inside));
    }

    [Fact]
    public void Every_prefix_of_an_error_falls_back()
    {
        const string Error = """{"kind":"lock_held","value":"held by \ud83d\ude80 node"}""";

        Assert.All(Enumerable.Range(0, Error.Length), length => Assert.Equal("generic_http_500", ReadKind(Error[..length])));
        Assert.Equal("lock_held", ReadKind(Error));
    }

    [Fact]
    public void Random_bytes_never_throw()
    {
        var random = new System.Random(20260301);
        var alphabet = Encoding.Latin1.GetBytes("{}[]\":,\\ud80ckinvale0 \u00ff\u00c3\u0000\n");

        for (var i = 0; i < 20_000; i++)
        {
            var bytes = random.GetItems(alphabet, random.Next(40));
            Assert.False(string.IsNullOrEmpty(ResponseReader.Read(FleetLockOperation.Lock, 500, bytes, null).Kind));
        }
    }

    [Fact]
    public void A_long_kind_and_a_long_message_are_cut()
    {
        var body = WireFormat.WriteError(new string('k', 5_000), new string('v', 5_000));

        var outcome = ResponseReader.Read(FleetLockOperation.Lock, 500, body, null);

        Assert.Equal(new string('k', 99) + "…", outcome.Kind);
        Assert.Equal(new string('v', 499) + "…", outcome.Message);
    }

    private static string ReadKind(string body) => ResponseReader.Read(FleetLockOperation.Lock, 500, Encoding.UTF8.GetBytes(body), null).Kind!;
}
