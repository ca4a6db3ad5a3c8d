using System.Text;

namespace FleetLock.Cli.Tests;

/// <summary>A server that a session has started (<c>Start-FleetLockServer</c>) follows its standard input; <see cref="LocalServer"/> is the other end.</summary>
public sealed class SessionTests : IDisposable
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "fleetlockctl.dll");

    private readonly Ctl _ctl = new();

    public void Dispose() => _ctl.Dispose();

    [Fact]
    public async Task An_attached_server_ends_with_its_standard_input()
    {
        var server = await StartAsync("attached");

        Assert.Equal((0, ""), Of(await server.FinishAsync()));
    }

    [Theory]
    [InlineData("attached")]
    [InlineData("detached")]
    public async Task The_word_stop_ends_it(string session)
    {
        var server = await StartAsync(session);

        await server.WriteInputAsync(Encoding.UTF8.GetBytes("what?\nstop\n"));

        Assert.Equal((0, ""), Of(await server.EndAsync()));
    }

    [Fact]
    public async Task A_detached_server_goes_on_when_its_standard_input_ends()
    {
        Machine.RequireUnix();
        var server = await StartAsync("detached");
        await server.WriteInputAsync([]);
        var line = await server.Output.LineAsync("Listening");

        Assert.Equal(0, (await _ctl.RunAsync("recursive-lock", "-u", line.Split(' ')[2], "-i", "n1")).ExitCode);

        await server.SignalAsync("TERM");
        Assert.Equal(0, (await server.EndAsync()).ExitCode);
    }

    [Fact]
    public async Task It_leaves_the_terminals_session()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "/proc is Linux's.");
        var server = await StartAsync("attached");

        // proc(5): the fields after the command's name are state, parent, group, session.
        var stat = await File.ReadAllTextAsync($"/proc/{server.Id}/stat", TestContext.Current.CancellationToken);
        Assert.Equal(server.Id.ToString(System.Globalization.CultureInfo.InvariantCulture), stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[3]);
    }

    [Fact]
    public async Task A_local_server_answers_when_it_is_started_and_is_gone_when_it_is_stopped()
    {
        var server = await LocalServer.StartAsync(new LocalServerOptions { Program = Program, Arguments = ["--listen", "http://127.0.0.1:0", "--data", ":memory:"] }, TestContext.Current.CancellationToken);
        using var client = new FleetLockClient(server.Uri);
        Assert.True((await client.LockAsync("default", "n1", TestContext.Current.CancellationToken)).IsSuccess);
        Assert.True(server.IsRunning);

        await server.StopAsync(TestContext.Current.CancellationToken);
        await server.StopAsync(TestContext.Current.CancellationToken);

        Assert.False(server.IsRunning);
        Assert.Equal(0, server.ExitCode);
    }

    [Theory]
    [InlineData("listen", "--listen", "nonsense")]
    [InlineData("unheard-of", "--unheard-of")]
    [InlineData("file", "--data", "file/below/a/file")]
    public async Task A_local_server_that_does_not_start_says_why_in_its_own_words(string words, params string[] arguments)
    {
        var fault = await Assert.ThrowsAsync<LocalServerException>(() => LocalServer.StartAsync(new LocalServerOptions { Program = Program, Arguments = arguments }, TestContext.Current.CancellationToken));

        Assert.Contains(words, fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("Error: ", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_program_that_is_not_there_is_named()
    {
        var path = _ctl.PathOf("missing.dll");

        Assert.Contains(path, (await Assert.ThrowsAsync<LocalServerException>(() => LocalServer.StartAsync(new LocalServerOptions { Program = path }, TestContext.Current.CancellationToken))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_start_that_is_cancelled_leaves_nothing_behind() =>
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => LocalServer.StartAsync(
            new LocalServerOptions { Program = Program, Arguments = ["--listen", "http://127.0.0.1:0", "--data", ":memory:"] },
            new CancellationToken(canceled: true)));

    private static (int ExitCode, string Errors) Of(Finished finished) => (finished.ExitCode, finished.Errors);

    private async Task<CtlProcess> StartAsync(string session)
    {
        var server = _ctl.Start("serve", "--session", session, "--listen", "http://127.0.0.1:0", "--data", ":memory:");
        await server.Output.LineAsync("Listening");
        return server;
    }
}
