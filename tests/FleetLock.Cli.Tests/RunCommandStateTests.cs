using System.Text.Json;
using FleetLock.TestKit;

namespace FleetLock.Cli.Tests;

/// <summary>
/// The command of <c>run</c> begins with the signals, limits, descriptors and bytes that it has without <c>run</c>. Each test is a
/// script, which has the command line up to the command as its arguments.
/// </summary>
public sealed class RunCommandStateTests : IDisposable
{
    private readonly Ctl _ctl = new();

    public RunCommandStateTests() => Machine.RequireUnix();

    public void Dispose() => _ctl.Dispose();

    [Fact]
    public async Task A_pipe_that_nobody_reads_ends_the_command()
    {
        RequireLinux();

        var finished = await RunAsync("""{ "$@" sh -c 'while echo y; do :; done'; echo "exit code $?" >&2; } | head -n 1""");

        Assert.Equal("y\n", finished.Output);
        Assert.Equal($"exit code {128 + 13}", finished.ErrorLines[^1]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("trap '' PIPE")]
    [InlineData("trap '' TERM")]
    [InlineData("trap '' PIPE TERM")]
    [InlineData("trap '' HUP INT QUIT USR1 USR2 ALRM TSTP")]
    [InlineData("trap '' PIPE XFSZ TERM QUIT")]
    public async Task Signals_are_those_of_the_caller(string trap)
    {
        RequireLinux();

        var finished = await RunAsync($$"""
            {{trap}}
            "$@" grep -E '^Sig(Blk|Ign)' /proc/self/status
            grep -E '^Sig(Blk|Ign)' /proc/self/status
            """);

        AssertSameTwice(finished);
    }

    [Fact]
    public async Task What_nohup_ignores_stays_ignored()
    {
        RequireLinux();

        var finished = await RunAsync("""
            nohup "$@" grep '^SigIgn' /proc/self/status
            nohup grep '^SigIgn' /proc/self/status
            """);

        AssertSameTwice(finished);
        Assert.Matches("1$", finished.OutputLines[0]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("ulimit -Sn 256")]
    [InlineData("ulimit -n 512")]
    public async Task Limits_are_those_of_the_caller(string limit)
    {
        RequireLinux();

        AssertSameTwice(await RunAsync($$"""
            {{limit}}
            "$@" cat /proc/self/limits
            cat /proc/self/limits
            """));
    }

    [Fact]
    public async Task Descriptors_are_those_of_the_caller()
    {
        RequireLinux();

        AssertSameTwice(await RunAsync("""
            exec 7<"$0" </dev/null
            "$@" ls /proc/self/fd
            ls /proc/self/fd
            """));
    }

    [Fact]
    public async Task Bytes_that_are_not_UTF8_reach_the_command()
    {
        RequireLinux();

        var finished = await RunAsync("""
            byte=$(printf '\377')
            printf '#!/bin/sh\nprintf %%s "$1"\n' >"./c$byte"
            chmod +x "./c$byte"
            "$@" "./c$byte" "a$byte=b"
            V="v$byte" "$@" sh -c 'printf %s "$V"'
            PATH="$PATH:$PWD/p$byte"
            mkdir "p$byte"
            mv "./c$byte" "p$byte/d$byte"
            "$@" "d$byte" "e$byte"
            "$@" sh -c ': >"$1"' sh "g$byte"
            test -f "g$byte" && printf h
            rm -r "p$byte" "g$byte"
            """);

        Assert.Equal("61FF3D62" + "76FF" + "65FF" + "68", Convert.ToHexString(finished.OutputBytes));
    }

    [Fact]
    public async Task The_environment_is_the_callers_and_the_grant()
    {
        RequireLinux();
        _ctl.Variables["FLEETLOCK_HELD"] = "stale";

        // Not every shell passes such names on.
        var finished = await RunAsync("""
            env A.B=1 'C D=two lines=2' "$@" env -0 | tr '\0\n' '\n ' | grep -v '^_='
            echo
            env A.B=1 'C D=two lines=2' env -0 | tr '\0\n' '\n ' | grep -v '^_='
            """);

        var lines = finished.Output.Split('\n');
        var empty = Array.IndexOf(lines, "");
        Assert.Contains("A.B=1", lines[..empty]);
        Assert.Contains("C D=two lines=2", lines[..empty]);
        Assert.Matches("^FLEETLOCK_HELD=stale [0-9a-f]{32}$", lines[empty - 1]);
        Assert.Equal(lines[(empty + 1)..^1].Where(line => line != "FLEETLOCK_HELD=stale"), lines[..(empty - 1)]);
    }

    [Fact]
    public async Task The_command_has_the_name_that_it_was_called_by()
    {
        RequireLinux();

        Assert.Equal("cat /proc/self/cmdline ", (await RunAsync("""
            "$@" cat /proc/self/cmdline | tr '\0' ' '
            """)).Output);
    }

    [Fact]
    public async Task Nothing_stays_in_the_folder_for_temporary_files()
    {
        RequireLinux();
        _ctl.Variables["TMPDIR"] = Directory.CreateDirectory(_ctl.PathOf("tmp")).FullName;

        Assert.Equal(0, (await RunAsync("""exec "$@" true""")).ExitCode);

        Assert.Empty(Directory.GetFileSystemEntries(_ctl.PathOf("tmp"), "dotnet-diagnostic-*"));
    }

    [Fact]
    public async Task A_run_that_is_killed_before_its_command_executes_has_noted_what_may_execute()
    {
        var run = _ctl.Start("run", "--embedded", "-i", _ctl.Id, "--", "sh", "-c", "echo $$; exec >&-; read _");
        var noted = await FindNotedCommandAsync(run);

        await run.SignalAsync("KILL");
        await run.Exited.WaitAsync(TestTimeout.Hang, TestContext.Current.CancellationToken);

        // Its pipe ends when the process executes the command, which closes it, or does not.
        await run.Output.Ended.WaitAsync(TestTimeout.Hang, TestContext.Current.CancellationToken);
        Assert.Contains(run.Output.Text, new[] { "", $"{noted}\n" });
        await run.WriteInputAsync([]);
    }

    [Fact]
    public async Task A_signal_that_comes_before_the_command_executes_ends_the_command()
    {
        var run = _ctl.Start("run", "--embedded", "-i", _ctl.Id, "--", "sh", "-c", "read _");
        await FindNotedCommandAsync(run);

        await run.SignalAsync("TERM");

        Assert.Equal(128 + 15, (await run.EndAsync()).ExitCode);
        Assert.Equal(0, (await _ctl.RunAsync("run", "--embedded", "-i", _ctl.Id + "-next", "--", "true")).ExitCode);
    }

    [Theory]
    [InlineData("$$", 0, "executed\n")]
    [InlineData("1", 0, "")]
    [InlineData("$$", 1, "")]
    public async Task Only_a_complete_message_of_a_run_that_lives_is_executed(string run, int missing, string output)
    {
        // Of the format of one build alone: no signal, the limit as it is, two arguments, no variable, and the length.
        var strings = "/bin/echo\0echo\0executed\0"u8.ToArray();
        byte[] message = [.. new byte[8], .. BitConverter.GetBytes(-1L), .. Bytes(2), .. Bytes(0), .. Bytes(strings.Length), .. strings];
        await File.WriteAllBytesAsync(_ctl.PathOf("message"), message[..^missing], TestContext.Current.CancellationToken);
        var wrapper = _ctl.WriteScript("wrapper", $"#!/bin/sh\n\"$@\" 0 3 {run} <message 3>status\n:\n");

        var finished = await _ctl.StartUnder(wrapper, "--command-stage").FinishAsync();

        Assert.Equal(output, finished.Output);
        Assert.Equal("R", await File.ReadAllTextAsync(_ctl.PathOf("status"), TestContext.Current.CancellationToken));

        static byte[] Bytes(int number) => BitConverter.GetBytes(number);
    }

    private static void RequireLinux() => Assert.SkipUnless(OperatingSystem.IsLinux(), "/proc is Linux's.");

    /// <summary>The first half of the lines is under <c>run</c>, the second is not.</summary>
    private static void AssertSameTwice(Finished finished)
    {
        var lines = finished.OutputLines;
        Assert.NotEmpty(lines);
        Assert.Equal(lines[(lines.Length / 2)..], lines[..(lines.Length / 2)]);
    }

    private async Task<Finished> RunAsync(string script)
    {
        // .NET, which runs the tests, ignores SIGPIPE, and so do the processes that it starts.
        var wrapper = _ctl.WriteScript("wrapper", "#!/bin/sh\nexec env --default-signal sh ./script \"$@\"\n");
        _ctl.Write("script", script + "\n");
        var finished = await _ctl.StartUnder(wrapper, "run", "--embedded", "-i", _ctl.Id, "--").FinishAsync();
        Assert.SkipWhen(finished.ExitCode == 125, "This machine's env cannot reset signals.");
        return finished;
    }

    /// <summary>Waits until a run has noted its command.</summary>
    private async Task<int> FindNotedCommandAsync(CtlProcess run)
    {
        await run.Errors.LineAsync("took a slot");
        using var limit = new CancellationTokenSource(TestTimeout.Hang);
        for (; !run.Exited.IsCompleted; await Task.Yield())
        {
            limit.Token.ThrowIfCancellationRequested();
            foreach (var path in Directory.Exists(_ctl.PathOf("runs")) ? Directory.GetFiles(_ctl.PathOf("runs"), "*.note") : [])
            {
                using var note = JsonDocument.Parse(await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken));
                if (note.RootElement.TryGetProperty("command", out var command))
                    return command.GetProperty("id").GetInt32();
            }
        }

        Assert.Fail($"The run has ended. {run.Errors.Text}");
        return 0;
    }
}
