using System.Reflection;
using System.Text.RegularExpressions;
using FleetLock.TestKit;

namespace FleetLock.Server.Tests;

/// <summary>The guards of <c>CONTRIBUTING.md</c> for the server.</summary>
[Trait("Lane", "Fast")]
public sealed class ArchitectureTests
{
    private static readonly Assembly Server = typeof(FleetLockServer).Assembly;

    private static string Folder => Path.Combine(Repository.Root, "src", "FleetLock.Server");

    /// <summary>The sources without their comments.</summary>
    private static IEnumerable<(string Path, string Code)> Sources =>
        from path in Directory.EnumerateFiles(Folder, "*.cs", SearchOption.AllDirectories)
        let relative = Path.GetRelativePath(Folder, path)
        where relative.Split(Path.DirectorySeparatorChar)[0] is not ("bin" or "obj")
        select (relative, Regex.Replace(File.ReadAllText(path), "//.*", ""));

    [Fact]
    public void Of_our_rooms_the_server_knows_Core_alone() => Assert.Equal(
        ["FleetLock.Core"],
        Server.GetReferencedAssemblies().Select(reference => reference.Name!).Where(name => name.StartsWith("FleetLock", StringComparison.Ordinal)));

    [Theory]
    [InlineData("System.Management.Automation")]
    [InlineData("System.CommandLine")]
    public void The_server_does_not_know(string assembly) =>
        Assert.DoesNotContain(Server.GetReferencedAssemblies(), reference => reference.Name == assembly);

    [Fact]
    public void Every_public_class_is_sealed_or_static() =>
        Assert.DoesNotContain(Server.GetExportedTypes(), type => type.IsClass && !type.IsSealed);

    [Fact]
    public void The_server_does_not_write_to_the_console() =>
        Assert.All(Sources, source => Assert.False(Regex.IsMatch(source.Code, @"\bConsole\."), $"{source.Path} has Console."));

    [Fact]
    public void Every_error_is_made_in_one_place() =>
        Assert.All(Sources.Where(source => !source.Path.EndsWith("ErrorReply.cs", StringComparison.Ordinal)), source =>
            Assert.DoesNotContain("new ErrorReply", source.Code, StringComparison.Ordinal));

    [Fact]
    public void Every_error_has_a_kind_of_the_list()
    {
        var errors = Assert.Single(Sources, source => source.Path.EndsWith("ErrorReply.cs", StringComparison.Ordinal)).Code;

        Assert.Equal(Regex.Count(errors, @"=> new\("), Regex.Count(errors, @"\bErrorKinds\.\w+"));
    }

    [Fact]
    public void No_kind_is_spelt_out()
    {
        var kinds = typeof(ErrorKinds).GetFields().Select(field => (string)field.GetRawConstantValue()!);

        Assert.All(kinds, kind => Assert.DoesNotContain(Sources, source => source.Code.Contains($"\"{kind}\"", StringComparison.Ordinal)));
    }

    [Fact]
    public void The_guards_see_the_sources() => Assert.Contains(Sources, source => source.Code.Contains("await ", StringComparison.Ordinal));
}
