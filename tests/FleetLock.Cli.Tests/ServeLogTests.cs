using System.Text.Json;
using FleetLock.TestKit;

namespace FleetLock.Cli.Tests;

/// <summary><c>serve --log</c>: what the process writes to standard error.</summary>
public sealed class ServeLogTests : IDisposable
{
    private readonly Ctl _ctl = new();

    public void Dispose() => _ctl.Dispose();

    [Fact]
    public async Task Json_is_an_object_a_line_with_the_answers_request_id()
    {
        Machine.RequireUnix();
        var server = Start("--log", "json");
        var granted = await LockAsync(server, "a", "X-Request-Id: mine");
        var refused = await LockAsync(server, "b");

        await server.SignalAsync("TERM");

        var lines = (await server.EndAsync()).ErrorLines.Select(line => JsonDocument.Parse(line).RootElement).ToArray();
        Assert.Equal([200, 409], [granted.Status, refused.Status]);
        Assert.Equal("mine", granted.Header("X-Request-Id"));
        Assert.Equal(["mine", refused.Header("X-Request-Id")], lines.Select(line => line.GetProperty("request").GetString()));
        Assert.Equal(["a", "b"], lines.Select(line => line.GetProperty("id").GetString()));
        Assert.All(lines, line => Assert.Equal("info", line.GetProperty("level").GetString()));
    }

    [Fact]
    public async Task Text_is_the_default_and_no_line_is_lost_at_the_end()
    {
        Machine.RequireUnix();
        var server = Start("--group", "default=100");
        for (var i = 0; i < 50; i++)
            Assert.Equal(200, (await LockAsync(server, $"id-{i}")).Status);

        await server.SignalAsync("TERM");

        var lines = (await server.EndAsync()).ErrorLines;
        Assert.Equal(Enumerable.Range(0, 50).Select(i => $"id-{i}"), lines.Select(line => line.Split(" granted to ")[1].Split(' ')[0]));
        Assert.All(lines, line => Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z info: .*default.* id-\d+ request=\S+$", line));
    }

    /// <summary>A shell finds out which stream standard error is, and says so as systemd does.</summary>
    [Theory]
    [InlineData("$(stat -L -c %d:%i /proc/self/fd/2)", "<6>group default: ")]
    [InlineData("1:1", "Z info: group default: ")]
    public async Task Only_the_journal_itself_gets_its_prefix_instead_of_the_time(string stream, string begins)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "systemd is Linux's.");
        var wrapper = _ctl.WriteScript("wrapper", $"#!/bin/sh\nJOURNAL_STREAM={stream} exec \"$@\"\n");
        var server = _ctl.StartUnder(wrapper, "serve", "--listen", "http://127.0.0.1:0", "--data", ":memory:");

        await LockAsync(server, "a");

        var line = await server.Errors.LineAsync("granted to a");
        Assert.Contains(begins, line, StringComparison.Ordinal);
        Assert.Equal(begins[0] == '<', line.StartsWith('<'));
    }

    [Fact]
    public async Task Another_format_is_bad_usage()
    {
        var refused = await _ctl.RunAsync("serve", "--log", "xml");

        Assert.Equal(64, refused.ExitCode);
        Assert.Contains("xml", refused.Errors, StringComparison.Ordinal);
    }

    private CtlProcess Start(params string[] arguments) => _ctl.Start(["serve", "--listen", "http://127.0.0.1:0", "--data", ":memory:", .. arguments]);

    private static async Task<RawResponse> LockAsync(CtlProcess server, string id, params string[] headers)
    {
        var address = new Uri((await server.Output.LineAsync("Listening")).Split(' ')[2]);
        return await RawClient.AskAsync(address, RawClient.Request("POST /v1/pre-reboot", WireFormat.WriteRequest("default", id), ["fleet-lock-protocol: true", .. headers]));
    }
}
