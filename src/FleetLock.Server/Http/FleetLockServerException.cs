namespace FleetLock.Server;

/// <summary>The server cannot listen where it was told to.</summary>
public sealed class FleetLockServerException : Exception
{
    /// <summary>Says what is in the way.</summary>
    /// <param name="message">The address and the reason, for people.</param>
    /// <param name="innerException">The cause, if there is one.</param>
    public FleetLockServerException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
