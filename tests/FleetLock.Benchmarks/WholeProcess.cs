using System.Diagnostics;
using FleetLock.TestKit;

namespace FleetLock.Benchmarks;

/// <summary>Whole processes, beside the emptiest process of their kind: what a script that calls one command waits for.</summary>
internal static class WholeProcess
{
    private const int Runs = 11;

    /// <summary>Whether there is a PowerShell to compare with.</summary>
    internal static bool HasPowerShell { get; } = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, "pwsh")));

    /// <summary>The median time of a process, from its start to its end.</summary>
    /// <param name="program">The program.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <returns>Milliseconds.</returns>
    internal static async Task<double> TimeAsync(string program, params IEnumerable<string> arguments)
    {
        var times = new List<double>();
        for (var i = 0; i < Runs; i++)
        {
            var watch = Stopwatch.StartNew();
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            var error = process.StandardError.ReadToEndAsync();
            await process.StandardOutput.ReadToEndAsync();
            await process.WaitForExitAsync();
            times.Add(watch.Elapsed.TotalMilliseconds);
            if (process.ExitCode != 0)
                throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} failed: {await error}");
        }

        return times.Order().ElementAt(Runs / 2);
    }

    /// <summary>The command line, beside an empty .NET program.</summary>
    /// <param name="server">A server with the group "bench".</param>
    /// <returns>When the rows are printed.</returns>
    internal static async Task CompareCommandLineAsync(Uri server)
    {
        var ctl = Repository.Built("src", "FleetLock.Cli", "net10.0", "fleetlockctl.dll");
        var empty = await TimeAsync("dotnet", Repository.Built("tests", "FleetLock.Benchmarks.Empty", "net10.0", "FleetLock.Benchmarks.Empty.dll"));
        var locking = await TimeAsync("dotnet", ctl, "recursive-lock", "-u", server.ToString(), "-g", "bench", "-i", "bench");
        Console.WriteLine();
        Console.WriteLine($"fleetlockctl recursive-lock, whole process: {locking:0} ms, an empty .NET program: {empty:0} ms, difference {locking - empty:0} ms");
    }

    /// <summary>The cmdlets, beside Invoke-RestMethod.</summary>
    /// <param name="server">A server with the group "bench".</param>
    /// <returns>When the rows are printed.</returns>
    internal static async Task ComparePowerShellAsync(Uri server)
    {
        var (module, url) = (Repository.PathOf("out", "FleetLock"), server.ToString().TrimEnd('/'));
        Console.WriteLine();
        Console.WriteLine("A lock and unlock pair in one warm PowerShell session, ms (and of Invoke-RestMethod's time)");
        var script = Repository.PathOf("tests", "FleetLock.Benchmarks", "Compare-Session.ps1");
        using var session = Process.Start(new ProcessStartInfo("pwsh", ["-NoProfile", "-File", script, "-ModulePath", module, "-Uri", url, "-Seconds", "3"]) { RedirectStandardOutput = true })!;
        var rows = (await session.StandardOutput.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('|')).ToDictionary(parts => parts[0], parts => Measure.Parse(parts[1]));
        var floor = rows.Single(row => row.Key.StartsWith("Invoke-RestMethod", StringComparison.Ordinal)).Value;
        foreach (var (way, ms) in rows)
            Console.WriteLine($"  {way,-40} {ms,8:0.000}   {ms / floor:0.00}");

        var empty = await TimeAsync("pwsh", "-NoProfile", "-c", "1");
        var cmdlet = await TimeAsync("pwsh", "-NoProfile", "-c", $"Import-Module '{module}'; Lock-FleetGroup bench -Id bench -Uri {url}");
        var rest = await TimeAsync("pwsh", "-NoProfile", "-c", $"Invoke-RestMethod {url}/v1/pre-reboot -Method Post -Headers @{{'fleet-lock-protocol'='true'}} -Body '{{\"client_params\":{{\"id\":\"bench\",\"group\":\"bench\"}}}}'");
        Console.WriteLine($"One lock, whole process over an empty pwsh ({empty:0} ms): Lock-FleetGroup +{cmdlet - empty:0} ms, Invoke-RestMethod +{rest - empty:0} ms");
    }
}
