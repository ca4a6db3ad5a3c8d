using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using FleetLock.TestKit;

namespace FleetLock.Cli.Tests;

/// <summary><c>serve</c>: what it says when it starts, how it ends, and what is in its way.</summary>
public sealed class ServeTests : IDisposable
{
    private const string FreePort = "http://127.0.0.1:0";

    private readonly Ctl _ctl = new();

    public void Dispose() => _ctl.Dispose();

    [Fact]
    public async Task It_says_where_it_listens_its_groups_and_its_data_in_one_line()
    {
        Machine.RequireUnix();
        var server = _ctl.Start("serve", "--listen", FreePort, "--group", "workers=2", "-g", "controllers=1", "--data", "my.db");
        var line = await server.Output.LineAsync("Listening");

        Assert.Matches($@"^Listening on http://127\.0\.0\.1:\d+ \(groups: workers=2, controllers=1; data: {Regex.Escape(_ctl.PathOf("my.db"))}\)\.$", line);
        Assert.DoesNotContain(":0 ", line, StringComparison.Ordinal);

        await server.SignalAsync("TERM");
        Assert.Equal([line], (await server.EndAsync()).OutputLines);
    }

    [Fact]
    public async Task In_memory_it_says_that_nothing_is_kept()
    {
        var server = _ctl.Start("serve", "--listen", FreePort, "--data", ":memory:");

        Assert.Contains("default=1", await server.Output.LineAsync("Listening"), StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_ctl.Folder));
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public async Task A_signal_ends_it_in_good_order(string signal)
    {
        Machine.RequireUnix();
        var server = _ctl.Start("serve", "--listen", FreePort, "--data", ":memory:");
        await server.Output.LineAsync("Listening");

        await server.SignalAsync(signal);

        var finished = await server.EndAsync();
        Assert.Equal((0, ""), (finished.ExitCode, finished.Errors));
    }

    [Fact]
    public async Task A_port_in_use_is_one_line_and_69()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var url = $"http://{listener.LocalEndpoint}";

        var refused = await _ctl.RunAsync("serve", "--listen", url, "--data", ":memory:");

        Assert.Contains(url, Assert.Single(refused.ErrorLines), StringComparison.Ordinal);
        Assert.Equal((69, ""), (refused.ExitCode, refused.Output));
    }

    [Fact]
    public async Task Unless_told_otherwise_it_listens_on_loopback_only()
    {
        // In use, by this test or by another process: so the address is told and nothing is left running.
        using var listener = new TcpListener(IPAddress.Loopback, 3333);
        try
        {
            listener.Start();
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
        }

        var refused = await _ctl.RunAsync("serve", "--data", ":memory:");

        Assert.Contains("http://127.0.0.1:3333", Assert.Single(refused.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_host_name_is_not_taken_for_all_addresses()
    {
        var server = _ctl.Start("serve", "--listen", "http://fleetlock.invalid:0", "--data", ":memory:");

        await Task.WhenAny(server.Exited, server.Output.LineAsync("Listening")).WaitAsync(TestTimeout.Hang, TestContext.Current.CancellationToken);

        Assert.DoesNotContain("[::]", server.Output.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_of_another_program_is_named_and_left_as_it_is()
    {
        const string Foreign = "This is no database, and longer than the first sixteen bytes of one.\n";
        File.WriteAllText(_ctl.PathOf("notes.txt"), Foreign);

        var refused = await _ctl.RunAsync("serve", "--listen", FreePort, "--data", "notes.txt");

        Assert.Contains(_ctl.PathOf("notes.txt"), Assert.Single(refused.ErrorLines), StringComparison.Ordinal);
        Assert.Equal((69, ""), (refused.ExitCode, refused.Output));
        Assert.Equal(Foreign, File.ReadAllText(_ctl.PathOf("notes.txt")));
        Assert.Single(Directory.EnumerateFileSystemEntries(_ctl.Folder));
    }

    [Fact]
    public async Task A_folder_that_is_missing_is_one_line_and_69()
    {
        var refused = await _ctl.RunAsync("serve", "--listen", FreePort, "--data", _ctl.PathOf("missing/fleetlock.db"));

        Assert.Contains(_ctl.PathOf("missing/fleetlock.db"), Assert.Single(refused.ErrorLines), StringComparison.Ordinal);
        Assert.Equal((69, ""), (refused.ExitCode, refused.Output));
    }

    [Theory]
    [InlineData("state", "state/fleetlock.db")]
    [InlineData("first:second", "first/fleetlock.db")]
    public async Task Without_data_the_file_is_in_the_state_directory_which_is_made(string directories, string file)
    {
        Machine.RequireUnix();
        _ctl.Variables["STATE_DIRECTORY"] = string.Join(':', Array.ConvertAll(directories.Split(':'), _ctl.PathOf));

        var server = _ctl.Start("serve", "--listen", FreePort);

        Assert.Contains($"data: {_ctl.PathOf(file)})", await server.Output.LineAsync("Listening"), StringComparison.Ordinal);
        Assert.True(File.Exists(_ctl.PathOf(file)));
    }

    [Fact]
    public async Task A_state_directory_that_cannot_be_made_is_named()
    {
        File.WriteAllText(_ctl.PathOf("file"), "");
        _ctl.Variables["STATE_DIRECTORY"] = _ctl.PathOf("file/state");

        var refused = await _ctl.RunAsync("serve", "--listen", FreePort);

        Assert.Equal((64, ""), (refused.ExitCode, refused.Output));
        Assert.Contains(_ctl.PathOf("file/state"), Assert.Single(refused.ErrorLines), StringComparison.Ordinal);
        Assert.Contains("--data", refused.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("KILL")]
    public async Task A_restart_keeps_the_holders(string signal)
    {
        Machine.RequireUnix();
        var first = _ctl.Start("serve", "--listen", FreePort);
        Assert.Equal(0, await LockAsync(first, "holder"));
        await first.SignalAsync(signal);
        await first.EndAsync();

        var second = _ctl.Start("serve", "--listen", FreePort);

        Assert.Equal(75, await LockAsync(second, "other"));
        Assert.Equal(0, await LockAsync(second, "holder"));
    }

    [Fact]
    public async Task Two_servers_on_one_file_share_its_slots()
    {
        var (first, second) = (_ctl.Start("serve", "--listen", FreePort), _ctl.Start("serve", "--listen", FreePort));

        Assert.Equal(0, await LockAsync(first, "holder"));
        Assert.Equal(75, await LockAsync(second, "other"));
        Assert.Equal(0, await LockAsync(second, "holder"));
    }

    private async Task<int> LockAsync(CtlProcess server, string id)
    {
        var line = await server.Output.LineAsync("Listening");
        return (await _ctl.RunAsync("recursive-lock", "-u", line.Split(' ')[2], "-i", id)).ExitCode;
    }
}
