using System.Text;
using FleetLock.TestKit;

namespace FleetLock.Cli.Tests;

/// <summary>How the server is reached: credentials, headers, the time-out and the proxy, on each command that talks to a server.</summary>
public sealed class ConnectionOptionTests : IDisposable
{
    private const string Bearer = "Bearer a-token";
    private const string Granted = "POST /v1/pre-reboot HTTP/1.1";

    /// <summary>Nobody has this name: only a proxy can be asked for it.</summary>
    private const string ByProxyOnly = "http://fleetlock.invalid";

    private static readonly string[] Commands = ["recursive-lock", "unlock-if-held", "run", "status", "test"];

    private readonly Ctl _ctl = new();

    public static readonly MatrixTheoryData<string, string> Tokens = new(Commands, ["--token-file", "FLEETLOCK_TOKEN_FILE", "FLEETLOCK_TOKEN", "configuration file"]);

    public static readonly MatrixTheoryData<string, string> Passwords = new(Commands, ["--user", "FLEETLOCK_PASSWORD"]);

    public static readonly TheoryData<string> AllCommands = [.. Commands];

    public void Dispose() => _ctl.Dispose();

    [Theory]
    [MemberData(nameof(Tokens))]
    public async Task A_token_is_sent_with_each_request(string command, string place)
    {
        await using var server = new RawServer(RawAnswer.Http(200));
        var file = _ctl.Write("token.txt", " a-token\n");
        if (place == "configuration file")
            _ctl.Write("fleetlock/config.json", $$"""{ "tokenFile": "{{file}}" }""");
        else if (place.StartsWith("FLEETLOCK_", StringComparison.Ordinal))
            _ctl.Variables[place] = place == "FLEETLOCK_TOKEN" ? "a-token" : file;

        await RunAsync(command, server.Url, place == "--token-file" ? [place, file] : []);

        AssertSent(server, Bearer);
    }

    [Theory]
    [MemberData(nameof(Passwords))]
    public async Task A_user_and_a_password_are_sent_with_each_request(string command, string place)
    {
        const string Password = "a:pässword";
        await using var server = new RawServer(RawAnswer.Http(200));
        if (place == "FLEETLOCK_PASSWORD")
            _ctl.Variables[place] = Password;

        await RunAsync(command, server.Url, "--user", place == "--user" ? "operator:" + Password : "operator");

        AssertSent(server, "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes("operator:" + Password)));
    }

    [Fact]
    public async Task A_token_file_of_the_command_line_goes_before_a_token_of_the_environment()
    {
        await using var server = new RawServer(RawAnswer.Http(200));
        _ctl.Variables["FLEETLOCK_TOKEN"] = "another-token";

        await RunAsync("recursive-lock", server.Url, "--token-file", _ctl.Write("token.txt", "a-token"));

        AssertSent(server, Bearer);
    }

    [Fact]
    public async Task A_user_of_the_command_line_goes_before_a_token_of_the_environment()
    {
        await using var server = new RawServer(RawAnswer.Http(200));
        _ctl.Variables["FLEETLOCK_TOKEN"] = "another-token";

        await RunAsync("recursive-lock", server.Url, "--user", "operator:password");

        AssertSent(server, "Basic " + Convert.ToBase64String("operator:password"u8));
    }

    [Theory]
    [MemberData(nameof(AllCommands))]
    public async Task Headers_are_sent_with_each_request(string command)
    {
        await using var server = new RawServer(RawAnswer.Http(200));

        await RunAsync(command, server.Url, "--header", "X-Team: blue: and green", "--header", "X-Site:north");

        Assert.NotEmpty(server.Requests);
        Assert.All(server.Requests, request => Assert.Equal(("blue: and green", "north"), (request.Header("X-Team"), request.Header("X-Site"))));
    }

    [Theory]
    [InlineData("recursive-lock", 75)]
    [InlineData("unlock-if-held", 75)]
    [InlineData("run", 75)]
    [InlineData("status", 75)]
    [InlineData("test", 1)]
    public async Task A_server_that_does_not_answer_in_time_is_said_to_be_too_slow(string command, int exitCode)
    {
        await using var server = new RawServer(RawAnswer.Never);

        // The doctor has to have connected before.
        var late = await TestTimeout.LongEnoughAsync(
            seconds => RunAsync(command, server.Url, "--timeout", $"{seconds}"),
            _ => server.Requests.Count > 0);

        Assert.Equal(exitCode, late.ExitCode);
        Assert.Matches($"127[.]0[.]0[.]1:{server.Port} .*[0-9]+ s", late.Errors + late.Output);
    }

    [Fact]
    public async Task A_run_that_got_no_answer_in_time_undoes_its_lock()
    {
        var (late, asked) = await TestTimeout.LongEnoughAsync(
            async seconds =>
            {
                await using var server = new RawServer(RawAnswer.Never, RawAnswer.Http(200));
                var late = await RunAsync("run", server.Url, "--timeout", $"{seconds}");
                return (late, server.Lines().ToArray());
            },
            run => run.Item2.Length == 2);

        Assert.Equal(75, late.ExitCode);
        Assert.False(File.Exists(_ctl.PathOf("ran")));
        Assert.Equal([Granted, Servers.Undo], asked);
    }

    [Fact]
    public async Task An_answer_that_does_not_end_is_no_grant()
    {
        await using var server = new RawServer(RawAnswer.Of("HTTP/1.1 409 Conflict\r\nContent-Length: 100\r\n\r\n{").ThenSilence());

        var late = await TestTimeout.LongEnoughAsync(
            seconds => RunAsync("recursive-lock", server.Url, "--timeout", $"{seconds}"),
            late => late.Errors.Contains("409", StringComparison.Ordinal));

        Assert.Equal(75, late.ExitCode);
        Assert.Contains("409", Assert.Single(late.ErrorLines), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(AllCommands))]
    public async Task Requests_go_to_the_proxy_that_is_named(string command)
    {
        await using var proxy = new RawServer(RawAnswer.Http(200));

        await RunAsync(command, ByProxyOnly, "--proxy", proxy.Url);

        Assert.NotEmpty(proxy.Requests);
        Assert.All(proxy.Requests, request => Assert.Contains($" {ByProxyOnly}/v1/", request.Line, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("recursive-lock", 69)]
    [InlineData("unlock-if-held", 69)]
    [InlineData("run", 69)]
    [InlineData("status", 69)]
    [InlineData("test", 1)]
    public async Task A_proxy_that_wants_to_know_who_asks_is_in_the_way(string command, int exitCode)
    {
        await using var proxy = new RawServer(RawAnswer.Http(407, "<html>Who are you?</html>", "Proxy-Authenticate: Basic realm=\"proxy\""));

        var refused = await RunAsync(command, ByProxyOnly, "--proxy", proxy.Url);

        Assert.Equal(exitCode, refused.ExitCode);
        Assert.False(File.Exists(_ctl.PathOf("ran")));
        Assert.All(proxy.Requests, request => Assert.DoesNotContain("Proxy-Authorization", request.HeaderNames));
    }

    [Fact]
    public async Task A_password_in_the_proxys_address_is_for_the_proxy()
    {
        await using var proxy = new RawServer(RawAnswer.Http(407, "", "Proxy-Authenticate: Basic realm=\"proxy\""), RawAnswer.Http(200));

        var granted = await RunAsync("recursive-lock", ByProxyOnly, "--proxy", $"http://operator:p%40ssword@127.0.0.1:{proxy.Port}");

        Assert.Equal((0, ""), (granted.ExitCode, granted.Errors));
        Assert.Equal("Basic " + Convert.ToBase64String("operator:p@ssword"u8), proxy.Requests[^1].Header("Proxy-Authorization"));
        Assert.Null(proxy.Requests[^1].Header("Authorization"));
    }

    [Fact]
    public async Task A_proxy_that_does_not_let_TLS_through_is_in_the_way()
    {
        await using var proxy = new RawServer(RawAnswer.Http(403, "<html>Not from here</html>"));

        var refused = await RunAsync("recursive-lock", "https://fleetlock.invalid", "--proxy", proxy.Url);

        Assert.Equal(69, refused.ExitCode);
        Assert.Contains("fleetlock.invalid:443", Assert.Single(refused.ErrorLines), StringComparison.Ordinal);
        Assert.Equal("CONNECT fleetlock.invalid:443 HTTP/1.1", Assert.Single(proxy.Requests).Line);
    }

    [Theory]
    [MemberData(nameof(AllCommands))]
    public async Task The_proxy_of_the_environment_is_asked_unless_none_is_wanted(string command)
    {
        await using var proxy = new RawServer(RawAnswer.Http(502));
        await using var server = new RawServer(RawAnswer.Http(200));
        _ctl.Variables["http_proxy"] = _ctl.Variables["HTTP_PROXY"] = proxy.Url;

        await RunAsync(command, server.Url);

        Assert.Empty(server.Requests);
        var asked = proxy.Requests.Count;
        Assert.NotEqual(0, asked);

        await RunAsync(command, server.Url, "--no-proxy");

        Assert.NotEmpty(server.Requests);
        Assert.Equal(asked, proxy.Requests.Count);
    }

    [Fact]
    public async Task The_doctor_says_that_a_proxy_is_on_the_way_and_not_its_password()
    {
        await using var proxy = new RawServer(RawAnswer.Http(200));

        var sick = await RunAsync("test", ByProxyOnly, "--proxy", $"http://operator:hunter2@127.0.0.1:{proxy.Port}");

        Assert.Contains(sick.OutputLines, line => line.StartsWith("ok      Proxy ", StringComparison.Ordinal) && line.Contains($"127.0.0.1:{proxy.Port}", StringComparison.Ordinal));
        Assert.DoesNotContain("hunter2", sick.Output, StringComparison.Ordinal);
    }

    private static void AssertSent(RawServer server, string authorization)
    {
        Assert.NotEmpty(server.Requests);
        Assert.All(server.Requests, request => Assert.Equal(authorization, request.Header("Authorization")));
    }

    private Task<Finished> RunAsync(string command, string url, params string[] options) =>
        _ctl.RunAsync([command, "-u", url, "-i", _ctl.Id, .. options, .. command == "run" ? new[] { "--", "touch", "ran" } : []]);
}
