using FleetLock.TestKit;

namespace FleetLock.PowerShell.Tests;

/// <summary>Which engine the tests run in.</summary>
public class EngineTests
{
    [Theory]
    [InlineData("/no/such/folder/pwsh")]
    [InlineData("pwsh")]
    public void An_engine_that_is_named_and_not_there_fails_the_run(string chosen) =>
        Assert.Contains(chosen, Assert.Throws<FileNotFoundException>(() => Engine.PathOf(chosen)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("/no/such/folder/pwsh")]
    [InlineData("pwsh")]
    public async Task Scripts_refuse_such_an_engine_too(string chosen)
    {
        var find = $". '{Repository.PathOf("tests", "Engine.ps1")}'";
        var script = $"$ErrorActionPreference = 'Stop'; $env:{Engine.Variable} = '{chosen}'; {find}; 'went on'";
        var (exitCode, output) = await Engine.RunAsync(TestContext.Current.CancellationToken, "-Command", script);
        Assert.NotEqual(0, exitCode);
        Assert.Contains($"'{chosen}'", output, StringComparison.Ordinal);
        Assert.DoesNotContain("went on", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    public void The_engine_is_the_build_s_own_when_none_is_named(string? chosen) =>
        Assert.Equal("pwsh.dll", Path.GetFileName(Engine.PathOf(chosen)));

    [Fact]
    public void An_engine_that_is_named_is_taken()
    {
        var here = typeof(EngineTests).Assembly.Location;
        Assert.Equal(here, Engine.PathOf(here));
    }

    [Fact]
    public async Task Its_children_find_the_same_engine()
    {
        var (exitCode, output) = await Engine.RunAsync(TestContext.Current.CancellationToken, "-Command", $"$env:{Engine.Variable}");
        Assert.Equal(0, exitCode);
        Assert.Equal(Engine.PathOf(Environment.GetEnvironmentVariable(Engine.Variable)), output.Trim());
    }

    [Fact]
    public void No_script_starts_an_engine_by_the_path_of_its_own_process()
    {
        // Where PowerShell is a .NET tool, that is the path of dotnet.
        string[] folders = ["pester", "package"];
        var scripts = folders.SelectMany(folder => Directory.GetFiles(Repository.PathOf("tests", folder), "*.ps1")).ToArray();
        Assert.NotEmpty(scripts);
        Assert.All(scripts, script => Assert.DoesNotMatch(@"::ProcessPath|Get-Process -Id \$PID", File.ReadAllText(script)));
    }
}
