using System.Diagnostics;

namespace FleetLock.Core.Tests;

/// <summary>Another process that begins a run, says what came of it, and holds on until it is killed or let go.</summary>
/// <remarks>It is this test assembly once more, which branches off before its entry point when the variable is set.</remarks>
internal sealed class LockHolder : IDisposable
{
    internal const string Group = "workers";
    internal const string Id = "node1";

    internal static readonly RunScope Scope = new("http://fleet.example");

    private const string DirectoryVariable = "FLEETLOCK_TEST_HOLD_IN";
    private const string RootVariable = "FLEETLOCK_TEST_ROOT_IN";

    private readonly Process _process;

    private LockHolder(Process process, string report)
    {
        _process = process;
        Report = report;
    }

    /// <summary><c>taken: </c> and the grant id, <c>refused: </c> and the holder, or <c>fault: </c> and the message.</summary>
    public string Report { get; }

    public int ProcessId => _process.Id;

    /// <summary>Starts it.</summary>
    /// <param name="directory">The folder of its runs.</param>
    /// <param name="rootDirectory">The folder of root's runs, which it respects.</param>
    /// <param name="wrapper">A program and arguments that start it.</param>
    internal static async Task<LockHolder> StartAsync(string directory, string? rootDirectory = null, params string[] wrapper)
    {
        // The host is the test executable, or the dotnet command when that runs the assembly.
        var host = Environment.ProcessPath!;
        List<string> words = [.. wrapper, host];
        if (Path.GetFileNameWithoutExtension(host) == "dotnet")
            words.AddRange(["exec", typeof(LockHolder).Assembly.Location]);

        var start = new ProcessStartInfo(words[0], words.Skip(1)) { RedirectStandardInput = true, RedirectStandardOutput = true };
        start.Environment[DirectoryVariable] = directory;
        start.Environment[RootVariable] = rootDirectory ?? "";
        start.Environment["DOTNET_EnableDiagnostics"] = "0";

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
            var rootDirectory = Environment.GetEnvironmentVariable(RootVariable) is { Length: > 0 } value ? value : null;
            using var claim = new RunClaim(directory, Scope, Group, [Id], rootDirectory);
            var holder = claim.TryTake();
            Console.WriteLine(holder is null ? "taken: " + claim.GrantId : "refused: " + holder);
            Console.In.ReadToEnd();
        }
        catch (IOException e)
        {
            Console.WriteLine("fault: " + e.Message);
        }

        Environment.Exit(0);
    }
}
