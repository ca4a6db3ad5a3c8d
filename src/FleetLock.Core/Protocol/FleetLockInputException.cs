namespace FleetLock;

/// <summary>A value breaks a rule of the protocol, or a needed one is missing. Thrown before anything is sent.</summary>
public sealed class FleetLockInputException : ArgumentException
{
    /// <summary>Names the setting at fault and the rule that it breaks.</summary>
    /// <param name="setting">What is at fault: <c>url</c>, <c>group</c>, <c>id</c> …</param>
    /// <param name="message">The value and the rule, for people.</param>
    /// <param name="innerException">The cause, if there is one.</param>
    public FleetLockInputException(string setting, string message, Exception? innerException = null)
        : base(message, innerException) => Setting = setting;

    /// <summary>The setting at fault: <c>url</c>, <c>group</c>, <c>id</c> …</summary>
    public string Setting { get; }
}
