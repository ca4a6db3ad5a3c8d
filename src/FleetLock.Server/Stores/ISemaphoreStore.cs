namespace FleetLock.Server;

/// <summary>Keeps semaphores: loads one with a revision, saves it if that revision still holds, and tells of what others save.</summary>
/// <remarks>Every call is durable, or linearizable, when it returns: what a coordinator answers after it cannot be undone by a crash.</remarks>
public interface ISemaphoreStore : IAsyncDisposable
{
    /// <summary>
    /// Tells that a group may have been saved by another writer, and what is stored since. It may tell of our own saves too, and of an older one late;
    /// the revision says so. It is raised on any thread, and a handler must return at once.
    /// </summary>
    event Action<string, StoredSemaphore>? Changed;

    /// <summary>What the store is, for people: a file's path, "memory", etcd's endpoints.</summary>
    string Description { get; }

    /// <summary>
    /// Whether every program that may write here keeps when a holder last asked (<see cref="SlotHolder.Asked"/>). Only then can a grant that could
    /// not be delivered be taken back: airlock, for one, grants again without a trace.
    /// </summary>
    bool KeepsEveryAsk { get; }

    /// <summary>Whether a server may start while the store cannot be reached: it then refuses every request until it can.</summary>
    bool StartsUnreachable { get; }

    /// <summary>Opens the store, and makes it if there is none. A store on the network opens also when it cannot be reached yet; its calls then fail until it can.</summary>
    /// <param name="cancellationToken">Ends the try.</param>
    /// <returns>When it is open.</returns>
    /// <exception cref="SemaphoreStoreException">It cannot be opened, or it is not a store of semaphores.</exception>
    Task OpenAsync(CancellationToken cancellationToken);

    /// <summary>Loads every semaphore, as of one moment.</summary>
    /// <param name="cancellationToken">Ends the try.</param>
    /// <returns>The semaphores.</returns>
    /// <exception cref="SemaphoreStoreException">The store failed.</exception>
    Task<StoreContents> LoadAllAsync(CancellationToken cancellationToken);

    /// <summary>Loads one semaphore.</summary>
    /// <param name="group">The group.</param>
    /// <param name="cancellationToken">Ends the try.</param>
    /// <returns>The semaphore; <see cref="StoredSemaphore.None"/> when there is none of that group.</returns>
    /// <exception cref="SemaphoreStoreException">The store failed, or what it has for the group is no semaphore.</exception>
    Task<StoredSemaphore> LoadAsync(string group, CancellationToken cancellationToken);

    /// <summary>
    /// Saves a semaphore if the stored one is still that which was seen. When the call returns, the change is durable.
    /// Saving the very semaphore that was seen writes nothing and still compares: so an answer that changes nothing is confirmed too.
    /// </summary>
    /// <param name="group">The group.</param>
    /// <param name="seen">What was loaded or saved last.</param>
    /// <param name="desired">What to save.</param>
    /// <param name="cancellationToken">Ends the try.</param>
    /// <returns>Whether it was saved, and what is stored now.</returns>
    /// <exception cref="SemaphoreStoreException">The store failed, and may or may not have saved; or what it has for the group is no semaphore.</exception>
    Task<SaveOutcome> SaveAsync(string group, StoredSemaphore seen, GroupSemaphore desired, CancellationToken cancellationToken);
}
