using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.IO.Pipes;
using System.Text;
using FleetLock.TestKit;

namespace FleetLock.PowerShell.Tests;

/// <summary>An engine that runs the Pester files that it is told, one after the other.</summary>
internal sealed class SuiteEngine : IDisposable
{
    // Standard input is not how it is told: what the tests start inherits that, and could take what is meant for the engine.
    private readonly NamedPipeServerStream _pipe;
    private readonly StreamWriter _files;
    private readonly Process _process;
    private readonly ConcurrentQueue<string> _errors = new();
    private readonly Task _allErrors;

    internal SuiteEngine()
    {
        var name = Guid.NewGuid().ToString("N");
        _pipe = new NamedPipeServerStream(name, PipeDirection.Out, 1, PipeTransmissionMode.Byte, PipeOptions.Asynchronous | PipeOptions.CurrentUserOnly);
        _files = new StreamWriter(_pipe);
        _process = Engine.Start("-File", Repository.PathOf("tests", "pester", "Invoke-Suite.ps1"), "-Pipe", name);
        _allErrors = ReadErrorsAsync();
    }

    /// <summary>Whether it can run another file.</summary>
    internal bool IsRunning => _pipe.IsConnected;

    /// <summary>Runs a file.</summary>
    /// <param name="file">The file's full path.</param>
    /// <param name="result">Where Pester writes its results.</param>
    /// <param name="cancellationToken">Gives up; then the engine is of no more use.</param>
    /// <returns>The exit code, of the file or of the engine if it has ended, and all that was written meanwhile.</returns>
    internal async Task<(int ExitCode, string Output)> RunAsync(string file, string result, CancellationToken cancellationToken)
    {
        var end = Guid.NewGuid().ToString("N");
        await TellAsync($"{file}\t{result}\t{end}", cancellationToken);

        var output = new StringBuilder();
        while (await _process.StandardOutput.ReadLineAsync(cancellationToken) is { } line)
        {
            if (line.StartsWith(end, StringComparison.Ordinal))
                return (int.Parse(line[end.Length..], CultureInfo.InvariantCulture), WithErrors(output));
            output.AppendLine(line);
        }

        await _allErrors.WaitAsync(cancellationToken);
        await _process.WaitForExitAsync(cancellationToken);
        await _pipe.DisposeAsync();
        return (_process.ExitCode, WithErrors(output));
    }

    /// <summary>Ends it as it ends by itself when there is nothing more to do.</summary>
    internal async Task EndAsync()
    {
        try
        {
            _files.Dispose();
            await _process.WaitForExitAsync().WaitAsync(TestTimeout.Hang);
        }
        finally
        {
            Dispose();
        }
    }

    /// <summary>Ends it at once, with all that it has started.</summary>
    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        _process.Dispose();
        _pipe.Dispose();
    }

    private async Task TellAsync(string line, CancellationToken cancellationToken)
    {
        try
        {
            if (!_pipe.IsConnected)
                await Task.WhenAny(_pipe.WaitForConnectionAsync(cancellationToken), _process.WaitForExitAsync(cancellationToken));
            if (_pipe.IsConnected)
            {
                await _files.WriteLineAsync(line.AsMemory(), cancellationToken);
                await _files.FlushAsync(cancellationToken);
            }
        }
        catch (IOException)
        {
            // It has ended, and its output says why.
        }
    }

    private string WithErrors(StringBuilder output)
    {
        while (_errors.TryDequeue(out var error))
            output.AppendLine(error);
        return output.ToString();
    }

    private async Task ReadErrorsAsync()
    {
        while (await _process.StandardError.ReadLineAsync() is { } line)
            _errors.Enqueue(line);
    }
}
