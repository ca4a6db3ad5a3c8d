using System.Text.Json;
using FleetLock.TestKit;

namespace FleetLock.Cli.Tests;

/// <summary>What the command line asked for is undone by its grant id, and a slot that the id held before is never taken from it.</summary>
public sealed class GrantTests : IDisposable
{
    private const string Lock = "POST /v1/pre-reboot HTTP/1.1";

    private readonly Ctl _ctl = new();

    public void Dispose() => _ctl.Dispose();

    /// <summary>Finding 2, c and d: another session of the machine holds the slot, and this one is interrupted before its answer comes.</summary>
    [Theory]
    [InlineData("recursive-lock")]
    [InlineData("run", "--", "touch", "ran")]
    public async Task An_interrupted_lock_leaves_a_slot_that_was_held_before(string command, params string[] rest)
    {
        Machine.RequireUnix();
        await using var server = await StartServerAsync();
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var late = new RawServer(request => request.Line == Lock ? Keep(asked) : Servers.Forward(server, request));
        await HoldAsync(server);

        var interrupted = _ctl.Start([command, "-u", late.Url, "-i", _ctl.Id, .. rest]);
        await asked.Task.WaitAsync(TestTimeout.Hang, TestContext.Current.CancellationToken);
        await interrupted.SignalAsync("TERM");

        Assert.Equal(130, (await interrupted.EndAsync()).ExitCode);
        Assert.Equal([Lock, Undo(late)], late.Requests.Select(request => request.Line));
        Assert.Equal([_ctl.Id], await server.HoldersAsync("default"));
    }

    /// <summary>The grant was made, and its answer was lost: nobody was told of it.</summary>
    [Theory]
    [InlineData("recursive-lock")]
    [InlineData("run", "--", "touch", "ran")]
    public async Task A_lost_grant_is_undone(string command, params string[] rest)
    {
        await using var server = await StartServerAsync();
        await using var lossy = new RawServer(request => request.Line == Lock ? Lose(server, request) : Servers.Forward(server, request));

        var failed = await _ctl.RunAsync([command, "-u", lossy.Url, "-i", _ctl.Id, .. rest]);

        Assert.Equal((69, ""), (failed.ExitCode, failed.Output));
        Assert.DoesNotContain("may", failed.Errors, StringComparison.Ordinal);
        Assert.Empty(await server.HoldersAsync("default"));
        Assert.False(File.Exists(_ctl.PathOf("ran")));
    }

    [Theory]
    [InlineData("a reset", "may have granted", "recursive-lock")]
    [InlineData("a reservation", "has reserved", "recursive-lock")]
    [InlineData("a reset", "may have granted", "run", "--", "true")]
    [InlineData("a reservation", "has reserved", "run", "--", "true")]
    public async Task Without_grants_the_slot_is_left_and_reported_with_the_command_that_releases_it(string answer, string words, string command, params string[] rest)
    {
        var first = answer == "a reset" ? RawAnswer.Reset : RawAnswer.Http(202, """{"kind":"waiting_for_node_drain","value":"reserved"}""");
        await using var server = new RawServer(first, RawAnswer.Http(404, "404 page not found"));

        var failed = await _ctl.RunAsync([command, "-u", server.Url, "-g", "workers", "-i", "it's me", .. rest]);

        Assert.Contains(words, failed.Errors, StringComparison.Ordinal);
        Assert.Contains($@"fleetlockctl unlock-if-held -u {server.Url} -g workers -i 'it'\''s me'", failed.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain(server.Requests, request => request.Line.Contains("steady-state", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_command_that_cannot_be_started_leaves_a_slot_that_was_held_before()
    {
        await using var server = await StartServerAsync();
        await HoldAsync(server);

        var missing = await _ctl.RunAsync("run", "-u", server.Url(), "-i", _ctl.Id, "--", "no-such-command-of-fleetlock");

        Assert.Equal(127, missing.ExitCode);
        Assert.Equal([_ctl.Id], await server.HoldersAsync("default"));
    }

    [Fact]
    public async Task A_grant_is_printed_and_released_by_its_id()
    {
        await using var server = await StartServerAsync();

        var first = await PrintedAsync(server);
        Assert.True(first.GetProperty("isNewGrant").GetBoolean());
        var released = await ReleaseAsync(server, first);

        Assert.Equal((0, "", ""), (released.ExitCode, released.Output, released.Errors));
        Assert.Empty(await server.HoldersAsync("default"));
    }

    [Fact]
    public async Task A_shared_slot_is_kept_and_a_free_one_is_said_to_be_free()
    {
        await using var server = await StartServerAsync();
        var first = await PrintedAsync(server);
        var second = await PrintedAsync(server);
        Assert.Equal((false, Text(first, "grantId")), (second.GetProperty("isNewGrant").GetBoolean(), Text(second, "grantId")));

        var kept = await ReleaseAsync(server, first);
        Assert.Equal((75, ""), (kept.ExitCode, kept.Output));
        Assert.Contains("(client_grant_kept)", kept.Errors, StringComparison.Ordinal);
        Assert.Equal([_ctl.Id], await server.HoldersAsync("default"));

        Assert.Equal(0, (await _ctl.RunAsync("unlock-if-held", "-u", server.Url(), "-i", _ctl.Id)).ExitCode);
        var absent = await ReleaseAsync(server, first);
        Assert.Equal(77, absent.ExitCode);
        Assert.Contains("(not_held)", absent.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_grant_is_printed_as_a_table()
    {
        await using var server = await StartServerAsync();

        var first = await _ctl.RunAsync("recursive-lock", "-u", server.Url(), "-i", "n1", "-o", "table");
        var second = await _ctl.RunAsync("recursive-lock", "-u", server.Url(), "-i", "n1", "-o", "table");

        Assert.Matches("^default +n1 +[0-9a-f]{32} +yes$", first.OutputLines[1]);
        Assert.Matches("^default +n1 +[0-9a-f]{32} +no$", second.OutputLines[1]);
    }

    [Fact]
    public async Task A_server_without_grants_prints_null()
    {
        await using var server = new RawServer(RawAnswer.Http(200));

        using var printed = JsonDocument.Parse((await _ctl.RunAsync("recursive-lock", "-u", server.Url, "-i", "n1", "-o", "json")).Output);

        Assert.Equal((JsonValueKind.Null, JsonValueKind.Null), (printed.RootElement.GetProperty("grantId").ValueKind, printed.RootElement.GetProperty("isNewGrant").ValueKind));
    }

    [Theory]
    [InlineData(">/dev/full")]
    [InlineData(">&-")]
    public async Task A_grant_that_cannot_be_printed_is_undone(string redirection)
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "There is no /dev/full.");
        await using var server = await StartServerAsync();

        var failed = await _ctl.StartUnder(_ctl.WriteScript("full", $"#!/bin/sh\nexec \"$@\" {redirection}\n"), "recursive-lock", "-u", server.Url(), "-i", _ctl.Id, "-o", "json").FinishAsync();

        Assert.Equal(69, failed.ExitCode);
        Assert.Empty(await server.HoldersAsync("default"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("0123")]
    [InlineData("0123456789ABCDEF0123456789ABCDEF")]
    public async Task A_grant_id_of_another_form_is_bad_usage(string grantId)
    {
        await using var server = new RawServer(RawAnswer.Http(200));

        var refused = await _ctl.RunAsync("unlock-if-held", "-u", server.Url, "-i", "n1", "--grant-id", grantId);

        Assert.Equal((64, ""), (refused.ExitCode, refused.Output));
        Assert.Contains("32 lower-case hexadecimal digits", Assert.Single(refused.ErrorLines), StringComparison.Ordinal);
        Assert.Empty(server.Requests);
    }

    [Theory]
    [InlineData(200, """{"confirmed":true}""", 0)]
    [InlineData(200, "", 76)]
    [InlineData(200, "welcome", 76)]
    [InlineData(404, "404 page not found", 76)]
    [InlineData(403, """{"kind":"forbidden","value":"administrators only"}""", 77)]
    [InlineData(503, """{"kind":"store_unavailable","value":"away"}""", 69)]
    public async Task A_restored_store_is_confirmed(int code, string body, int exitCode)
    {
        await using var server = new RawServer(RawAnswer.Http(code, body));

        var finished = await _ctl.RunAsync("confirm-restore", "-u", server.Url);

        Assert.Equal(exitCode, finished.ExitCode);
        Assert.Equal(exitCode == 0, finished.Output.StartsWith("Confirmed", StringComparison.Ordinal));
        Assert.Equal(exitCode == 0 ? 0 : 1, finished.ErrorLines.Length);
        Assert.Equal("DELETE /v1/restore-mark HTTP/1.1", Assert.Single(server.Requests).Line);
    }

    [Fact]
    public async Task The_real_server_has_nothing_to_confirm_and_says_so_with_success()
    {
        await using var server = await StartServerAsync();

        var finished = await _ctl.RunAsync("confirm-restore", "-u", server.Url());

        Assert.Equal((0, ""), (finished.ExitCode, finished.Errors));
        Assert.Contains("nothing to confirm", finished.Output, StringComparison.Ordinal);
    }

    private static Task<ServerProcess> StartServerAsync() => ServerProcess.StartListeningAsync("--listen", "http://127.0.0.1:0", "--data", ":memory:");

    /// <summary>An earlier lock of the same id, which was answered.</summary>
    private async Task HoldAsync(ServerProcess server) => Assert.Equal(0, (await _ctl.RunAsync("recursive-lock", "-u", server.Url(), "-i", _ctl.Id)).ExitCode);

    private async Task<JsonElement> PrintedAsync(ServerProcess server)
    {
        using var printed = JsonDocument.Parse((await _ctl.RunAsync("recursive-lock", "-u", server.Url(), "-i", _ctl.Id, "-o", "json")).Output);
        return printed.RootElement.Clone();
    }

    private Task<Finished> ReleaseAsync(ServerProcess server, JsonElement grant) =>
        _ctl.RunAsync("unlock-if-held", "-u", server.Url(), "-i", Text(grant, "id"), "--grant-id", Text(grant, "grantId"));

    private string Undo(RawServer server) =>
        $"DELETE /v1/groups/default/grants/{server.Requests[0].Header("FleetLock-Grant")}?id={_ctl.Id}&reason=undo HTTP/1.1";

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;

    private static RawAnswer Keep(TaskCompletionSource asked)
    {
        asked.TrySetResult();
        return RawAnswer.Never;
    }

    private static RawAnswer Lose(ServerProcess server, RawRequest request)
    {
        Servers.Forward(server, request);
        return RawAnswer.Close;
    }
}
