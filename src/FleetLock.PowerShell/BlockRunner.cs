using System.Management.Automation;

namespace FleetLock.PowerShell;

/// <summary>Runs a script block inside a cmdlet, its output streaming through as it comes and its errors unchanged.</summary>
internal static class BlockRunner
{
    // A pipeline of its own around the block, because only that can be stepped through, and stepping is what streams.
    private const string Wrapper = "param($Block, $Arguments) & $Block @Arguments";

    /// <summary>Runs a block.</summary>
    /// <param name="command">The cmdlet whose output the block's output is.</param>
    /// <param name="block">The block.</param>
    /// <param name="arguments">Its arguments.</param>
    internal static void Run(PSCmdlet command, ScriptBlock block, object[] arguments)
    {
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
