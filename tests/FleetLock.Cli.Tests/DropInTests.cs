using FleetLock.TestKit;

namespace FleetLock.Cli.Tests;

/// <summary><c>recursive-lock</c> and <c>unlock-if-held</c> take what the Go tool's scripts give them, and are as silent.</summary>
public sealed class DropInTests : IDisposable
{
    private readonly Ctl _ctl = new();

    public static readonly TheoryData<string> Spellings =
    [
        "recursive-lock -u URL -g workers -i node1",
        "recursive-lock --url URL --group workers --id node1",
        "recursive-lock --url=URL --group=workers --id=node1",
        "recursive-lock -uURL -gworkers -inode1",
        "recursive-lock -u=URL -g=workers -i=node1",
        "-u URL -g workers -i node1 recursive-lock",
        "--url=URL --group=workers --id=node1 recursive-lock",
        "-uURL -gworkers -inode1 recursive-lock",
        "-g workers recursive-lock --id node1 -u URL",
        "recursive-lock -u URL/ -g workers -i node1",
        "recursive-lock -u URL// -g workers -i node1",
    ];

    public static readonly TheoryData<string> Repetitions =
    [
        "recursive-lock -u http://unused.invalid -u URL -g other -g workers -i other -i node1",
        "recursive-lock --url=http://unused.invalid -uURL --group=other -gworkers --id=other -inode1",
        "-u http://unused.invalid -u URL -g other -g workers -i other -i node1 recursive-lock",
        "-u http://unused.invalid -g other -i other recursive-lock -u URL -g workers -i node1",
    ];

    public void Dispose() => _ctl.Dispose();

    [Theory]
    [MemberData(nameof(Spellings))]
    public async Task Flags_stand_before_or_after_the_command_in_each_spelling(string line) => await AssertLocksAsync(line);

    [Theory]
    [MemberData(nameof(Repetitions))]
    public async Task The_last_of_a_repeated_flag_counts(string line) => await AssertLocksAsync(line);

    [Fact]
    public async Task An_unlock_is_as_silent()
    {
        await using var server = new RawServer(RawAnswer.Http(200, "unlocked\n"));

        AssertSilent(await _ctl.RunAsync("unlock-if-held", "-u", server.Url, "-g", "workers", "-i", "node1"));

        var request = Assert.Single(server.Requests);
        Assert.Equal("POST /v1/steady-state HTTP/1.1", request.Line);
        Assert.Equal("""{"client_params":{"id":"node1","group":"workers"}}""", request.Body);
    }

    [Fact]
    public async Task A_path_in_the_URL_is_kept()
    {
        await using var server = new RawServer(RawAnswer.Http(200));

        AssertSilent(await _ctl.RunAsync("recursive-lock", "-u", server.Url + "/fleet/lock/", "-i", "node1"));

        Assert.Equal("POST /fleet/lock/v1/pre-reboot HTTP/1.1", Assert.Single(server.Requests).Line);
    }

    [Fact]
    public async Task Without_flags_the_environment_names_server_group_and_id()
    {
        await using var server = new RawServer(RawAnswer.Http(200));
        SetVariables(server.Url, "from-environment", "node-of-environment");

        AssertSilent(await _ctl.RunAsync("recursive-lock"));

        Assert.Equal("""{"client_params":{"id":"node-of-environment","group":"from-environment"}}""", Assert.Single(server.Requests).Body);
    }

    [Theory]
    [InlineData("recursive-lock -u URL -g workers -i node1")]
    [InlineData("-u URL -g workers -i node1 recursive-lock")]
    public async Task Flags_beat_the_environment(string line)
    {
        SetVariables("http://unused.invalid", "from-environment", "node-of-environment");

        await AssertLocksAsync(line);
    }

    [Fact]
    public async Task An_empty_variable_counts_as_not_set()
    {
        var machine = Machine.RequireNodeId();
        await using var server = new RawServer(RawAnswer.Http(200));
        SetVariables("", "", "");

        AssertSilent(await _ctl.RunAsync("recursive-lock", "-u", server.Url));

        Assert.Equal($$$"""{"client_params":{"id":"{{{machine}}}","group":"default"}}""", Assert.Single(server.Requests).Body);
    }

    [Fact]
    public async Task The_group_is_default_if_none_is_named()
    {
        await using var server = new RawServer(RawAnswer.Http(200));

        AssertSilent(await _ctl.RunAsync("recursive-lock", "-u", server.Url, "-i", "node1"));

        Assert.Equal("""{"client_params":{"id":"node1","group":"default"}}""", Assert.Single(server.Requests).Body);
    }

    [Fact]
    public async Task An_id_that_begins_with_an_at_sign_is_no_file_of_arguments()
    {
        await using var server = new RawServer(RawAnswer.Http(200));
        File.WriteAllText(_ctl.PathOf("node"), "from-the-file");

        AssertSilent(await _ctl.RunAsync("recursive-lock", "-u", server.Url, "-i", "@node"));

        Assert.Equal("""{"client_params":{"id":"@node","group":"default"}}""", Assert.Single(server.Requests).Body);
    }

    private async Task AssertLocksAsync(string line)
    {
        await using var server = new RawServer(RawAnswer.Http(200));

        AssertSilent(await _ctl.RunAsync(line.Replace("URL", server.Url, StringComparison.Ordinal).Split(' ')));

        var request = Assert.Single(server.Requests);
        Assert.Equal("POST /v1/pre-reboot HTTP/1.1", request.Line);
        Assert.Equal("""{"client_params":{"id":"node1","group":"workers"}}""", request.Body);
    }

    private void SetVariables(string url, string group, string id) =>
        (_ctl.Variables["FLEETLOCK_URL"], _ctl.Variables["FLEETLOCK_GROUP"], _ctl.Variables["FLEETLOCK_ID"]) = (url, group, id);

    private static void AssertSilent(Finished finished) => Assert.Equal((0, "", ""), (finished.ExitCode, finished.Output, finished.Errors));
}
