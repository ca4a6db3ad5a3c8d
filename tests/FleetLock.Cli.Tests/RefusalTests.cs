using FleetLock.TestKit;

namespace FleetLock.Cli.Tests;

/// <summary>What <c>recursive-lock</c> and <c>unlock-if-held</c> say, and their exit codes, when the answer is not exactly 200.</summary>
public sealed class RefusalTests : IDisposable
{
    private const string Html = "<html><body>Please log in</body></html>";

    private readonly Ctl _ctl = new();

    public static readonly TheoryData<int, string, int, string> Answers = new()
    {
        { 409, """{"kind":"failed_lock_semaphore_full","value":"all 3 semaphore slots currently locked"}""", 75, "all 3 semaphore slots currently locked (failed_lock_semaphore_full)" },
        { 500, """{"kind":"failed_lock","value":"all 1 semaphore slots currently locked"}""", 75, "all 1 semaphore slots currently locked (failed_lock)" },
        { 202, """{"kind":"waiting_for_node_drain","value":"reserved, not drained yet"}""", 75, "reserved, not drained yet (waiting_for_node_drain)" },
        { 202, "", 75, "(generic_http_202)" },
        { 400, """{"kind":"unknown_group","value":"no such group"}""", 77, "no such group (unknown_group)" },
        { 401, Html, 77, "(generic_http_401)" },
        { 403, Html, 77, "(generic_http_403)" },
        { 503, """{"kind":"store_unavailable","value":"the store is away"}""", 69, "the store is away (store_unavailable)" },
        { 201, "", 76, "(generic_http_201)" },
        { 204, "", 76, "(generic_http_204)" },
        { 404, Html, 76, "(generic_http_404)" },
        { 500, "null", 76, "(generic_http_500)" },
        { 500, "[]", 76, "(generic_http_500)" },
        { 409, """{"kind":"failed_lock_semaphore_full","val""", 76, "(generic_http_409)" },
    };

    public void Dispose() => _ctl.Dispose();

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task A_refusal_is_one_line_and_an_exit_code_and_another_line_for_what_may_be_left(int status, string body, int exitCode, string message)
    {
        await using var server = new RawServer(RawAnswer.Http(status, body));

        var refused = await LockAsync(server.Url);

        var isUndone = server.Requests.Any(request => request.Line.StartsWith("DELETE", StringComparison.Ordinal));
        Assert.EndsWith(message, refused.ErrorLines[0], StringComparison.Ordinal);
        Assert.Equal(isUndone ? 2 : 1, refused.ErrorLines.Length);
        Assert.All(refused.ErrorLines.Skip(1), line => Assert.Contains("fleetlockctl unlock-if-held ", line, StringComparison.Ordinal));
        Assert.Equal((exitCode, ""), (refused.ExitCode, refused.Output));
    }

    [Fact]
    public async Task A_gateways_error_leaves_the_outcome_unknown_and_says_so()
    {
        await using var server = new RawServer(RawAnswer.Http(502, Html));

        var refused = await LockAsync(server.Url);

        Assert.Equal((69, ""), (refused.ExitCode, refused.Output));
        Assert.Equal(2, refused.ErrorLines.Length);
        Assert.EndsWith("(generic_http_502)", refused.ErrorLines[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(409, """{"kind":"failed_lock","value":"all 1 semaphore slots currently locked"}""", 75, "all 1 semaphore slots currently locked (failed_lock)")]
    [InlineData(400, """{"kind":"unknown_group","value":"no such group"}""", 77, "no such group (unknown_group)")]
    [InlineData(404, Html, 76, "(generic_http_404)")]
    public async Task A_refused_unlock_says_so(int status, string body, int exitCode, string message)
    {
        await using var server = new RawServer(RawAnswer.Http(status, body));

        var refused = await _ctl.RunAsync("unlock-if-held", "-u", server.Url, "-i", "node1");

        Assert.EndsWith(message, Assert.Single(refused.ErrorLines), StringComparison.Ordinal);
        Assert.Equal((exitCode, ""), (refused.ExitCode, refused.Output));
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("""{"kind":"failed_lock_semaphore_full","value":"all 1 semaphore slots currently locked"}""")]
    public async Task A_200_is_a_grant_whatever_its_body_says(string body)
    {
        await using var server = new RawServer(RawAnswer.Http(200, body));

        var granted = await LockAsync(server.Url);

        Assert.Equal((0, "", ""), (granted.ExitCode, granted.Output, granted.Errors));
    }

    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task A_redirect_is_not_followed_to_a_page_that_says_200(int status)
    {
        await using var login = new RawServer(RawAnswer.Http(200, Html));
        await using var server = new RawServer(RawAnswer.Http(status, "", "Location: " + login.Url + "/"));

        var refused = await LockAsync(server.Url);

        Assert.Equal(76, refused.ExitCode);
        Assert.Empty(login.Requests);
    }

    [Fact]
    public async Task What_is_not_HTTP_is_a_protocol_error()
    {
        await using var server = new RawServer(RawAnswer.Of("SSH-2.0-OpenSSH_9.2p1\r\n").ThenClose());

        var refused = await LockAsync(server.Url);

        Assert.Equal(76, refused.ExitCode);
        Assert.Contains($"127.0.0.1:{server.Port}", refused.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_nobody_listens_the_server_is_unavailable()
    {
        using var nobody = new ClosedPort();

        var refused = await LockAsync(nobody.Url);

        Assert.Equal(69, refused.ExitCode);
        Assert.Contains(nobody.Address, Assert.Single(refused.ErrorLines), StringComparison.Ordinal);
        Assert.EndsWith("(client_failed_request)", refused.ErrorLines[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("recursive-lock")]
    [InlineData("unlock-if-held")]
    public async Task A_lost_answer_leaves_the_outcome_unknown_and_says_so(string command)
    {
        await using var server = new RawServer(RawAnswer.Reset);

        var lost = await _ctl.RunAsync(command, "-u", server.Url, "-i", "node1");

        Assert.Equal(69, lost.ExitCode);
        Assert.Equal(2, lost.ErrorLines.Length);
        Assert.DoesNotContain(server.Requests.Skip(1), request => request.Line.StartsWith("POST", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_the_server_says_cannot_steer_the_terminal()
    {
        await using var server = new RawServer(RawAnswer.Http(409, """{"kind":"lock_held\u001b]0;x\u0007","value":"full\u001b[2J\r\nError: none\u009b\u202e\u0000."}"""));

        var refused = await LockAsync(server.Url);

        Assert.Single(refused.ErrorLines);
        Assert.DoesNotContain(refused.Errors.TrimEnd(), c => char.IsControl(c) || c == '\u202e');
        Assert.Contains("full [2J Error: none", refused.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_password_in_the_URL_is_sent_and_not_shown()
    {
        await using var server = new RawServer(RawAnswer.Http(401, Html));

        var refused = await LockAsync($"http://operator:hunter2@127.0.0.1:{server.Port}");

        Assert.Equal("Basic b3BlcmF0b3I6aHVudGVyMg==", Assert.Single(server.Requests).Header("Authorization"));
        Assert.DoesNotContain("hunter2", refused.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("recursive-lock")]
    [InlineData("unlock-if-held")]
    [InlineData("status")]
    [InlineData("run", "--", "touch", "ran")]
    public async Task Without_a_server_the_command_says_what_to_set_and_nothing_local_takes_its_place(params string[] line)
    {
        var refused = await _ctl.RunAsync(line);

        Assert.Equal((64, ""), (refused.ExitCode, refused.Output));
        var message = Assert.Single(refused.ErrorLines);
        Assert.Contains("--url", message, StringComparison.Ordinal);
        Assert.Contains("FLEETLOCK_URL", message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_ctl.Folder));
    }

    [Fact]
    public async Task An_interrupted_lock_says_that_its_outcome_is_unknown()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no signals.");
        await using var server = new RawServer(RawAnswer.Never, RawAnswer.Http(404));
        var process = _ctl.Start("recursive-lock", "-u", server.Url, "-i", "node1");
        await server.Asked.WaitAsync(TestTimeout.Hang, TestContext.Current.CancellationToken);

        await process.SignalAsync("TERM");
        var interrupted = await process.FinishAsync();

        Assert.Equal(130, interrupted.ExitCode);
        Assert.Single(interrupted.ErrorLines);
    }

    private Task<Finished> LockAsync(string url) => _ctl.RunAsync("recursive-lock", "-u", url, "-i", "node1");
}
