using System.Diagnostics;
using FleetLock.TestKit;

namespace FleetLock.PowerShell.Tests;

/// <summary>The PowerShell of this machine, as a child process.</summary>
internal static class Engine
{
    private static readonly Lazy<Task<string?>> Missing = new(FindMissingAsync);

    /// <summary>Says what a Pester run lacks here.</summary>
    /// <returns>The reason to skip; <see langword="null"/> when nothing is missing.</returns>
    internal static Task<string?> WhatIsMissingAsync() => Missing.Value;

    /// <summary>Runs the engine.</summary>
    /// <param name="cancellationToken">Kills it.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <returns>The exit code and all that it wrote.</returns>
    internal static async Task<(int ExitCode, string Output)> RunAsync(CancellationToken cancellationToken, params string[] arguments)
    {
        var start = new ProcessStartInfo("pwsh")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        string[] quiet = ["-NoProfile", "-NonInteractive", "-NoLogo"];
        foreach (var argument in quiet.Concat(arguments))
            start.ArgumentList.Add(argument);
        start.Environment["NO_COLOR"] = "1";
        start.Environment["FLEETLOCK_TESTKIT"] = typeof(RawServer).Assembly.Location;

        using var process = Process.Start(start)!;
        process.StandardInput.Close();
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

    private static async Task<string?> FindMissingAsync()
    {
        var path = Environment.GetEnvironmentVariable("PATH") ?? "";
        var names = OperatingSystem.IsWindows() ? "pwsh.exe" : "pwsh";
        if (!path.Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, names))))
            return "PowerShell (pwsh) is not on the PATH.";

        var (exitCode, output) = await RunAsync(CancellationToken.None, "-Command", "exit [int](-not (Get-Module -ListAvailable Pester | Where-Object { $_.Version.Major -ge 5 }))");
        return exitCode == 0 ? null : $"Pester 5 or later is not installed. {output.Trim()}".TrimEnd();
    }
}
