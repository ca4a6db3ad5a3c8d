using FleetLock.TestKit;
using Xunit.Sdk;
using Xunit.v3;

// Each Pester file is a row of one theory.
[assembly: Parallelization(Mode = ParallelMode.All)]

namespace FleetLock.PowerShell.Tests;

/// <summary>Runs each file of the Pester suite in a real engine.</summary>
public class PesterTests(SuiteEngines engines) : IClassFixture<SuiteEngines>
{
    public static TheoryData<string> Files
    {
        get
        {
            var files = new TheoryData<string>();
            foreach (var file in Directory.EnumerateFiles(Repository.PathOf("tests", "pester"), "*.Tests.ps1"))
                files.Add(Path.GetFileName(file));
            return files;
        }
    }

    [Theory]
    [MemberData(nameof(Files))]
    public async Task The_suite_passes_in_a_real_engine(string file)
    {
        var results = Repository.PathOf("out", "TestResults", "pester");
        Directory.CreateDirectory(results);
        var result = Path.Combine(results, Path.ChangeExtension(file, ".xml"));
        File.Delete(result);
        File.Delete(Path.ChangeExtension(result, ".skipped"));
        var (exitCode, output) = await engines.RunAsync(Repository.PathOf("tests", "pester", file), result, TestContext.Current.CancellationToken);

        TestContext.Current.TestOutputHelper?.WriteLine(output);
        Assert.True(exitCode == 0, output);

        // A program that is no PowerShell may end with 0 as well.
        Assert.True(File.Exists(result), output);
    }
}
