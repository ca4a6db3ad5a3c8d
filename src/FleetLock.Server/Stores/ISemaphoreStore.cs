namespace FleetLock.Server;

/// <summary>Keeps semaphores: loads one with a revision, and saves it if the store still has that revision.</summary>
/// <remarks>
/// Every call is durable, or linearizable, when it returns: a crash cannot undo what is answered after it. A store detects, as far as it can, that its
/// content went back to an earlier state (a backup was restored under it). It then marks itself durably, and reports
/// <see cref="StoredSemaphore.IsRestored"/> until <see cref="ConfirmRestoreAsync"/>.
/// </remarks>
public interface ISemaphoreStore : IAsyncDisposable
{
    /// <summary>
    /// Reports that another writer may have saved a group. It may report our own saves too. It is raised on any thread, and a handler must return at
    /// once; what the group is now, a load tells.
    /// </summary>
    event Action<string>? Changed;

    /// <summary>What the store is, for people: a file's path, "memory", etcd's endpoints.</summary>
    string Description { get; }

    /// <summary>
    /// Whether every program that may write here records repeated grants (<see cref="SlotHolder.Renewals"/>). Only then can a grant that could not be
    /// delivered be revoked: airlock, for one, grants again without a trace.
    /// </summary>
    bool CanRevoke { get; }

    /// <summary>Whether a server may start while the store cannot be reached: it then refuses every request until it can.</summary>
    bool StartsUnreachable { get; }

    /// <summary>Opens the store, and creates it if there is none. A store on the network also opens when it cannot be reached; its calls fail until it can.</summary>
    /// <param name="cancellationToken">A token to cancel the operation.</param>
    /// <returns>A task that completes when the store is open.</returns>
    /// <exception cref="SemaphoreStoreException">It cannot be opened, or it is not a store of semaphores.</exception>
    Task OpenAsync(CancellationToken cancellationToken);

    /// <summary>Loads every semaphore, as of one moment.</summary>
    /// <param name="cancellationToken">A token to cancel the operation.</param>
    /// <returns>The semaphores.</returns>
    /// <exception cref="SemaphoreStoreException">The store failed.</exception>
    Task<StoreContents> LoadAllAsync(CancellationToken cancellationToken);

    /// <summary>Loads one semaphore.</summary>
    /// <param name="group">The group.</param>
    /// <param name="cancellationToken">A token to cancel the operation.</param>
    /// <returns>The semaphore; <see cref="StoredSemaphore.None"/>, or the same with <see cref="StoredSemaphore.IsRestored"/>, when there is none of that group.</returns>
    /// <exception cref="SemaphoreStoreException">The store failed, or what it has for the group is not a semaphore.</exception>
    Task<StoredSemaphore> LoadAsync(string group, CancellationToken cancellationToken);

    /// <summary>Saves a semaphore if the stored one is still that which was seen. When the call returns, the change is durable.</summary>
    /// <param name="group">The group.</param>
    /// <param name="seen">What was loaded or saved last.</param>
    /// <param name="desired">What to save.</param>
    /// <param name="mustWrite">
    /// Whether to write even when <paramref name="desired"/> is the very semaphore that was seen. Otherwise that writes nothing and still compares, so
    /// that an answer that changes nothing is confirmed too. A write makes every save fail that has seen the same and is still on its way.
    /// </param>
    /// <param name="cancellationToken">A token to cancel the operation.</param>
    /// <returns>Whether it was saved, and what is stored now.</returns>
    /// <exception cref="SemaphoreStoreException">
    /// The store failed, and may or may not have saved; or what it has for the group is not a semaphore.
    /// </exception>
    Task<SaveOutcome> SaveAsync(string group, StoredSemaphore seen, GroupSemaphore desired, bool mustWrite, CancellationToken cancellationToken);

    /// <summary>Removes the mark that the store went back to an earlier state: an administrator says that its holders are right.</summary>
    /// <param name="cancellationToken">A token to cancel the operation.</param>
    /// <returns>Whether there was a mark.</returns>
    /// <exception cref="SemaphoreStoreException">The store failed.</exception>
    Task<bool> ConfirmRestoreAsync(CancellationToken cancellationToken);
}
