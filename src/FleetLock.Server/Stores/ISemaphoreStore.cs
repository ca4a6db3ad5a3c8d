using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;

namespace FleetLock.Server;

/// <summary>Keeps semaphores: loads one with a revision, and saves it if that revision still holds.</summary>
public interface ISemaphoreStore : IAsyncDisposable
{
    /// <summary>What the store is, for people: a file's path, "memory".</summary>
    string Description { get; }

    /// <summary>Opens the store, and makes it if there is none.</summary>
    /// <param name="cancellationToken">Ends the try.</param>
    /// <returns>When it is open.</returns>
    /// <exception cref="SemaphoreStoreException">It cannot be opened, or it is not a store of semaphores.</exception>
    Task OpenAsync(CancellationToken cancellationToken);

    /// <summary>Loads every semaphore, as of one moment.</summary>
    /// <param name="cancellationToken">Ends the try.</param>
    /// <returns>The semaphores, by group.</returns>
    /// <exception cref="SemaphoreStoreException">The store failed.</exception>
    Task<IReadOnlyDictionary<string, StoredSemaphore>> LoadAllAsync(CancellationToken cancellationToken);

    /// <summary>Loads one semaphore.</summary>
    /// <param name="group">The group.</param>
    /// <param name="cancellationToken">Ends the try.</param>
    /// <returns>The semaphore; <see cref="StoredSemaphore.None"/> when there is none of that group.</returns>
    /// <exception cref="SemaphoreStoreException">The store failed.</exception>
    Task<StoredSemaphore> LoadAsync(string group, CancellationToken cancellationToken);

    /// <summary>
    /// Saves a semaphore if the stored one is still that which was seen. When the call returns, the change is durable.
    /// Saving the very semaphore that was seen writes nothing and still compares: so an answer that changes nothing is confirmed too.
    /// </summary>
    /// <param name="group">The group.</param>
    /// <param name="seen">What was loaded or saved last.</param>
    /// <param name="desired">What to save.</param>
    /// <param name="cancellationToken">Ends the try.</param>
    /// <returns>The semaphore as it is stored now; <see langword="null"/> when another writer was faster, and nothing was saved.</returns>
    /// <exception cref="SemaphoreStoreException">The store failed; it may or may not have saved.</exception>
    Task<StoredSemaphore?> SaveAsync(string group, StoredSemaphore seen, GroupSemaphore desired, CancellationToken cancellationToken);
}
