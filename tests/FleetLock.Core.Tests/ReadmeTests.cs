using System.Diagnostics;
using System.Text.RegularExpressions;
using FleetLock.TestKit;

namespace FleetLock.Core.Tests;

/// <summary>The README's C# example is a project of its own, compiled with the tests: here it is held to the README's text, and run.</summary>
public class ReadmeTests
{
    [Fact]
    public void The_example_of_the_readme_is_the_one_that_is_compiled()
    {
        var readme = File.ReadAllText(Repository.PathOf("README.md"));
        var example = Regex.Match(readme, "```csharp\n(.*?)```", RegexOptions.Singleline).Groups[1].Value;
        Assert.Equal(File.ReadAllText(Repository.PathOf("tests", "FleetLock.Example", "Program.cs")), example);
    }

    [Theory]
    [InlineData(200, 0, "Granted")]
    [InlineData(409, 75, "Busy")]
    public async Task The_example_of_the_readme_works(int status, int exitCode, string word)
    {
        await using var server = new RawServer(RawAnswer.Http(status, """{"kind":"failed_lock_semaphore_full","value":"all 1 semaphore slots currently locked"}"""));
        var start = new ProcessStartInfo("dotnet", [Repository.Built("tests", "FleetLock.Example", "net10.0", "FleetLock.Example.dll")]) { RedirectStandardOutput = true };
        start.Environment["FLEETLOCK_URL"] = server.Url;
        start.Environment["FLEETLOCK_ID"] = "node-1";

        using var example = Process.Start(start)!;
        var output = await example.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await example.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal(exitCode, example.ExitCode);
        Assert.Contains(word, output);
        Assert.Equal(status == 200 ? 2 : 1, server.Requests.Count(request => request.Body.Contains("\"group\":\"workers\"")));
    }
}
