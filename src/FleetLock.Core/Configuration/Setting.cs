namespace FleetLock;

/// <summary>A value in force, and where it came from.</summary>
/// <param name="Value">The value; <see langword="null"/> when nothing sets it.</param>
/// <param name="Source">Where it came from, for people: <c>parameter</c>, an environment variable's name, <c>default</c> …</param>
public sealed record Setting(string? Value, string Source);
