using System.Collections.Concurrent;

namespace FleetLock.Server;

/// <summary>
/// Keeps semaphores in one SQLite file: a write-ahead log with <c>synchronous=FULL</c>, so what was answered survives the loss of power,
/// and safe when several processes open the file. One thread owns the connection and commits once for all that has queued up.
/// </summary>
public sealed class SqliteStore : ISemaphoreStore
{
    private readonly BlockingCollection<Work> _queue = [];
    private readonly string _path;
    private Thread? _writer;
    private int _isDisposed;

    /// <summary>Makes a store; <see cref="OpenAsync"/> opens it.</summary>
    /// <param name="path">The database file. It is made if it is not there; its folder must be.</param>
    public SqliteStore(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        _path = System.IO.Path.GetFullPath(path);
    }

    /// <summary>Never raised: SQLite does not tell of what another process writes. Whoever waits asks again after a while.</summary>
    public event Action<string>? Changed
    {
        add { }
        remove { }
    }

    /// <inheritdoc/>
    public string Description => _path;

    /// <inheritdoc/>
    public bool CanRevoke => true;

    /// <inheritdoc/>
    public bool StartsUnreachable => false;

    /// <inheritdoc/>
    public Task OpenAsync(CancellationToken cancellationToken)
    {
        var opened = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _writer = new Thread(() => Run(opened)) { Name = "SQLite " + _path, IsBackground = true };
        _writer.Start();
        return opened.Task.WaitAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public Task<StoreContents> LoadAllAsync(CancellationToken cancellationToken) =>
        Enqueue(new Work<StoreContents>(IsWrite: false, database => new StoreContents(database.LoadAll(), new Dictionary<string, string>())));

    /// <inheritdoc/>
    public Task<StoredSemaphore> LoadAsync(string group, CancellationToken cancellationToken) =>
        Enqueue(new Work<StoredSemaphore>(IsWrite: false, database => database.Load(group)));

    /// <inheritdoc/>
    public Task<SaveOutcome> SaveAsync(string group, StoredSemaphore seen, GroupSemaphore desired, bool mustWrite, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(seen);
        ArgumentNullException.ThrowIfNull(desired);
        var isWrite = mustWrite || !ReferenceEquals(desired, seen.Semaphore);
        return Enqueue(new Work<SaveOutcome>(isWrite, database => isWrite ? database.Save(group, seen, desired) : database.Confirm(group, seen)));
    }

    /// <inheritdoc/>
    public Task<bool> ConfirmRestoreAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

    /// <summary>Does what has queued up, then closes the file.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 1)
            return;
        _queue.CompleteAdding();
        if (_writer is { } writer)
            await Task.Run(writer.Join);
        _queue.Dispose();
    }

    private Task<T> Enqueue<T>(Work<T> work)
    {
        try
        {
            _queue.Add(work);
            return work.Result;
        }
        catch (InvalidOperationException e)
        {
            return Task.FromException<T>(new SemaphoreStoreException($"{_path} is closed", e));
        }
    }

    private void Run(TaskCompletionSource opened)
    {
        SemaphoreDatabase database;
        try
        {
            database = SemaphoreDatabase.Open(_path);
        }
        catch (Exception e)
        {
            // Nobody serves the queue: what is in it fails, and what comes later is told that the file is closed.
            _queue.CompleteAdding();
            foreach (var work in _queue.GetConsumingEnumerable())
                work.Fail(e);
            opened.SetException(e);
            return;
        }

        using (database)
        {
            opened.SetResult();
            var batch = new List<Work>();
            while (_queue.TryTake(out var first, Timeout.Infinite))
            {
                batch.Add(first);
                while (_queue.TryTake(out var next))
                    batch.Add(next);
                Commit(database, batch);
                batch.Clear();
            }
        }
    }

    /// <summary>One transaction for the whole batch. A conflict of one item is its own answer; a fault of the file fails them all.</summary>
    private void Commit(SemaphoreDatabase database, List<Work> batch)
    {
        try
        {
            database.InTransaction(batch.Exists(work => work.IsWrite), () => batch.ForEach(work => work.Execute(database)));
        }
        catch (Exception e)
        {
            var fault = e as SemaphoreStoreException ?? new SemaphoreStoreException($"{_path}: {e.Message}", e);
            batch.ForEach(work => work.Fail(fault));
            return;
        }

        batch.ForEach(work => work.Complete());
    }

    private abstract record Work(bool IsWrite)
    {
        public abstract void Execute(SemaphoreDatabase database);

        public abstract void Complete();

        public abstract void Fail(Exception e);
    }

    private sealed record Work<T>(bool IsWrite, Func<SemaphoreDatabase, T> Act) : Work(IsWrite)
    {
        // Continuations run elsewhere: the writer's thread goes on with the next batch.
        private readonly TaskCompletionSource<T> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private T _value = default!;

        public Task<T> Result => _result.Task;

        public override void Execute(SemaphoreDatabase database) => _value = Act(database);

        public override void Complete() => _result.SetResult(_value);

        public override void Fail(Exception e) => _result.SetException(e);
    }
}
