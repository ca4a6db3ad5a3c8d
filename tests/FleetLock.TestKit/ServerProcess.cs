using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace FleetLock.TestKit;

/// <summary>A <c>fleetlockctl serve</c> as a process of its own, which can be killed.</summary>
public sealed class ServerProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly ConcurrentQueue<string> _errors = new();
    private readonly TaskCompletionSource<Uri> _listening = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ServerProcess(IEnumerable<string> arguments, bool keepsErrors = true)
    {
        var program = Repository.Built("src", "FleetLock.Cli", "net10.0", "fleetlockctl.dll");
        var dotnet = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";
        _process = new Process
        {
            StartInfo = new ProcessStartInfo(dotnet, [program, "serve", .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true },
        };
        _process.OutputDataReceived += (_, line) => ReadOutput(line.Data);
        _process.ErrorDataReceived += (_, line) => ReadError(line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        if (keepsErrors)
            _process.BeginErrorReadLine();
        else
            _ = _process.StandardError.BaseStream.CopyToAsync(Stream.Null);
    }

    /// <summary>Where the server listens, with the port that it got.</summary>
    public Uri Address => _listening.Task.Result;

    /// <summary>What has come on standard error, line by line. It is whole after <see cref="WaitForExitAsync"/>.</summary>
    public IReadOnlyList<string> Errors => [.. _errors];

    /// <summary>Starts <c>fleetlockctl serve</c>, and waits for nothing.</summary>
    /// <param name="arguments">What follows <c>serve</c> on the command line.</param>
    public static ServerProcess Start(params IEnumerable<string> arguments) => new(arguments);

    /// <summary>Starts <c>fleetlockctl serve</c>, and waits until it listens.</summary>
    /// <param name="arguments">What follows <c>serve</c> on the command line.</param>
    /// <exception cref="InvalidOperationException">It ended instead.</exception>
    public static Task<ServerProcess> StartListeningAsync(params IEnumerable<string> arguments) => ListeningAsync(new ServerProcess(arguments));

    /// <summary>The same for long loads: the log is written, read and forgotten, and costs this process next to nothing.</summary>
    /// <param name="arguments">What follows <c>serve</c> on the command line.</param>
    /// <exception cref="InvalidOperationException">It ended instead.</exception>
    public static Task<ServerProcess> StartUnreadAsync(params IEnumerable<string> arguments) => ListeningAsync(new ServerProcess(arguments, keepsErrors: false));

    /// <summary>Ends the process as a loss of power does: nothing of it runs on (SIGKILL).</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await WaitForExitAsync();
    }

    /// <summary>Sends a signal.</summary>
    /// <param name="signal">Its name as <c>kill</c> takes it: TERM, INT.</param>
    public async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", ["-" + signal, _process.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
        if (kill.ExitCode != 0)
            throw new InvalidOperationException($"kill -{signal} ended with {kill.ExitCode}.");
    }

    /// <summary>What the process has used so far.</summary>
    /// <returns>Processor time, memory now, and the most memory at any time, in bytes.</returns>
    public (TimeSpan Processor, long Memory, long MostMemory) ReadUsage()
    {
        _process.Refresh();
        return (_process.TotalProcessorTime, _process.WorkingSet64, _process.PeakWorkingSet64);
    }

    /// <summary>Waits for the end of the process.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> WaitForExitAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(TestTimeout.Hang);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await WaitForExitAsync();
        _process.Dispose();
    }

    private static async Task<ServerProcess> ListeningAsync(ServerProcess server)
    {
        try
        {
            await server._listening.Task.WaitAsync(TestTimeout.Hang);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    private void ReadOutput(string? line)
    {
        if (line is null)
            _listening.TrySetException(new InvalidOperationException("The server ended before it listened: " + string.Join(Environment.NewLine, _errors)));
        else if (Regex.Match(line, @"^Listening on (https?://[^\s,]+)[, ]") is { Success: true } match)
            _listening.TrySetResult(new Uri(match.Groups[1].Value));
    }

    private void ReadError(string? line)
    {
        if (line is not null)
            _errors.Enqueue(line);
    }
}
