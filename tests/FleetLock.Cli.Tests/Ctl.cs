using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using FleetLock.TestKit;

namespace FleetLock.Cli.Tests;

/// <summary>The command line as its user has it: a process. Each test has a folder and an environment of its own, and leaves no process behind.</summary>
internal sealed class Ctl : IDisposable
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "fleetlockctl.dll");
    private static readonly Lazy<string> RuntimeConfiguration = new(WriteRuntimeConfiguration);
    private static readonly string Dotnet = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";

    private readonly TemporaryDirectory _directory = new();
    private readonly ConcurrentBag<CtlProcess> _started = [];

    internal Ctl()
    {
        Variables["HOME"] = Variables["XDG_STATE_HOME"] = Variables["STATE_DIRECTORY"] = Variables["XDG_CONFIG_HOME"] = _directory.FullName;
        Variables["FLEETLOCK_STATE_DIRECTORY"] = _directory.File("runs");
    }

    /// <summary>Variables for the processes that are started from now on, over those of the tests.</summary>
    internal Dictionary<string, string> Variables { get; } = [];

    /// <summary>A node id that no other test has.</summary>
    internal string Id { get; } = $"test-{Guid.NewGuid():N}";

    /// <summary>The working folder of the processes, and the home of their state and of their user's configuration.</summary>
    internal string Folder => _directory.FullName;

    internal string PathOf(string name) => _directory.File(name);

    /// <summary>Runs the command line to its end, with an empty standard input.</summary>
    internal Task<Finished> RunAsync(params IEnumerable<string> arguments) => Start(arguments).FinishAsync();

    /// <summary>Starts the command line, and waits for nothing.</summary>
    internal CtlProcess Start(params IEnumerable<string> arguments) => Start(new ProcessStartInfo(Dotnet, [.. Words, .. arguments]));

    /// <summary>The same, by a program that takes the command line as its arguments.</summary>
    internal CtlProcess StartUnder(string wrapper, params IEnumerable<string> arguments) => Start(new ProcessStartInfo(wrapper, [Dotnet, .. Words, .. arguments]));

    /// <summary>The command line as words, for scripts.</summary>
    internal static string[] CommandLine => [Dotnet, .. Words];

    private static string[] Words => ["exec", "--runtimeconfig", RuntimeConfiguration.Value, Program];

    private CtlProcess Start(ProcessStartInfo start)
    {
        start.WorkingDirectory = Folder;
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;

        // Neither settings nor proxies of the machine that the tests run on.
        foreach (var name in start.Environment.Keys.Where(IsOfMachine).ToList())
            start.Environment.Remove(name);
        foreach (var (name, value) in Variables)
            start.Environment[name] = value;

        var process = new CtlProcess(Process.Start(start)!);
        _started.Add(process);
        return process;
    }

    /// <summary>Makes a file, and the folders that it is in.</summary>
    internal string Write(string name, string text)
    {
        var path = PathOf(name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }

    /// <summary>Makes a file that can be executed.</summary>
    internal string WriteScript(string name, string text)
    {
        var path = Write(name, text);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }

    /// <summary>Waits until the note of the one run has its command.</summary>
    internal async Task CommandNotedAsync()
    {
        using var limit = new CancellationTokenSource(TestTimeout.Hang);
        while (!Directory.GetFiles(PathOf("runs"), "*.note").Any(path => File.ReadAllText(path).Contains("\"command\"", StringComparison.Ordinal)))
            await Task.Delay(1, limit.Token);
    }

    public void Dispose()
    {
        foreach (var process in _started)
            process.Dispose();
        _directory.Dispose();
    }

    /// <summary>The program's own runtime configuration, but nobody waits at a prompt: what is to come may take its time.</summary>
    private static string WriteRuntimeConfiguration()
    {
        var configuration = JsonNode.Parse(File.ReadAllText(Path.ChangeExtension(Program, "runtimeconfig.json")))!;
        var properties = configuration["runtimeOptions"]!["configProperties"]!;
        foreach (var name in new[] { nameof(InteractiveLimits.InterruptedRelease), nameof(InteractiveLimits.HolderLookup) })
            properties[$"FleetLock.{name}Sec"] = TestTimeout.Hang.TotalSeconds;
        var path = Path.Combine(AppContext.BaseDirectory, "patient.runtimeconfig.json");
        File.WriteAllText(path, configuration.ToJsonString());
        return path;
    }

    private static bool IsOfMachine(string variable) =>
        variable.StartsWith("FLEETLOCK_", StringComparison.Ordinal) || variable.EndsWith("_proxy", StringComparison.OrdinalIgnoreCase);
}

/// <summary>A run of the command line that has ended.</summary>
/// <param name="ExitCode">Its exit code.</param>
/// <param name="OutputBytes">What it wrote to standard output.</param>
/// <param name="Errors">What it wrote to standard error.</param>
internal sealed record Finished(int ExitCode, byte[] OutputBytes, string Errors)
{
    internal string Output => Encoding.UTF8.GetString(OutputBytes);

    internal string[] OutputLines => StreamLog.Lines(Output);

    internal string[] ErrorLines => StreamLog.Lines(Errors);
}
