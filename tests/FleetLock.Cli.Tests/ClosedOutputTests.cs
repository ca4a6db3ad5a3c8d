using FleetLock.TestKit;

namespace FleetLock.Cli.Tests;

/// <summary>What is said to people never changes what is done.</summary>
public sealed class ClosedOutputTests : IDisposable
{
    private readonly Ctl _ctl = new();

    public ClosedOutputTests() => Assert.SkipUnless(File.Exists("/dev/full"), "There is no /dev/full.");

    public void Dispose() => _ctl.Dispose();

    public static TheoryData<string> Errors => ["2>/dev/full", "2>&-", "2>&- >&- <&-"];

    [Theory]
    [MemberData(nameof(Errors))]
    public async Task A_run_goes_on_and_releases_its_slot(string redirection)
    {
        await using var server = await StartServerAsync();

        var finished = await StartRedirected(redirection, "run", "-u", server.Url(), "-i", _ctl.Id, "--", "sh", "-c", "echo ran >ran; exit 3").FinishAsync();

        Assert.Equal(3, finished.ExitCode);
        Assert.True(File.Exists(_ctl.PathOf("ran")));
        Assert.Empty(await server.HoldersAsync("default"));
    }

    [Theory]
    [MemberData(nameof(Errors))]
    public async Task An_embedded_run_goes_on_and_its_data_is_whole(string redirection)
    {
        Assert.Equal(0, (await StartRedirected(redirection, "run", "--embedded", "-i", _ctl.Id, "--", "true").FinishAsync()).ExitCode);

        Assert.Equal(0, (await _ctl.RunAsync("run", "--embedded", "-i", _ctl.Id + "-next", "--", "true")).ExitCode);
    }

    [Theory]
    [MemberData(nameof(Errors))]
    public async Task A_run_that_waits_goes_on_too(string redirection)
    {
        await using var server = new RawServer(
            RawAnswer.Http(409, """{"kind":"failed_lock_semaphore_full","value":"full"}"""),
            RawAnswer.Http(409, """{"kind":"failed_lock_semaphore_full","value":"another"}"""),
            RawAnswer.Http(200));

        var finished = await StartRedirected(redirection, "run", "-u", server.Url, "-i", _ctl.Id, "--wait", "--retry-interval", "1", "--", "true").FinishAsync();

        Assert.Equal(0, finished.ExitCode);
    }

    [Theory]
    [MemberData(nameof(Errors))]
    public async Task Bad_usage_and_a_refusal_keep_their_exit_codes(string redirection)
    {
        await using var server = new RawServer(RawAnswer.Http(401));

        Assert.Equal(64, (await StartRedirected(redirection, "run", "--no-such-option").FinishAsync()).ExitCode);
        Assert.Equal(77, (await StartRedirected(redirection, "recursive-lock", "-u", server.Url, "-i", _ctl.Id).FinishAsync()).ExitCode);
    }

    [Theory]
    [InlineData(">/dev/full 2>/dev/full")]
    [InlineData(">&- 2>&-")]
    [InlineData("<&- >&- 2>&-")]
    public async Task A_server_starts_and_serves(string redirection)
    {
        var url = FormattableString.Invariant($"http://127.0.0.1:{FreePort.Find()}");
        var server = StartRedirected(redirection, "serve", "--listen", url, "--data", "data.db");

        Assert.Equal(0, (await _ctl.RunAsync("run", "-u", url, "-i", _ctl.Id, "--wait", "--retry-interval", "1", "--", "true")).ExitCode);

        await server.SignalAsync("TERM");
        Assert.Equal(0, (await server.FinishAsync()).ExitCode);
    }

    private static Task<ServerProcess> StartServerAsync() => ServerProcess.StartListeningAsync("--listen", "http://127.0.0.1:0", "--data", ":memory:");

    private CtlProcess StartRedirected(string redirection, params string[] arguments) =>
        _ctl.StartUnder(_ctl.WriteScript("redirected", $"#!/bin/sh\nexec \"$@\" {redirection}\n"), arguments);
}
