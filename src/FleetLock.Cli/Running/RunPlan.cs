namespace FleetLock.Cli.Running;

/// <summary>What <c>run</c> is to do.</summary>
/// <param name="Command">The program and its arguments.</param>
/// <param name="Wait">How long to wait for the slot; <see langword="null"/> is one try.</param>
/// <param name="KeepOnFailure">Whether the slot of a command that failed is kept.</param>
/// <param name="ReleaseTimeout">How long to try to release the slot.</param>
internal sealed record RunPlan(IReadOnlyList<string> Command, WaitPolicy? Wait, bool KeepOnFailure, TimeSpan ReleaseTimeout);
