namespace FleetLock.Cli.Tests;

/// <summary>Surroundings that a program does not expect: a deleted working directory, a part of the installation that is missing.</summary>
public sealed class BrokenInstallationTests : IDisposable
{
    private readonly Ctl _ctl = new();

    public BrokenInstallationTests() => Machine.RequireUnix();

    public void Dispose() => _ctl.Dispose();

    [Fact]
    public async Task In_a_deleted_working_directory_a_server_starts()
    {
        var server = StartInDeletedFolder("serve", "--listen", "http://127.0.0.1:0", "--data", ":memory:");

        await server.Output.LineAsync("Listening");

        await server.SignalAsync("TERM");
        var end = await server.EndAsync();
        Assert.Equal((0, ""), (end.ExitCode, end.Errors));
    }

    [Fact]
    public async Task A_relative_path_in_a_deleted_working_directory_has_an_error_that_says_so()
    {
        var finished = await StartInDeletedFolder("serve", "--listen", "http://127.0.0.1:0", "--data", "here.db").FinishAsync();

        Assert.Equal((69, ""), (finished.ExitCode, finished.Output));
        Assert.Equal("Error: The working directory was deleted. Change to another one, or give full paths.", Assert.Single(finished.ErrorLines));
    }

    [Fact]
    public async Task Without_SQLites_library_a_server_does_not_start_and_says_what_is_missing()
    {
        var script = _ctl.WriteScript(
            "incomplete",
            """
            #!/bin/sh
            cp -r "$(dirname "$5")" copy && find copy -name 'libe_sqlite3*' -delete
            dotnet=$1 configuration=$4
            shift 5
            exec "$dotnet" exec --runtimeconfig "$configuration" copy/fleetlockctl.dll "$@"
            """);

        var finished = await _ctl.StartUnder(script, "serve", "--listen", "http://127.0.0.1:0", "--data", "x.db").FinishAsync();

        Assert.Equal((69, ""), (finished.ExitCode, finished.Output));
        Assert.StartsWith("Error: SQLite (e_sqlite3) cannot be loaded.", Assert.Single(finished.ErrorLines), StringComparison.Ordinal);
    }

    private CtlProcess StartInDeletedFolder(params string[] arguments)
    {
        var script = _ctl.WriteScript(
            "from-a-deleted-folder",
            """
            #!/bin/sh
            cd "$(mktemp -d)" && rmdir "$PWD" && exec "$@"
            """);
        return _ctl.StartUnder(script, arguments);
    }
}
