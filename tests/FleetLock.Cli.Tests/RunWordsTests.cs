using FleetLock.TestKit;

namespace FleetLock.Cli.Tests;

/// <summary>Everything from the first word of <c>run</c>'s command on is the command's own, with and without "--" before it.</summary>
public sealed class RunWordsTests : IDisposable
{
    /// <summary>Prints its name and its arguments, in the place of programs that not every machine has.</summary>
    private const string Printer = """
        #!/bin/sh
        printf '%s' "${0##*/}"
        printf ' <%s>' "$@"
        echo
        """;

    private readonly Ctl _ctl = new();

    public RunWordsTests()
    {
        Machine.RequireUnix();
        foreach (var program in new[] { "rsync", "systemctl", "apt-get", "dnf", "fleetlockctl", "true-or-false" })
            _ctl.WriteScript($"bin/{program}", Printer);
        _ctl.Write("f", "1\nx\n1\n");
        _ctl.Write("@f", "from the file");
        _ctl.Variables["PATH"] = $"{_ctl.PathOf("bin")}:{Environment.GetEnvironmentVariable("PATH")}";
    }

    public static readonly TheoryData<string[], string> Lines = new()
    {
        { ["sed", "-i", "s/1/2/", "f"], "" },
        { ["sed", "-n", "-e", "2p", "f"], "x\n" },
        { ["env", "A=b", "sh", "-c", "echo $A"], "b\n" },
        { ["sh", "-c", "echo $0 $*", "-i", "-g", "w"], "-i -g w\n" },
        { ["printf", "<%s>", "--help"], "<--help>" },
        { ["rsync", "-a", "--delete", "-u", "a/", "host:b/"], "rsync <-a> <--delete> <-u> <a/> <host:b/>\n" },
        { ["rsync", "--help"], "rsync <--help>\n" },
        { ["rsync", "-h"], "rsync <-h>\n" },
        { ["dnf", "--version"], "dnf <--version>\n" },
        { ["dnf", "-?"], "dnf <-?>\n" },
        { ["grep", "--", "x", "f"], "x\n" },
        { ["grep", "-i", "-w", "X", "f"], "x\n" },
        { ["systemctl", "--user", "restart", "--wait", "--", "a.service"], "systemctl <--user> <restart> <--wait> <--> <a.service>\n" },
        { ["apt-get", "-qyu", "-o", "Dpkg::Use-Pty=0", "upgrade"], "apt-get <-qyu> <-o> <Dpkg::Use-Pty=0> <upgrade>\n" },
        { ["printf", "<%s>", "", "a", ""], "<><a><>" },
        { ["printf", "<%s>", "@f"], "<@f>" },
        { ["printf", "<%s>", "a=b", "--url=http://other.invalid", "-g=w"], "<a=b><--url=http://other.invalid><-g=w>" },
        { ["printf", "<%s>", "--id", "--embedded", "--slots", "-1"], "<--id><--embedded><--slots><-1>" },
        { ["sort", "-u", "f"], "1\nx\n" },
        { ["head", "-n", "1", "f"], "1\n" },
        { ["nice", "-n", "1", "echo", "-w"], "-w\n" },
        { ["find", ".", "-name", "f", "-type", "f"], "./f\n" },
        { ["fleetlockctl", "run", "-g", "w", "--", "rsync", "-i"], "fleetlockctl <run> <-g> <w> <--> <rsync> <-i>\n" },
    };

    public void Dispose() => _ctl.Dispose();

    [Theory]
    [MemberData(nameof(Lines))]
    public async Task A_command_has_its_own_words(string[] command, string output)
    {
        var finished = await _ctl.RunAsync(["run", "--embedded", "-i", _ctl.Id, .. command]);

        Assert.Equal((0, output), (finished.ExitCode, finished.Output));
        Assert.Contains($" as {_ctl.Id} ", finished.ErrorLines[0], StringComparison.Ordinal);
        if (command[1] == "-i" && command[0] == "sed")
            Assert.Equal("2\nx\n2\n", await File.ReadAllTextAsync(_ctl.PathOf("f"), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Only_the_first_dashes_are_not_the_commands()
    {
        var words = new[] { "--", "--embedded", "-i", "other", "--", "--help", "" };

        var finished = await _ctl.RunAsync(["run", "--embedded", "-i", _ctl.Id, "--", "rsync", .. words]);

        Assert.Equal((0, $"rsync{string.Concat(words.Select(word => $" <{word}>"))}\n"), (finished.ExitCode, finished.Output));
    }

    [Fact]
    public async Task A_command_that_begins_with_a_dash_follows_dashes()
    {
        _ctl.WriteScript("bin/-w", Printer);

        Assert.Equal("-w <-i>\n", (await _ctl.RunAsync("run", "--embedded", "-i", _ctl.Id, "--", "-w", "-i")).Output);
    }

    [Fact]
    public async Task A_word_after_an_option_without_a_value_is_the_command()
    {
        _ctl.WriteScript("bin/true", Printer);

        Assert.Equal("true <-i>\n", (await _ctl.RunAsync("run", "-i", _ctl.Id, "--embedded", "-w", "true", "-i")).Output);
    }

    [Theory]
    [InlineData("-u URL -g workers -i node1 run rsync -i other")]
    [InlineData("--url=URL -gworkers run -i=node1 rsync -i other")]
    [InlineData("-g other run -wgworkers -uURL --id:node1 rsync -i other")]
    [InlineData("-g run run -g workers --url URL --keep-on-failure=false -inode1 -- rsync -i other")]
    public async Task Options_stand_before_and_after_run_in_each_spelling(string line)
    {
        await using var server = new RawServer(RawAnswer.Http(200));

        var finished = await _ctl.RunAsync(line.Replace("URL", server.Url, StringComparison.Ordinal).Split(' '));

        Assert.Equal((0, "rsync <-i> <other>\n"), (finished.ExitCode, finished.Output));
        Assert.Equal("""{"client_params":{"id":"node1","group":"workers"}}""", server.Requests[0].Body);
    }
}
