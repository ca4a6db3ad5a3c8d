using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using FleetLock.TestKit;

namespace FleetLock.PowerShell.Tests;

/// <summary>What can be told of the laid-out module without an engine.</summary>
[Trait("Lane", "Fast")]
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
            .Select(name => Regex.Match(name, "^(Confirm|Get|Set|Lock|Test|Unlock|Invoke|Start|Stop)(Fleet[A-Za-z]+)Command$"))
            .Where(match => match.Success)
            .Select(match => $"{match.Groups[1].Value}-{match.Groups[2].Value}")
            .Order();

        Assert.Equal(nouns, exported);
    }

    [Fact]
    public void The_module_has_a_server_for_every_platform_that_we_serve()
    {
        var server = Path.Combine(Module, "server");
        Assert.All(["fleetlockctl.dll", "fleetlockctl.deps.json", "fleetlockctl.runtimeconfig.json", "FleetLock.Server.dll"], file => Assert.True(File.Exists(Path.Combine(server, file)), file));
        Assert.False(File.Exists(Path.Combine(server, "fleetlockctl")) || File.Exists(Path.Combine(server, "fleetlockctl.exe")));
        Assert.Equal(
            ["linux-arm64", "linux-musl-x64", "linux-x64", "osx-arm64", "osx-x64", "win-arm64", "win-x64"],
            Directory.EnumerateDirectories(Path.Combine(server, "runtimes")).Where(platform => Directory.EnumerateFiles(platform, "*e_sqlite3*", SearchOption.AllDirectories).Any()).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void PowerShell_7_gets_no_third_party_assembly()
    {
        var files = Directory.EnumerateFiles(Path.Combine(Module, "net8.0")).Select(Path.GetFileName).Order();
        Assert.Equal(["FleetLock.Core.dll", "FleetLock.PowerShell.dll"], files);
    }

    [Fact]
    public void Windows_PowerShell_finds_every_assembly_in_the_version_that_is_asked_for()
    {
        var files = Directory.GetFiles(Path.Combine(Module, "net472"), "*.dll");
        var shipped = files.Select(NameOf).ToDictionary(name => name.Name!, name => name.Version!);

        // .NET Framework 4.7.2 has these, in these versions, and the engine has itself.
        var framework = new Dictionary<string, Version>
        {
            ["mscorlib"] = new(4, 0, 0, 0),
            ["System"] = new(4, 0, 0, 0),
            ["System.Core"] = new(4, 0, 0, 0),
            ["System.Net.Http"] = new(4, 2, 0, 0),
            ["System.Numerics"] = new(4, 0, 0, 0),
            ["System.Management.Automation"] = new(3, 0, 0, 0),
        };

        Assert.All(files.SelectMany(ReferencesOf), asked => Assert.True(
            shipped.TryGetValue(asked.Name!, out var version) ? version >= asked.Version : framework.TryGetValue(asked.Name!, out version) && version >= asked.Version,
            $"{asked} is asked for, and there is {version?.ToString() ?? "none"}."));
    }

    [Fact]
    public void The_module_chooses_the_folder_of_each_edition()
    {
        var choice = Regex.Match(
            File.ReadAllText(Path.Combine(Module, "FleetLock.psm1")),
            @"if \(\$PSEdition -eq 'Core'\) \{ \S+ \$PSScriptRoot/(?<Core>\S+) .*\}\nelse \{ \S+ \$PSScriptRoot/(?<Desktop>\S+) .*\}");

        Assert.Equal("net8.0/FleetLock.PowerShell.dll", choice.Groups["Core"].Value);
        Assert.Equal("net472/FleetLock.PowerShell.dll", choice.Groups["Desktop"].Value);
        Assert.Equal(".NETCoreApp,Version=v8.0", FrameworkOf(Path.Combine(Module, choice.Groups["Core"].Value)));
        Assert.Equal(".NETFramework,Version=v4.7.2", FrameworkOf(Path.Combine(Module, choice.Groups["Desktop"].Value)));
    }

    [Theory]
    [MemberData(nameof(Editions))]
    public void The_manifest_s_version_is_every_assembly_s(string edition)
    {
        var version = Regex.Match(File.ReadAllText(Path.Combine(Module, "FleetLock.psd1")), @"ModuleVersion\s*=\s*'([^']+)'").Groups[1].Value;
        Assert.All(Directory.GetFiles(Path.Combine(Module, edition), "FleetLock.*.dll"), file => Assert.Equal(version, NameOf(file).Version!.ToString(3)));
        Assert.Equal(version, NameOf(Repository.PathOf("out", "fleetlockctl", "fleetlockctl.dll")).Version!.ToString(3));
        Assert.Contains($"## v{version} - ", File.ReadAllText(Repository.PathOf("CHANGELOG.md")), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Editions))]
    public void The_engine_s_reference_assembly_is_never_shipped(string edition) =>
        Assert.False(File.Exists(Path.Combine(Module, edition, "System.Management.Automation.dll")));

    [Fact]
    public void Every_view_and_every_extension_is_of_a_type_that_there_is()
    {
        string[] types = [.. TypesOf(Path.Combine(Module, "net8.0", "FleetLock.Core.dll")), .. TypesOf(Path.Combine(Module, "net8.0", "FleetLock.PowerShell.dll"))];
        var viewed = XDocument.Load(Path.Combine(Module, "FleetLock.Format.ps1xml")).Descendants("TypeName").Select(name => name.Value);
        var extended = XDocument.Load(Path.Combine(Module, "FleetLock.Types.ps1xml")).Root!.Elements("Type").Select(type => type.Element("Name")!.Value);
        Assert.All(viewed.Concat(extended), name => Assert.Contains(name[(name.LastIndexOf('.') + 1)..], types));
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

    private static AssemblyName[] ReferencesOf(string assembly)
    {
        using var file = new PEReader(File.OpenRead(assembly));
        var metadata = file.GetMetadataReader();
        return [.. metadata.AssemblyReferences.Select(handle => metadata.GetAssemblyReference(handle).GetAssemblyName())];
    }

    private static AssemblyName NameOf(string assembly)
    {
        using var file = new PEReader(File.OpenRead(assembly));
        return file.GetMetadataReader().GetAssemblyDefinition().GetAssemblyName();
    }

    /// <summary>The framework that an assembly says it is for; the name is in the bytes of its TargetFramework attribute as it is.</summary>
    private static string FrameworkOf(string assembly) =>
        Regex.Match(Encoding.Latin1.GetString(File.ReadAllBytes(assembly)), @"\.NET(CoreApp|Framework),Version=v[0-9.]+").Value;
}
