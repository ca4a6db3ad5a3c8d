namespace FleetLock;

/// <summary>A check did not pass: what was found, and what to do. It does not leave the doctor.</summary>
internal sealed class CheckFailedException(string message, string advice) : Exception(message)
{
    internal string Advice { get; } = advice;
}
