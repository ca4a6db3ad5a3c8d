using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;

namespace FleetLock;

/// <summary>
/// A server of one's own as a child process, for a lab, a CI job or a first try: <c>fleetlockctl serve</c>. It ends with this process, however
/// that ends, unless it is detached.
/// </summary>
/// <remarks>
/// The server listens to its standard input: the word "stop" stops it in good order, on every operating system, and so does the end of the
/// stream, which comes also when this process is killed.
/// </remarks>
public sealed class LocalServer
{
    /// <summary>.NET's own exit code for a framework that is not installed.</summary>
    private const int FrameworkMissing = 150;

    private const string Requirement = "The server needs the ASP.NET Core runtime of .NET 10 or later: install it from https://dotnet.microsoft.com/download/dotnet/10.0, and see that 'dotnet' is on the PATH or DOTNET_ROOT names its folder.";

    private const string SessionOption = "--session";

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    // Held here, because the process's standard input would be closed, and the server stopped, when nobody else refers to it.
    private static readonly ConcurrentDictionary<LocalServer, bool> Running = new();

    private readonly StringBuilder _errors = new();
    private readonly TaskCompletionSource<bool> _errorsEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<Match> _listening = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<bool> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private LocalServer(LocalServerOptions options)
    {
        IsDetached = options.IsDetached;
        Process = new Process
        {
            StartInfo = new ProcessStartInfo(DotnetHost.Find())
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                UseShellExecute = false,
                CreateNoWindow = true,
            },
            EnableRaisingEvents = true,
        };
        Process.StartInfo.SetArguments([options.Program, "serve", SessionOption, IsDetached ? "detached" : "attached", .. options.Arguments]);
        Process.OutputDataReceived += (_, line) => ReadOutput(line.Data);
        Process.ErrorDataReceived += (_, line) => ReadError(line.Data);
        Process.Exited += (_, _) => End();
    }

    /// <summary>The server's base address, with the port that it got.</summary>
    public string Uri { get; private set; } = "";

    /// <summary>The process's id.</summary>
    public int ProcessId { get; private set; }

    /// <summary>Its groups and where it keeps their holders, in its own words.</summary>
    public string Description { get; private set; } = "";

    /// <summary>True when it outlives this process.</summary>
    public bool IsDetached { get; }

    /// <summary>True until the process has ended.</summary>
    public bool IsRunning => !_ended.Task.IsCompleted;

    /// <summary>The process's exit code, 0 when it ended in good order; <see langword="null"/> while it runs.</summary>
    public int? ExitCode => IsRunning ? null : Process.ExitCode;

    // Not to be seen: a server that is written to a file would take all that the system tells of a process with it.
    private Process Process { get; }

    /// <summary>Starts a server, and waits until it answers.</summary>
    /// <param name="options">The program and its arguments.</param>
    /// <param name="cancellationToken">Ends the try, and the server.</param>
    /// <returns>The server, which answers.</returns>
    /// <exception cref="LocalServerException">It did not start; the message has its own words, or says what is missing.</exception>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    public static async Task<LocalServer> StartAsync(LocalServerOptions options, CancellationToken cancellationToken = default)
    {
        if (!File.Exists(options.Program))
            throw new LocalServerException($"The server's program is not there: {options.Program}.");
        var server = new LocalServer(options);
        server.StartProcess();
        using var registration = cancellationToken.Register(server.Kill);
        if (await Task.WhenAny(server._listening.Task, server._ended.Task, Task.Delay(StartLimit, CancellationToken.None)).ConfigureAwait(false) == server._listening.Task)
        {
            server.Accept(await server._listening.Task.ConfigureAwait(false));
            return server;
        }

        var isLate = server.IsRunning;
        server.Kill();
        await Task.WhenAll(server._ended.Task, server._errorsEnded.Task).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        throw new LocalServerException(isLate ? $"The server did not listen within {StartLimit.TotalSeconds:0} s. {server.Words()}".TrimEnd() : server.WhyItEnded());
    }

    /// <summary>Stops the server: what is in flight is finished. If it does not end by itself within ten seconds, it is killed, and nothing answered is lost.</summary>
    /// <param name="cancellationToken">Ends the patience.</param>
    /// <returns>When the process has ended.</returns>
    public async Task StopAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            await Process.StandardInput.WriteLineAsync("stop").ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or InvalidOperationException)
        {
            // It has ended already.
        }

        var late = Task.Delay(InteractiveLimits.ServerStop, cancellationToken);
        if (await Task.WhenAny(_ended.Task, late).ConfigureAwait(false) != _ended.Task)
            Kill();
        await _ended.Task.ConfigureAwait(false);
    }

    /// <summary>The server's address.</summary>
    /// <returns>The address.</returns>
    public override string ToString() => Uri;

    private void StartProcess()
    {
        try
        {
            Process.Start();
        }
        catch (Win32Exception e)
        {
            throw new LocalServerException($"'{Process.StartInfo.FileName}' cannot be run. {Requirement}", e);
        }

        ProcessId = Process.Id;
        Running[this] = true;
        Process.BeginOutputReadLine();
        Process.BeginErrorReadLine();
    }

    private void Accept(Match listening)
    {
        Uri = listening.Groups[1].Value;
        Description = listening.Groups[2].Value;
    }

    private void ReadOutput(string? line)
    {
        if (line is not null && Regex.Match(line, @"^Listening on (\S+?)(?:, \S+)* \((.*)\)\.$") is { Success: true } match)
            _listening.TrySetResult(match);
    }

    /// <summary>Its log, which is read so that it never waits for us, and kept only for the words of a server that does not start.</summary>
    private void ReadError(string? line)
    {
        if (line is null)
            _errorsEnded.TrySetResult(true);
        else if (!_listening.Task.IsCompleted)
            _errors.AppendLine(line);
    }

    private void End()
    {
        Running.TryRemove(this, out _);
        _ended.TrySetResult(true);
    }

    private void Kill()
    {
        try
        {
            Process.Kill();
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception)
        {
            // It has ended, or is about to.
        }
    }

    private string WhyItEnded()
    {
        if (Process.ExitCode == FrameworkMissing)
            return Requirement;
        return Words() is { Length: > 0 } words ? words : $"The server ended with the exit code {Process.ExitCode} before it listened.";
    }

    private string Words() => TerminalText.Clean(Regex.Replace(_errors.ToString(), "(?m)^Error: ", "").Trim());
}
