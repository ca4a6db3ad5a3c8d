namespace FleetLock.PowerShell;

/// <summary>A setting as <c>Get-FleetLockConfiguration</c> writes it: without secrets.</summary>
/// <param name="Name">The setting.</param>
/// <param name="Value">The value; "set" for a secret, <see langword="null"/> when nothing sets it.</param>
/// <param name="Source">Where it came from.</param>
public sealed record SettingInForce(string Name, string? Value, string Source);
