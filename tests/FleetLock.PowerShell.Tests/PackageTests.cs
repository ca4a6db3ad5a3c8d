using System.IO.Compression;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using FleetLock.TestKit;

namespace FleetLock.PowerShell.Tests;

/// <summary>The package that the Gallery takes, as `dotnet build` leaves it.</summary>
public sealed class PackageTests
{
    private static readonly string Manifest = File.ReadAllText(Repository.PathOf("FleetLock.psd1"));

    private static readonly string Version = Field("ModuleVersion");

    private static readonly string Package = Repository.PathOf("out", "package", $"FleetLock.{Version}.nupkg");

    [Fact]
    public void It_holds_what_is_laid_out_and_nothing_else()
    {
        var module = Repository.PathOf("out", "FleetLock");
        var laidOut = Directory.EnumerateFiles(module, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(module, file).Replace('\\', '/'));

        Assert.Equal(laidOut.Order(StringComparer.Ordinal), Content().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Only_the_systems_that_are_served_have_a_native_library_in_it()
    {
        string[] served =
        [
            "linux-arm64/native/libe_sqlite3.so", "linux-musl-x64/native/libe_sqlite3.so", "linux-x64/native/libe_sqlite3.so",
            "osx-arm64/native/libe_sqlite3.dylib", "osx-x64/native/libe_sqlite3.dylib",
            "win-arm64/native/e_sqlite3.dll", "win-x64/native/e_sqlite3.dll",
        ];

        var native = Content().Where(path => path.Contains("/native/", StringComparison.Ordinal) || Path.GetExtension(path) is ".so" or ".dylib").ToArray();

        // A module without a server has none of them.
        Assert.True(native.Length == 0 || native.Order(StringComparer.Ordinal).SequenceEqual(served.Select(path => "server/runtimes/" + path)), string.Join('\n', native));
    }

    [Fact]
    public void Its_description_is_the_manifest_s()
    {
        using var archive = ZipFile.OpenRead(Package);
        using var stream = archive.GetEntry("FleetLock.nuspec")!.Open();
        var fields = XDocument.Load(stream).Root!.Elements().Single().Elements().ToDictionary(field => field.Name.LocalName, field => field.Value);

        Assert.Equal("FleetLock", fields["id"]);
        Assert.Equal(Version, fields["version"]);
        Assert.Equal(Field("Author"), fields["authors"]);
        Assert.Equal(Field("Copyright"), fields["copyright"]);
        Assert.Equal(Field("Description"), fields["description"]);
        Assert.Equal(Field("ProjectUri"), fields["projectUrl"]);
        Assert.Equal(Field("LicenseUri"), fields["licenseUrl"]);
        Assert.Equal(Field("ReleaseNotes"), fields["releaseNotes"]);
        Assert.DoesNotContain("dependencies", fields);
    }

    [Fact]
    public void The_Gallery_finds_the_module_and_each_cmdlet_by_its_tags()
    {
        using var archive = ZipFile.OpenRead(Package);
        using var stream = archive.GetEntry("FleetLock.nuspec")!.Open();
        var tags = XDocument.Load(stream).Descendants().Single(field => field.Name.LocalName == "tags").Value.Split(' ');

        var cmdlets = List("CmdletsToExport");
        Assert.NotEmpty(cmdlets);
        Assert.Equal(["PSModule", .. List("Tags"), "PSIncludes_Cmdlet", .. cmdlets.Select(name => "PSCmdlet_" + name), .. cmdlets.Select(name => "PSCommand_" + name)], tags);
    }

    [Fact]
    public async Task Unpacked_it_is_a_module_that_locks_refuses_and_unlocks() => await RunAsync("Unpack-Package.ps1");

    [Fact]
    public async Task From_a_repository_of_one_s_own_it_installs_like_any_module() => await RunAsync("Install-Package.ps1");

    private static async Task RunAsync(string script)
    {
        using var folder = new TemporaryDirectory();

        var (exitCode, output) = await Engine.RunAsync(
            TestContext.Current.CancellationToken,
            "-File",
            Repository.PathOf("tests", "package", script),
            "-Package",
            Package,
            "-Folder",
            folder.FullName);

        Assert.SkipWhen(exitCode == 77, output);
        Assert.True(exitCode == 0, output);
        Assert.Contains("granted, refused, released", output, StringComparison.Ordinal);
    }

    private static string[] Content()
    {
        using var archive = ZipFile.OpenRead(Package);

        // NuGet's own parts of a package, which no module has.
        return [.. archive.Entries.Select(entry => entry.FullName).Where(name => !Regex.IsMatch(name, @"^(_rels/|package/|\[Content_Types\]\.xml$|FleetLock\.nuspec$)"))];
    }

    private static string Field(string name) => Regex.Match(Manifest, name + @"\s*=\s*'((?:[^']|'')*)'").Groups[1].Value.Replace("''", "'", StringComparison.Ordinal);

    private static string[] List(string name) =>
        [.. Regex.Matches(Regex.Match(Manifest, $@"\b{name}\s*=\s*@\(([^)]*)\)").Groups[1].Value, "'([^']+)'").Select(match => match.Groups[1].Value)];
}
