using System.Text.RegularExpressions;
using System.Xml.Linq;
using FleetLock.TestKit;

namespace FleetLock.Core.Tests;

/// <summary>The picture of <c>docs/architecture.md</c> and the guards of <c>CONTRIBUTING.md</c> that are about several projects.</summary>
[Trait("Lane", "Fast")]
public sealed class RepositoryTests
{
    /// <summary>PowerShell → Core ← Server ← Cli; the package lays out what they are built into.</summary>
    private static readonly Dictionary<string, string[]> Arrows = new()
    {
        ["FleetLock.Core"] = [],
        ["FleetLock.PowerShell"] = ["FleetLock.Core"],
        ["FleetLock.Server"] = ["FleetLock.Core"],
        ["FleetLock.Cli"] = ["FleetLock.Core", "FleetLock.Server"],
        ["FleetLock.Package"] = ["FleetLock.Cli", "FleetLock.PowerShell"],
    };

    [Fact]
    public void The_arrows_between_the_rooms_go_one_way()
    {
        var found = Directory.GetFiles(Repository.PathOf("src"), "*.csproj", SearchOption.AllDirectories).ToDictionary(
            file => Path.GetFileNameWithoutExtension(file),
            file => XDocument.Load(file).Descendants("ProjectReference").Select(one => Path.GetFileNameWithoutExtension((string)one.Attribute("Include")!)).Order().ToArray());

        Assert.Equal(Arrows.Keys.Order(), found.Keys.Order());
        Assert.All(found, room => Assert.Equal(Arrows[room.Key], room.Value));
    }

    [Fact]
    public void Every_public_type_is_closed_or_made_to_be_derived_from() =>
        Assert.All(Sources(), file => Assert.DoesNotMatch(@"(?m)^public (partial )?(class|record) ", File.ReadAllText(file)));

    [Fact]
    public void Only_the_manifest_names_the_version()
    {
        var projects = Directory.GetFiles(Repository.PathOf("src"), "*.csproj", SearchOption.AllDirectories);
        Assert.All(projects, file => Assert.DoesNotMatch("<(Package|Assembly|File)?Version>", File.ReadAllText(file)));
    }

    [Fact]
    public void Every_workflow_calls_what_runs_here_too()
    {
        var workflows = Directory.GetFiles(Repository.PathOf(".github", "workflows"), "*.yml").Select(File.ReadAllText).ToArray();
        Assert.Contains(workflows, text => text.Contains("- run: .ci/run", StringComparison.Ordinal));

        var tasks = Regex.Match(File.ReadAllText(Repository.PathOf("build.ps1")), @"ValidateSet\('Build'[^)]*\)").Value;
        var called = workflows.SelectMany(text => Regex.Matches(text, @"build\.ps1 -Task (\w+)")).Select(match => match.Groups[1].Value);
        Assert.All(called, task => Assert.Contains($"'{task}'", tasks, StringComparison.Ordinal));
        var scripts = workflows.SelectMany(text => Regex.Matches(text, @"tests/[\w./-]+\.ps1")).Select(match => match.Value);
        Assert.All(scripts, script => Assert.True(File.Exists(Repository.PathOf(script)), script));
    }

    private static IEnumerable<string> Sources() =>
        Directory.EnumerateFiles(Repository.PathOf("src"), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Split(Path.DirectorySeparatorChar).Intersect(["bin", "obj"]).Any());
}
