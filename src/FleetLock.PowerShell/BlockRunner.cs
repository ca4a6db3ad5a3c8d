using System.Management.Automation;
using System.Management.Automation.Runspaces;

namespace FleetLock.PowerShell;

/// <summary>Runs a script block inside a cmdlet, its output streaming through as it comes and its errors unchanged.</summary>
internal static class BlockRunner
{
    private const string Wrapper = "param($Block, $Arguments) & $Block @Arguments";

    /// <summary>Runs a block.</summary>
    /// <param name="command">The cmdlet whose output the block's output is.</param>
    /// <param name="block">The block.</param>
    /// <param name="arguments">Its arguments.</param>
    internal static void Run(PSCmdlet command, ScriptBlock block, object[] arguments)
    {
        if (command.SessionState.LanguageMode != PSLanguageMode.FullLanguage)
        {
            // Where the language is constrained, the engine does not evaluate the expressions of a pipeline that is stepped through. The wrapper has the
            // language mode of the session, and the block keeps its own.
            command.InvokeCommand.InvokeScript(Wrapper, useNewScope: false, PipelineResultTypes.Output | PipelineResultTypes.Error, null, block, arguments);
            return;
        }

        // Stepping streams too, and in addition errors go where the caller has redirected the cmdlet's.
        using var pipeline = ScriptBlock.Create(Wrapper).GetSteppablePipeline(CommandOrigin.Internal, [block, arguments]);
        pipeline.Begin(command);
        pipeline.Process();
        pipeline.End();
    }

    /// <summary>Tells a block that failed from one that was stopped, or that ended by <c>exit</c>, <c>break</c> or the like.</summary>
    /// <param name="e">What came out of it.</param>
    /// <returns>True when it failed.</returns>
    internal static bool IsFailure(Exception e) => e is RuntimeException and not PipelineStoppedException;
}
