using System.Text.Json;
using FleetLock.TestKit;

namespace FleetLock.Cli.Tests;

/// <summary>What an operator may do: <c>force-release</c> frees the slot of another machine, <c>set-slots</c> changes a group's slots.</summary>
public sealed class OperatorTests : IDisposable
{
    private readonly Ctl _ctl = new();

    public static TheoryData<string> OddIds => ["n1", "a/b", "..", ".", "%2F", "a%2Fb", "é", "a b", "a?b#c", "a+b", "a&id=x", "日本", "it's"];

    public void Dispose() => _ctl.Dispose();

    [Fact]
    public async Task A_forced_release_prints_the_holder_and_frees_no_other_slot()
    {
        await using var server = await StartServerAsync();
        await LockAsync(server, "n1", "n2");

        var released = await ForceReleaseAsync(server, "n1");

        Assert.Equal((0, ""), (released.ExitCode, released.Errors));
        Assert.Matches("^workers +n1 +[0-9-]+ [0-9:]+ +127.0.0.1$", released.OutputLines[1]);
        Assert.Equal(["n2"], await server.HoldersAsync("workers"));
    }

    [Fact]
    public async Task Its_json_says_who_held_the_slot()
    {
        await using var server = await StartServerAsync();
        await LockAsync(server, "n1");

        using var holder = JsonDocument.Parse((await ForceReleaseAsync(server, "n1", "-o", "json")).Output);

        Assert.Equal(("n1", "127.0.0.1"), (holder.RootElement.GetProperty("id").GetString(), holder.RootElement.GetProperty("from").GetString()));
        Assert.False(holder.RootElement.TryGetProperty("server", out _));
    }

    [Fact]
    public async Task The_log_says_who_did_it_and_why()
    {
        var server = await StartServerAsync();
        await using (server)
        {
            await LockAsync(server, "n1");
            await ForceReleaseAsync(server, "n1");
            await server.SignalAsync("TERM");
            await server.WaitForExitAsync();
        }

        Assert.Contains(server.Errors, line => line.Contains(" n1 ", StringComparison.Ordinal) && line.Contains("127.0.0.1: disk died", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(OddIds))]
    public async Task Any_id_goes_there_and_comes_back(string id)
    {
        await using var server = await StartServerAsync();
        using var client = new FleetLockClient(server.Url());
        foreach (var holder in new[] { id, "other" })
            Assert.True((await client.LockAsync("workers", holder, TestContext.Current.CancellationToken)).IsSuccess);

        var released = await client.ForceReleaseAsync("workers", id, "disk died", TestContext.Current.CancellationToken);

        Assert.Equal((FleetLockStatus.Released, id), (released.Status, released.Holder?.Id));
        Assert.Equal(["other"], await server.HoldersAsync("workers"));
    }

    [Theory]
    [InlineData("holders/n1?reason=x", 200, "n1")]
    [InlineData("holders/a%20b?reason=x", 200, "a b")]
    [InlineData("holders/a%2Fb?reason=x", 200, "a/b")]
    [InlineData("holders/a%2Fb?reason=x", 404, "a%2Fb")]
    [InlineData("holders/a%252fb?reason=x", 200, "a%2fb")]
    [InlineData("holders?id=a%2Fb&reason=x", 200, "a/b")]
    [InlineData("holders?id=a%252Fb&reason=x", 200, "a%2Fb")]
    [InlineData("holders/..?reason=x", 405, "..")]
    [InlineData("holders/.?reason=x", 400, ".")]
    [InlineData("holders?reason=x", 400, "n1")]
    [InlineData("holders?id=n1&id=n1&reason=x", 400, "n1")]
    [InlineData("holders?id=n1", 400, "n1")]
    [InlineData("holders/n1?id=n2&reason=x", 400, "n1")]
    public async Task On_the_wire_a_path_that_may_mean_another_id_frees_nothing(string path, int code, string id)
    {
        await using var server = await StartServerAsync();
        using var client = new FleetLockClient(server.Url());
        Assert.True((await client.LockAsync("workers", id, TestContext.Current.CancellationToken)).IsSuccess);

        var answer = await RawClient.AskAsync(server.Address, RawClient.Head($"DELETE /v1/groups/workers/{path}", "fleet-lock-protocol: true"));

        Assert.Equal(code, answer.Status);
        Assert.Equal(code == 200 ? [] : [id], await server.HoldersAsync("workers"));
    }

    [Fact]
    public async Task An_id_that_holds_none_is_77_because_it_may_be_misspelt()
    {
        await using var server = await StartServerAsync();

        var refused = await ForceReleaseAsync(server, "nope");

        Assert.Equal((77, ""), (refused.ExitCode, refused.Output));
        Assert.Contains("(not_held)", Assert.Single(refused.ErrorLines), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--reason is required", "-i", "n1")]
    [InlineData("a reason", "-i", "n1", "--reason", "")]
    [InlineData("--id", "--reason", "dead")]
    public async Task Without_a_reason_or_an_id_nothing_is_sent(string words, params string[] line)
    {
        await using var server = new RawServer(RawAnswer.Http(200, """{"id":"n1"}"""));
        _ctl.Variables["FLEETLOCK_ID"] = "n1";

        var refused = await _ctl.RunAsync(["force-release", "-u", server.Url, "-g", "workers", .. line]);

        Assert.Equal((64, ""), (refused.ExitCode, refused.Output));
        Assert.Contains(words, refused.Errors.Replace("'", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Empty(server.Requests);
    }

    [Theory]
    [InlineData(403, """{"kind":"forbidden","value":"not you"}""", 77)]
    [InlineData(404, "404 page not found", 76)]
    [InlineData(200, "<html>Please log in</html>", 76)]
    [InlineData(503, "", 69)]
    public async Task Another_answer_is_no_success(int code, string body, int exitCode)
    {
        await using var server = new RawServer(RawAnswer.Http(code, body));

        foreach (var line in new string[][] { ["force-release", "-i", "n1", "--reason", "dead"], ["set-slots", "3"] })
        {
            var refused = await _ctl.RunAsync([.. line, "-u", server.Url, "-g", "workers"]);
            Assert.Equal((exitCode, ""), (refused.ExitCode, refused.Output));
            Assert.StartsWith("Error: The slot", Assert.Single(refused.ErrorLines), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Slots_are_changed_while_the_server_runs_and_no_holder_is_lost()
    {
        await using var server = await StartServerAsync();
        await LockAsync(server, "n1", "n2");

        var table = await _ctl.RunAsync("set-slots", "1", "-u", server.Url(), "-g", "workers");
        using var json = JsonDocument.Parse((await _ctl.RunAsync("set-slots", "-u", server.Url(), "-g", "workers", "5", "-o", "json")).Output);

        Assert.Equal(0, table.ExitCode);
        Assert.Matches("^workers +1 +0 +0 +n1 ", table.OutputLines[1]);
        Assert.Equal((5, 3), (json.RootElement.GetProperty("slots").GetInt32(), json.RootElement.GetProperty("free").GetInt32()));
        Assert.Equal(["n1", "n2"], await server.HoldersAsync("workers"));
    }

    [Theory]
    [InlineData("workers", "-1", 64)]
    [InlineData("workers", "many", 64)]
    [InlineData("workers", "1000000", 77)]
    [InlineData("nope", "1", 77)]
    [InlineData("..", "1", 64)]
    public async Task Slots_that_break_a_rule_are_refused(string group, string slots, int exitCode)
    {
        await using var server = await StartServerAsync();

        var refused = await _ctl.RunAsync("set-slots", "-u", server.Url(), "-g", group, "--", slots);

        Assert.Equal((exitCode, ""), (refused.ExitCode, refused.Output));
        Assert.StartsWith("Error: ", refused.ErrorLines[0], StringComparison.Ordinal);
    }

    private static Task<ServerProcess> StartServerAsync() => ServerProcess.StartListeningAsync("--listen", "http://127.0.0.1:0", "--group", "workers=3", "--data", ":memory:");

    private Task<Finished> ForceReleaseAsync(ServerProcess server, string id, params string[] more) =>
        _ctl.RunAsync(["force-release", "-u", server.Url(), "-g", "workers", "-i", id, "--reason", "disk died", .. more]);

    private async Task LockAsync(ServerProcess server, params string[] ids)
    {
        foreach (var id in ids)
            Assert.Equal(0, (await _ctl.RunAsync("recursive-lock", "-u", server.Url(), "-g", "workers", "-i", id)).ExitCode);
    }
}
