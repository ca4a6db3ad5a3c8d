using System.Collections.Concurrent;

namespace FleetLock.PowerShell.Tests;

/// <summary>
/// The engines of the Pester suite. A new one spends seconds before its first test, on Pester and on code that nobody has run yet, and so each takes
/// one file after the other, with a runspace for each.
/// </summary>
public sealed class SuiteEngines : IAsyncDisposable
{
    private readonly ConcurrentBag<SuiteEngine> _idle = [];

    /// <summary>Runs a file, in an engine that has nothing else to do.</summary>
    /// <param name="file">The file's full path.</param>
    /// <param name="result">Where Pester writes its results.</param>
    /// <param name="cancellationToken">Kills the engine.</param>
    /// <returns>The exit code and all that the engine wrote meanwhile.</returns>
    internal async Task<(int ExitCode, string Output)> RunAsync(string file, string result, CancellationToken cancellationToken)
    {
        if (!_idle.TryTake(out var engine))
            engine = new SuiteEngine();

        var kept = false;
        try
        {
            var (exitCode, output) = await engine.RunAsync(file, result, cancellationToken);

            // What has failed may have left anything behind.
            kept = exitCode == 0 && engine.IsRunning;
            return (exitCode, output);
        }
        finally
        {
            if (kept)
                _idle.Add(engine);
            else
                engine.Dispose();
        }
    }

    /// <summary>Ends the engines in an orderly way.</summary>
    public async ValueTask DisposeAsync()
    {
        while (_idle.TryTake(out var engine))
            await engine.EndAsync();
    }
}
