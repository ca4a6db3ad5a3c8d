using System.Diagnostics;

namespace FleetLock.Core.Tests;

/// <summary>Another process that tries to take the run lock, says what came of it, and holds on until it is killed or let go.</summary>
/// <remarks>It is this test assembly once more, which branches off before its entry point when the variable is set.</remarks>
internal sealed class LockHolder : IDisposable
{
    internal const string Server = "http://fleet.example";
    internal const string Group = "workers";
    internal const string Id = "node1";

    private const string DirectoryVariable = "FLEETLOCK_TEST_HOLD_IN";

    private readonly Process _process;

    private LockHolder(Process process, string report)
    {
        _process = process;
        Report = report;
    }

    /// <summary><c>taken</c>, <c>refused: </c> and the holder, or <c>fault: </c> and the message.</summary>
    public string Report { get; }

    public int ProcessId => _process.Id;

    internal static async Task<LockHolder> StartAsync(string directory, params (string Name, string Value)[] environment)
    {
        // The host is the test executable, or the dotnet command when that runs the assembly.
        var host = Environment.ProcessPath!;
        var start = new ProcessStartInfo(host) { RedirectStandardInput = true, RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(host) == "dotnet")
        {
            start.ArgumentList.Add("exec");
            start.ArgumentList.Add(typeof(LockHolder).Assembly.Location);
        }

        start.Environment[DirectoryVariable] = directory;
        foreach (var (name, value) in environment)
            start.Environment[name] = value;

        var process = Process.Start(start)!;
        return new LockHolder(process, await process.StandardOutput.ReadLineAsync() ?? "");
    }

    /// <summary>Ends the process without a chance to tidy up: SIGKILL, or TerminateProcess on Windows.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>Lets the process end in good order.</summary>
    public async Task LetGoAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.Dispose();
    }

    internal static void HoldIfAsked()
    {
        if (Environment.GetEnvironmentVariable(DirectoryVariable) is not { Length: > 0 } directory)
            return;

        try
        {
            using var held = RunLock.TryTake(Server, Group, Id, out var holder, directory);
            Console.WriteLine(held is null ? "refused: " + holder : "taken");
            Console.In.ReadToEnd();
        }
        catch (IOException e)
        {
            Console.WriteLine("fault: " + e.Message);
        }

        Environment.Exit(0);
    }
}
