namespace FleetLock;

/// <summary>A server of one's own did not start.</summary>
public sealed class LocalServerException : Exception
{
    /// <summary>Says why.</summary>
    /// <param name="message">The server's own words, or what is missing on this machine.</param>
    /// <param name="innerException">The cause, if there is one.</param>
    public LocalServerException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
