namespace FleetLock.Server;

/// <summary>A store of semaphores cannot be opened, read or written.</summary>
public sealed class SemaphoreStoreException : Exception
{
    /// <summary>Says what the store could not do.</summary>
    /// <param name="message">The store's name and the reason, for people.</param>
    /// <param name="innerException">The cause, if there is one.</param>
    public SemaphoreStoreException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
