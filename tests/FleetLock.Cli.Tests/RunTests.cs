namespace FleetLock.Cli.Tests;

/// <summary><c>run</c> is transparent: the command's exit code, streams and arguments are as if there were no <c>run</c> around it.</summary>
public sealed class RunTests : IDisposable
{
    private readonly Ctl _ctl = new();

    public RunTests() => Machine.RequireUnix();

    public void Dispose() => _ctl.Dispose();

    [Fact]
    public async Task The_help_puts_the_command_after_the_options()
    {
        var help = await _ctl.RunAsync("run", "--help");

        Assert.Equal((0, ""), (help.ExitCode, help.Errors));
        Assert.Contains(help.OutputLines, line => line.Trim() == "fleetlockctl run [options] [--] COMMAND [ARG]...");
    }

    [Fact]
    public async Task The_READMEs_first_command_prints_what_the_README_says()
    {
        var id = Machine.RequireNodeId();

        var finished = await _ctl.RunAsync("run", "--embedded", "--group", "controllers", "--", "echo", "patched and healthy");

        Assert.Equal((0, "patched and healthy\n"), (finished.ExitCode, finished.Output));
        Assert.Equal(
            [$"fleetlockctl: took a slot of 'controllers' as {id} at {_ctl.PathOf("embedded.db")}", "fleetlockctl: released the slot of 'controllers'"],
            finished.ErrorLines);
    }

    [Theory]
    [InlineData("exit 0", 0)]
    [InlineData("exit 7", 7)]
    [InlineData("exit 75", 75)]
    [InlineData("exit 255", 255)]
    [InlineData("kill -s KILL $$", 128 + 9)]
    [InlineData("kill -s TERM $$", 128 + 15)]
    public async Task The_exit_code_is_the_commands_and_the_slot_is_free_again(string script, int exitCode)
    {
        var finished = await RunEmbeddedAsync("sh", "-c", script);

        Assert.Equal(exitCode, finished.ExitCode);
        await AssertFreeAsync();
    }

    [Fact]
    public async Task A_command_that_is_not_there_gives_127_and_the_slot_is_free_again()
    {
        var finished = await RunEmbeddedAsync("no-such-command-of-fleetlock", "argument");

        Assert.Equal((127, ""), (finished.ExitCode, finished.Output));
        Assert.Contains(finished.ErrorLines, line => line.StartsWith("Error: ", StringComparison.Ordinal) && line.Contains("'no-such-command-of-fleetlock'", StringComparison.Ordinal));
        await AssertFreeAsync();
    }

    [Theory]
    [InlineData("file")]
    [InlineData("folder")]
    public async Task What_cannot_be_executed_gives_126_and_the_slot_is_free_again(string name)
    {
        File.WriteAllText(_ctl.PathOf("file"), "no program");
        Directory.CreateDirectory(_ctl.PathOf("folder"));

        var finished = await RunEmbeddedAsync(_ctl.PathOf(name));

        Assert.Equal((126, ""), (finished.ExitCode, finished.Output));
        Assert.StartsWith("Error: ", finished.ErrorLines[1], StringComparison.Ordinal);
        Assert.Contains($"'{_ctl.PathOf(name)}'", finished.ErrorLines[1], StringComparison.Ordinal);
        Assert.DoesNotContain("..", finished.ErrorLines[1], StringComparison.Ordinal);
        await AssertFreeAsync();
    }

    [Fact]
    public async Task A_command_is_looked_up_in_PATH_and_not_in_the_working_folder()
    {
        _ctl.WriteScript("echo", "#!/bin/sh\nprintf 'the wrong one\\n'\n");

        Assert.Equal("the right one\n", (await RunEmbeddedAsync("echo", "the right one")).Output);
    }

    [Fact]
    public async Task A_command_with_a_slash_is_the_working_folders()
    {
        _ctl.WriteScript("echo", "#!/bin/sh\nprintf 'the right one\\n'\n");

        Assert.Equal("the right one\n", (await RunEmbeddedAsync("./echo", "the wrong one")).Output);
    }

    [Fact]
    public async Task Standard_input_and_output_pass_through_byte_by_byte()
    {
        // More than any pipe holds, and every byte there is.
        var bytes = Enumerable.Range(0, 512 * 1024).Select(i => (byte)(i ^ (i >> 8))).ToArray();

        var run = _ctl.Start("run", "--embedded", "-i", _ctl.Id, "--", "cat");
        await run.WriteInputAsync(bytes);
        var finished = await run.FinishAsync();

        Assert.Equal(0, finished.ExitCode);
        Assert.True(bytes.AsSpan().SequenceEqual(finished.OutputBytes), "The bytes came out different.");
    }

    [Fact]
    public async Task Standard_error_passes_through_between_our_own_two_lines()
    {
        var finished = await RunEmbeddedAsync("sh", "-c", @"printf 'first\n\033[1msecond\n' >&2");

        Assert.Equal("", finished.Output);
        Assert.Equal(["first", "\u001b[1msecond"], finished.ErrorLines[1..^1]);
    }

    [Fact]
    public async Task Arguments_reach_the_command_unchanged()
    {
        string[] arguments =
        [
            "two words", "", " ", "\"double\"", "it's", @"back\slash\", "$HOME", "*", "line\nbreak", "tab\t", "ümläut", "🔒",
            "--", "-x", "--wait", "--url=http://other.invalid", "-uhttp://other.invalid", "--help", "--version", "@file", "[suggest]",
        ];

        var finished = await RunEmbeddedAsync(["sh", "-c", """for word; do printf '<%s>\n' "$word"; done""", "sh", .. arguments]);

        Assert.Equal(string.Concat(arguments.Select(word => $"<{word}>\n")), finished.Output);
    }

    [Fact]
    public async Task Without_dashes_the_first_word_that_is_no_option_begins_the_command()
    {
        var finished = await _ctl.RunAsync("run", "--embedded", "-i", _ctl.Id, "printf", "<%s>", "-n", "a b");

        Assert.Equal((0, "<-n><a b>"), (finished.ExitCode, finished.Output));
    }

    [Fact]
    public async Task The_data_file_is_where_data_says_and_else_in_the_state_directory()
    {
        await RunEmbeddedAsync("true");
        await _ctl.RunAsync("run", "--embedded", "--data", "other.db", "-i", _ctl.Id, "--", "true");

        Assert.True(File.Exists(_ctl.PathOf("embedded.db")));
        Assert.True(File.Exists(_ctl.PathOf("other.db")));
    }

    [Fact]
    public async Task A_data_file_that_cannot_be_made_is_named_and_the_command_is_not_started()
    {
        var refused = await _ctl.RunAsync("run", "--embedded", "--data", _ctl.PathOf("missing/fleetlock.db"), "-i", _ctl.Id, "--", "touch", "ran");

        Assert.Equal((69, ""), (refused.ExitCode, refused.Output));
        Assert.Contains(_ctl.PathOf("missing/fleetlock.db"), Assert.Single(refused.ErrorLines), StringComparison.Ordinal);
        Assert.False(File.Exists(_ctl.PathOf("ran")));
    }

    private Task<Finished> RunEmbeddedAsync(params string[] command) => _ctl.RunAsync(["run", "--embedded", "-i", _ctl.Id, "--", .. command]);

    /// <summary>The one slot is free if another id gets it.</summary>
    private async Task AssertFreeAsync()
    {
        var next = await _ctl.RunAsync("run", "--embedded", "-i", _ctl.Id + "-next", "--", "true");
        Assert.True(next.ExitCode == 0, next.Errors);
    }
}
