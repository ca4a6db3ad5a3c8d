namespace FleetLock;

/// <summary>A try that was not granted, and what the waiting loop does next.</summary>
/// <param name="Result">What the try came to.</param>
/// <param name="Attempt">The try's number, from 1.</param>
/// <param name="Waited">The time since the first try.</param>
/// <param name="NextTry">The time until the next try.</param>
public sealed record WaitStep(FleetLockResult Result, int Attempt, TimeSpan Waited, TimeSpan NextTry);
