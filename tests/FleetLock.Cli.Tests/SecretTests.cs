using System.Text;
using FleetLock.TestKit;

namespace FleetLock.Cli.Tests;

/// <summary>Whatever happens, no secret stands on standard output or on standard error.</summary>
public sealed class SecretTests : IDisposable
{
    private const string Secret = "hunter2";

    private readonly Ctl _ctl = new();

    public static readonly MatrixTheoryData<string, string> Situations = new(
        ["recursive-lock", "run", "status", "test"],
        ["200", "401", "407", "502", "reset", "not HTTP", "silence", "away", "TLS", "proxy refuses the tunnel"]);

    /// <summary>Options that are wrong, or nearly so, in a way that a message tells of.</summary>
    public static readonly TheoryData<string[]> BadOptions = new()
    {
        { ["-u", "http://operator:hunter2@127.0.0.1:99999"] },
        { ["-u", "ftp://operator:hunter2@fleetlock.example.net"] },
        { ["-u", "operator:hunter2@fleetlock.example.net"] },
        { ["-u", "http://operator:hunter2@fleetlock.example.net/?a=b"] },
        { ["-u", "http://operator:hunter2@fleetlock.example.net#top"] },
        { ["-u", "http://operator:hunt@hunter2@fleetlock invalid"] },
        { ["-u", "http+unix://operator:hunter2@%2Frun%2Ffleetlock.sock"] },
        { ["-u", "http://127.0.0.1:1", "--header", "hunter2"] },
        { ["-u", "http://127.0.0.1:1", "--header", "Bearer hunter2"] },
        { ["-u", "http://127.0.0.1:1", "--header", "X-Api-Key=hunter2"] },
        { ["-u", "http://127.0.0.1:1", "--header", "X Api Key: hunter2"] },
        { ["-u", "http://127.0.0.1:1", "--header", "X-Api-Key: hunter2\u0001"] },
        { ["-u", "http://127.0.0.1:1", "--header", "X-Api-Key: hunter2\u00fc\u4e2d"] },
        { ["-u", "http://127.0.0.1:1", "--header", "If-Match: hunter2"] },
        { ["-u", "http://127.0.0.1:1", "--header", "Authorization: Bearer hunter2"] },
        { ["-u", "http://127.0.0.1:1", "--proxy", "operator:hunter2@proxy.example.net"] },
        { ["-u", "http://127.0.0.1:1", "--proxy", "http://operator:hunter2@proxy.example.net:99999"] },
        { ["-u", "http://127.0.0.1:1", "--proxy", "http://operator:hunter2@proxy.invalid:3128"] },
        { ["-u", "http://127.0.0.1:1", "--token-file", "bad-token.txt"] },
        { ["-u", "http://127.0.0.1:1", "--certificate", "bad-token.txt"] },
        { ["-u", "http://127.0.0.1:1", "--ca-certificate", "bad-token.txt"] },
    };

    public void Dispose() => _ctl.Dispose();

    [Theory]
    [MemberData(nameof(Situations))]
    public async Task No_secret_is_shown_however_the_server_answers(string command, string situation)
    {
        using var nobody = new ClosedPort();
        using var authority = new TestAuthority();
        using var certificate = authority.Issue("127.0.0.1");
        await using var server = new RawServer(situation == "TLS" ? certificate : null, AnswerOf(situation));
        var address = situation == "away" ? nobody.Address : $"127.0.0.1:{server.Port}";
        _ctl.Variables["FLEETLOCK_TOKEN"] = "tokenvariable-" + Secret;
        _ctl.Variables["FLEETLOCK_PASSWORD"] = "passwordvariable-" + Secret;

        // By the proxy or straight, as a user and by a token: not all of them can be used in one request.
        string[] credentials = situation.Length % 2 == 0 ? ["--user", $"operator:user-{Secret}"] : ["--token-file", _ctl.Write("token.txt", "tokenfile-" + Secret)];
        string[] way = situation is "407" or "proxy refuses the tunnel"
            ? ["-u", $"{(situation == "407" ? "http" : "https")}://operator:url-{Secret}@fleetlock.invalid", "--proxy", $"http://operator:proxy-{Secret}@{address}"]
            : ["-u", $"{(situation == "TLS" ? "https" : "http")}://operator:url-{Secret}@{address}"];
        string[] child = command == "run" ? ["--", "true"] : [];

        var finished = await _ctl.RunAsync([command, .. way, "-i", _ctl.Id, "--timeout", "1", "--header", $"X-Api-Key: header-{Secret}", .. credentials, .. child]);

        AssertNoSecret(finished);
    }

    [Theory]
    [MemberData(nameof(BadOptions))]
    public async Task No_secret_is_shown_when_an_option_is_wrong(string[] options)
    {
        _ctl.Write("bad-token.txt", $"two {Secret} words");

        foreach (var command in new[] { "recursive-lock", "test", "config" })
        {
            var finished = await _ctl.RunAsync([command, .. options, "-i", "node1", "--timeout", "5"]);

            AssertNoSecret(finished);
            Assert.True(command == "config" || finished.ExitCode != 0);
        }
    }

    [Theory]
    [InlineData("recursive-lock")]
    [InlineData("run")]
    [InlineData("status")]
    [InlineData("test")]
    public async Task No_secret_of_the_environments_proxy_is_shown(string command)
    {
        await using var proxy = new RawServer(RawAnswer.Http(407, "", "Proxy-Authenticate: Basic realm=\"proxy\""));
        _ctl.Variables["https_proxy"] = _ctl.Variables["HTTPS_PROXY"] = $"http://operator:proxy-{Secret}@127.0.0.1:{proxy.Port}";

        var refused = await _ctl.RunAsync([command, "-u", "https://fleetlock.invalid", "-i", _ctl.Id, .. command == "run" ? new[] { "--", "true" } : []]);

        Assert.NotEmpty(proxy.Requests);
        Assert.NotEqual(0, refused.ExitCode);
        AssertNoSecret(refused);
    }

    private static RawAnswer AnswerOf(string situation) => situation switch
    {
        "200" => RawAnswer.Http(200),
        "401" => RawAnswer.Http(401, "", "WWW-Authenticate: Basic realm=\"fleet\""),
        "407" or "proxy refuses the tunnel" => RawAnswer.Http(407, "", "Proxy-Authenticate: Basic realm=\"proxy\""),
        "502" => RawAnswer.Http(502, "<html>The gateway gave up</html>"),
        "reset" => RawAnswer.Reset,
        "silence" => RawAnswer.Never,
        _ => RawAnswer.Of("SSH-2.0-OpenSSH_9.2p1\r\n").ThenClose(),
    };

    private static void AssertNoSecret(Finished finished)
    {
        var shown = finished.Output + finished.Errors;
        Assert.DoesNotContain(Secret, shown, StringComparison.OrdinalIgnoreCase);
        foreach (var part in new[] { "user", "url", "proxy", "passwordvariable" }.Select(name => Convert.ToBase64String(Encoding.UTF8.GetBytes($"operator:{name}-{Secret}"))))
            Assert.DoesNotContain(part, shown, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", shown, StringComparison.Ordinal);
        Assert.DoesNotContain("Unhandled", shown, StringComparison.Ordinal);
    }
}
