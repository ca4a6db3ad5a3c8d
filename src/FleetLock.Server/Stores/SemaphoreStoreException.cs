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

    /// <summary>
    /// Whether a save that failed may have saved, or may do so yet. A store sets false where it knows that nothing was saved and nothing
    /// will be, and leaves it <see langword="null"/> otherwise.
    /// </summary>
    public bool? MayHaveSaved { get; init; }

    internal SemaphoreStoreException With(bool mayHaveSaved) =>
        MayHaveSaved == mayHaveSaved ? this : new SemaphoreStoreException(Message, InnerException) { MayHaveSaved = mayHaveSaved };
}
