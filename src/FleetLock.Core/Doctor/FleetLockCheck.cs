namespace FleetLock;

/// <summary>One check of the doctor.</summary>
/// <param name="Name">What was checked.</param>
/// <param name="Passed">The verdict.</param>
/// <param name="Message">What was found.</param>
/// <param name="Advice">What to do when it did not pass; empty when it did.</param>
/// <param name="Duration">The time that it took.</param>
public sealed record FleetLockCheck(string Name, bool Passed, string Message, string Advice, TimeSpan Duration);
