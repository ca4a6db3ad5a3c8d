using System.Diagnostics;
#if !NET
using System.Text;
#endif

namespace FleetLock;

/// <summary>Where <c>dotnet</c> is, and how it is given arguments.</summary>
internal static class DotnetHost
{
    /// <summary>Finds it: in the folder that <c>DOTNET_ROOT</c> names, then on the PATH.</summary>
    /// <returns>The program; the bare name where it is in neither, so that starting it fails.</returns>
    internal static string Find()
    {
        var name = Path.DirectorySeparatorChar == '\\' ? "dotnet.exe" : "dotnet";
        return new[] { Environment.GetEnvironmentVariable("DOTNET_ROOT") ?? "" }
            .Concat((Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator))
            .Where(folder => folder.Length > 0)
            .Select(folder => Path.Combine(folder.Trim('"'), name))
            .FirstOrDefault(File.Exists) ?? name;
    }

#if NET
    /// <summary>Sets the arguments, each to arrive as it is.</summary>
    /// <param name="start">The process to be.</param>
    /// <param name="arguments">The arguments.</param>
    internal static void SetArguments(this ProcessStartInfo start, string[] arguments)
    {
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
    }
#else
    /// <summary>Sets the arguments, each to arrive as it is.</summary>
    /// <param name="start">The process to be.</param>
    /// <param name="arguments">The arguments.</param>
    internal static void SetArguments(this ProcessStartInfo start, string[] arguments) => start.Arguments = Join(arguments);

    /// <summary>Quotes as Windows programs read it: backslashes count only before a quote.</summary>
    private static string Join(IEnumerable<string> arguments)
    {
        var line = new StringBuilder();
        foreach (var argument in arguments)
        {
            var backslashes = 0;
            line.Append(line.Length == 0 ? "\"" : " \"");
            foreach (var c in argument)
            {
                if (c == '"')
                    line.Append('\\', backslashes + 1);
                backslashes = c == '\\' ? backslashes + 1 : 0;
                line.Append(c);
            }

            line.Append('\\', backslashes).Append('"');
        }

        return line.ToString();
    }
#endif
}
