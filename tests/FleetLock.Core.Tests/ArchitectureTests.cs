using System.Reflection;
using System.Text.RegularExpressions;
using FleetLock.TestKit;

namespace FleetLock.Core.Tests;

/// <summary>The guards of <c>CONTRIBUTING.md</c> for Core.</summary>
[Trait("Lane", "Fast")]
public sealed class ArchitectureTests
{
    private static readonly Assembly Core = typeof(FleetLockClient).Assembly;

    private static readonly string[] NotForCore =
        ["System.Management.Automation", "PowerShellStandard", "Microsoft.PowerShell", "Microsoft.AspNetCore", "Microsoft.Extensions", "FleetLock."];

    [Fact]
    public void Core_knows_neither_PowerShell_nor_the_server() =>
        Assert.All(Core.GetReferencedAssemblies(), reference =>
            Assert.DoesNotContain(NotForCore, prefix => reference.Name!.StartsWith(prefix, StringComparison.Ordinal)));

    [Fact]
    public void Core_has_no_project_below_it() =>
        Assert.DoesNotContain("<ProjectReference", File.ReadAllText(Path.Combine(CoreFolder, "FleetLock.Core.csproj")), StringComparison.Ordinal);

    [Fact]
    public void Every_public_class_is_sealed_or_static() =>
        Assert.DoesNotContain(Core.GetExportedTypes(), type => type.IsClass && !type.IsSealed);

    [Fact]
    public void Core_does_not_write_to_the_console() =>
        Assert.All(CoreSources(), source => Assert.False(Regex.IsMatch(source.Code, @"\bConsole\."), $"{source.Path} has Console."));

    [Fact]
    public void The_guards_see_the_sources() => Assert.Contains(CoreSources(), source => source.Code.Contains("await ", StringComparison.Ordinal));

    private static string CoreFolder => Path.Combine(Repository.Root, "src", "FleetLock.Core");

    private static IEnumerable<(string Path, string Code)> CoreSources() =>
        from path in Directory.EnumerateFiles(CoreFolder, "*.cs", SearchOption.AllDirectories)
        let relative = Path.GetRelativePath(CoreFolder, path)
        where relative.Split(Path.DirectorySeparatorChar)[0] is not ("bin" or "obj")
        select (relative, Regex.Replace(File.ReadAllText(path), "//.*", ""));
}
