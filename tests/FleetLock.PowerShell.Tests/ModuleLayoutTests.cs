using System;
using System.IO;
using System.Linq;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using FleetLock.TestKit;
using Xunit;

namespace FleetLock.PowerShell.Tests;

/// <summary>What can be told of the laid-out module without an engine.</summary>
public class ModuleLayoutTests
{
    private static readonly string Module = Repository.PathOf("out", "FleetLock");

    public static TheoryData<string> Editions => ["net8.0", "net472"];

    [Theory]
    [MemberData(nameof(Editions))]
    public void The_manifest_exports_exactly_the_cmdlets_of_each_edition(string edition)
    {
        var manifest = File.ReadAllText(Path.Combine(Module, "FleetLock.psd1"));
        var exports = Regex.Match(manifest, @"CmdletsToExport\s*=\s*@\(([^)]*)\)").Groups[1].Value;
        var exported = Regex.Matches(exports, "'([^']+)'").Select(match => match.Groups[1].Value).Order();

        var nouns = TypesOf(Path.Combine(Module, edition, "FleetLock.PowerShell.dll"))
            .Select(name => Regex.Match(name, "^(Get|Lock|Test|Unlock|Invoke|Start|Stop)(Fleet[A-Za-z]+)Command$"))
            .Where(match => match.Success)
            .Select(match => $"{match.Groups[1].Value}-{match.Groups[2].Value}")
            .Order();

        Assert.Equal(nouns, exported);
    }

    [Fact]
    public void PowerShell_7_gets_no_third_party_assembly()
    {
        var files = Directory.EnumerateFiles(Path.Combine(Module, "net8.0")).Select(Path.GetFileName).Order();
        Assert.Equal(["FleetLock.Core.dll", "FleetLock.PowerShell.dll"], files);
    }

    [Fact]
    public void Windows_PowerShell_gets_every_assembly_that_its_framework_does_not_have()
    {
        var folder = Path.Combine(Module, "net472");
        var shipped = Directory.EnumerateFiles(folder, "*.dll").Select(Path.GetFileNameWithoutExtension);
        var needed = Directory.EnumerateFiles(folder, "*.dll").SelectMany(ReferencesOf).Distinct();

        // What .NET Framework 4.7.2 itself has, and the engine.
        string[] framework = ["mscorlib", "netstandard", "System", "System.Core", "System.Net.Http", "System.Numerics", "System.Management.Automation", "System.Runtime", "System.ValueTuple"];
        Assert.Equal([], needed.Except(shipped).Except(framework));
    }

    [Theory]
    [MemberData(nameof(Editions))]
    public void The_engine_s_reference_assembly_is_never_shipped(string edition) =>
        Assert.False(File.Exists(Path.Combine(Module, edition, "System.Management.Automation.dll")));

    [Fact]
    public void Every_view_is_of_a_type_of_the_core()
    {
        var types = TypesOf(Path.Combine(Module, "net8.0", "FleetLock.Core.dll"));
        var viewed = XDocument.Load(Path.Combine(Module, "FleetLock.Format.ps1xml")).Descendants("TypeName").Select(name => name.Value);
        Assert.All(viewed, name => Assert.Contains(name["FleetLock.".Length..], types));
    }

    [Fact]
    public void Cmdlets_are_thin_and_never_use_the_console()
    {
        foreach (var file in Directory.EnumerateFiles(Repository.PathOf("src", "FleetLock.PowerShell"), "*.cs", SearchOption.AllDirectories))
        {
            if (file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
                continue;
            var text = File.ReadAllText(file);
            Assert.False(text.Contains("Console.", StringComparison.Ordinal), file);
            var most = Path.GetFileName(Path.GetDirectoryName(file)) == "Commands" ? 130 : 170;
            Assert.True(text.Split('\n').Length <= most, $"{file} has more than {most} lines.");
            Assert.True(!text.Contains("new ErrorRecord(", StringComparison.Ordinal) || Path.GetFileName(file) == "ErrorRecords.cs", $"{file} builds an error record of its own.");
        }
    }

    private static string[] TypesOf(string assembly)
    {
        using var file = new PEReader(File.OpenRead(assembly));
        var metadata = file.GetMetadataReader();
        return [.. metadata.TypeDefinitions.Select(handle => metadata.GetString(metadata.GetTypeDefinition(handle).Name))];
    }

    private static string[] ReferencesOf(string assembly)
    {
        using var file = new PEReader(File.OpenRead(assembly));
        var metadata = file.GetMetadataReader();
        return [.. metadata.AssemblyReferences.Select(handle => metadata.GetString(metadata.GetAssemblyReference(handle).Name))];
    }
}
