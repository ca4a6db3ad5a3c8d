using System.Diagnostics;
using System.IO.Compression;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using FleetLock.TestKit;

namespace FleetLock.Core.Tests;

/// <summary>FleetLock.Core as a NuGet library.</summary>
public sealed class LibraryPackageTests
{
    [Fact]
    public async Task It_packs_with_documentation_readme_licence_and_symbols()
    {
        using var folder = new TemporaryDirectory();
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true };
        string[] arguments = ["pack", Repository.PathOf("src", "FleetLock.Core"), "--no-build", "--configuration", configuration, "--output", folder.FullName];
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        using var pack = Process.Start(start)!;
        var output = await pack.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await pack.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(pack.ExitCode == 0, output);

        var version = Regex.Match(File.ReadAllText(Repository.PathOf("FleetLock.psd1")), @"ModuleVersion\s*=\s*'([^']+)'").Groups[1].Value;
        using var archive = ZipFile.OpenRead(folder.File($"FleetLock.Core.{version}.nupkg"));
        var files = archive.Entries.Select(entry => entry.FullName).Where(name => !Regex.IsMatch(name, @"^(_rels/|package/|\[Content_Types\]\.xml$)"));
        Assert.Equal(
            ["FleetLock.Core.nuspec", "README.md", "lib/net472/FleetLock.Core.dll", "lib/net472/FleetLock.Core.xml", "lib/net8.0/FleetLock.Core.dll", "lib/net8.0/FleetLock.Core.xml"],
            files.Order(StringComparer.Ordinal));

        using var stream = archive.GetEntry("FleetLock.Core.nuspec")!.Open();
        var fields = XDocument.Load(stream).Descendants().ToLookup(field => field.Name.LocalName);
        Assert.Equal("Apache-2.0", fields["license"].Single().Value);
        Assert.Equal("README.md", fields["readme"].Single().Value);

        // On .NET 8 and later it brings nothing with it.
        var groups = fields["group"].ToDictionary(group => (string)group.Attribute("targetFramework")!, group => group.Elements().Select(one => (string)one.Attribute("id")!).Order());
        Assert.Equal([], groups["net8.0"]);
        Assert.Equal(["Microsoft.Bcl.TimeProvider", "System.Net.Http.Json"], groups[".NETFramework4.7.2"]);

        using var symbols = ZipFile.OpenRead(folder.File($"FleetLock.Core.{version}.snupkg"));
        Assert.Equal(2, symbols.Entries.Count(entry => entry.Name == "FleetLock.Core.pdb"));
    }
}
