using System.Diagnostics;
using System.Text.Json;
using FleetLock.TestKit;

namespace FleetLock.PowerShell.Tests;

/// <summary>The PowerShell under test, as a child process: the .NET tool that the build has restored, or another engine.</summary>
internal static class Engine
{
    /// <summary>The full path of another engine; the engine's own children find it here too.</summary>
    internal const string Variable = "FLEETLOCK_TEST_PWSH";

    private static readonly Lazy<string> Restored = new(ReadRestored);

    /// <summary>Runs the engine.</summary>
    /// <param name="cancellationToken">Kills it.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <returns>The exit code and all that it wrote.</returns>
    internal static async Task<(int ExitCode, string Output)> RunAsync(CancellationToken cancellationToken, params string[] arguments)
    {
        using var process = Start(arguments);
        try
        {
            var errors = process.StandardError.ReadToEndAsync(cancellationToken);
            var output = await process.StandardOutput.ReadToEndAsync(cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
            return (process.ExitCode, output + await errors);
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }

    /// <summary>Starts the engine, with an empty standard input.</summary>
    /// <param name="arguments">Its arguments.</param>
    internal static Process Start(params string[] arguments)
    {
        var path = PathOf(Environment.GetEnvironmentVariable(Variable));

        // An assembly is started by dotnet: the tool's executable finds no .NET that is not where an installer puts it.
        var isAssembly = Path.GetExtension(path).Equals(".dll", StringComparison.OrdinalIgnoreCase);
        var start = new ProcessStartInfo(isAssembly ? "dotnet" : path)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        string[] first = isAssembly ? [path] : [];
        foreach (var argument in (string[])[.. first, "-NoProfile", "-NonInteractive", "-NoLogo", .. arguments])
            start.ArgumentList.Add(argument);
        start.Environment["NO_COLOR"] = "1";
        start.Environment[Variable] = path;
        start.Environment["FLEETLOCK_TESTKIT"] = typeof(RawServer).Assembly.Location;

        // No engine of a test lives long enough for what the runtime learns of it to pay.
        start.Environment["DOTNET_TieredPGO"] = "0";

        var process = Process.Start(start)!;
        process.StandardInput.Close();
        return process;
    }

    /// <summary>The engine to start.</summary>
    /// <param name="chosen">The variable's value.</param>
    /// <exception cref="FileNotFoundException">There is no such engine: a run that names one is never a run of another.</exception>
    internal static string PathOf(string? chosen)
    {
        var path = string.IsNullOrEmpty(chosen) ? Restored.Value : chosen;
        if (!Path.IsPathFullyQualified(path) || !File.Exists(path))
            throw new FileNotFoundException($"'{path}' is not the full path of a PowerShell engine. {Variable} names one; the build restores another.", path);
        return path;
    }

    private static string ReadRestored()
    {
        using var file = JsonDocument.Parse(File.ReadAllText(Repository.PathOf("out", "engine.json")));
        return file.RootElement.GetProperty("engine").GetString()!;
    }
}
