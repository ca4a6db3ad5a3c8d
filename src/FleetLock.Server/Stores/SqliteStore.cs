using System.Globalization;
using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;

namespace FleetLock.Server;

/// <summary>
/// Keeps semaphores in one SQLite file: a write-ahead log with <c>synchronous=FULL</c>, so what was answered survives the loss of power,
/// and safe when several processes open the file. One thread owns the connection and commits once for all that has queued up.
/// </summary>
/// <remarks>
/// It looks once a second, and before and after each transaction, whether the file is still the one it has open, and whether its content has gone back to
/// an earlier state. A file that is removed, moved or gets a second name fails every call until that is over. One that is replaced is opened, and marked
/// as restored: nobody knows how old its content is.
/// </remarks>
public sealed class SqliteStore : ISemaphoreStore
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    private readonly BlockingCollection<Work> _queue = [];
    private readonly StoreHistory _history = new();
    private readonly string _path;
    private SemaphoreDatabase? _database;
    private Thread? _writer;
    private volatile bool _isRestored;
    private int _isLooking;
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

    /// <summary>Reports that the store is found to have gone back to an earlier state. It is raised on the store's own thread.</summary>
    internal event Action? RestoreDetected;

    /// <summary>Whether a file on a network file system may be opened. SQLite's locks there protect from other processes of this machine at best.</summary>
    public bool AllowNetworkFileSystem { get; init; }

    /// <summary>The clock for looking at the file.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Tells a data file from every other on this machine, by whichever name it is opened.</summary>
    /// <param name="path">A name of the file, which exists.</param>
    /// <returns>Its file system and number; its full path where the platform cannot tell.</returns>
    /// <exception cref="IOException">It cannot be looked at.</exception>
    public static string IdentifyFile(string path) => FileIdentity.IsSupported(path) && FileIdentity.Read(path) is { } file
        ? string.Create(CultureInfo.InvariantCulture, $"{file.Device}:{file.File}")
        : Path.GetFullPath(path);

    /// <inheritdoc/>
    public string Description => _path;

    /// <inheritdoc/>
    public bool CanRevoke => true;

    /// <inheritdoc/>
    public bool StartsUnreachable => false;

    /// <summary>Whether the store is marked as one that went back to an earlier state.</summary>
    internal bool IsRestored => _isRestored;

    /// <summary>Finds the network file system that a path is on.</summary>
    internal Func<string, string?> FindNetworkFileSystem { get; init; } = NetworkFileSystem.Find;

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
        Enqueue(new Work<StoreContents>(IsWrite: false, database => new StoreContents(database.LoadAll(), new Dictionary<string, string>())
        {
            IsRestored = database.IsRestored,
        }));

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
    public Task<bool> ConfirmRestoreAsync(CancellationToken cancellationToken) =>
        Enqueue(new Work<bool>(IsWrite: true, database => database.ConfirmRestore()));

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
            return Task.FromException<T>(new SemaphoreStoreException($"{_path} is closed", e) { MayHaveSaved = false });
        }
    }

    private void Run(TaskCompletionSource opened)
    {
        try
        {
            if (!AllowNetworkFileSystem && FindNetworkFileSystem(_path) is { } format)
                throw new SemaphoreStoreException($"The data file {_path} cannot be used: it is on a network file system ({format}), where SQLite's locks do not reach other machines. Use a local disk, or allow it (--allow-network-filesystem, allowNetworkFilesystem) if no other machine opens it.");
            _database = SemaphoreDatabase.Open(_path, _history, Clock, canCreate: true);
            Transact(_database, []);
        }
        catch (Exception e)
        {
            // Nobody serves the queue: what is in it fails, and what comes later is told that the file is closed.
            _database?.Dispose();
            _queue.CompleteAdding();
            foreach (var work in _queue.GetConsumingEnumerable())
                work.Fail(e);
            opened.SetException(e);
            return;
        }

        using var timer = Clock.CreateTimer(_ => Look(), null, LookInterval, LookInterval);
        opened.SetResult();
        var batch = new List<Work>();
        while (_queue.TryTake(out var first, Timeout.Infinite))
        {
            batch.Add(first);
            while (_queue.TryTake(out var next))
                batch.Add(next);
            Commit(batch);
            batch.Clear();
        }

        Close();
    }

    /// <summary>An idle server too notices what happens to the file.</summary>
    private void Look()
    {
        if (Interlocked.Exchange(ref _isLooking, 1) == 1)
            return;
        var look = new Work<bool>(IsWrite: false, _ => true);
        _ = Enqueue(look).ContinueWith(
            looked => _ = (looked.Exception, Interlocked.Exchange(ref _isLooking, 0)),
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
    }

    /// <summary>One transaction for the whole batch. A conflict of one item is its own answer; a fault of the file fails them all.</summary>
    private void Commit(List<Work> batch)
    {
        var isOpen = false;
        try
        {
            var database = OpenCurrent();
            isOpen = true;
            Transact(database, batch);
        }
        catch (Exception e)
        {
            var fault = e as SemaphoreStoreException ?? new SemaphoreStoreException($"{_path}: {e.Message}", e);
            if (!isOpen)
                fault = fault.With(mayHaveSaved: false);
            batch.ForEach(work => work.Fail(fault));
            return;
        }

        batch.ForEach(work => work.Complete());
    }

    private void Transact(SemaphoreDatabase database, List<Work> batch)
    {
        database.InTransaction(batch.Exists(work => work.IsWrite), () => batch.ForEach(work => work.Execute(database)));

        // What was written to a file that is not at its path any more may be lost, so it must not be answered.
        Require(database.FindFileChange());
        var wasRestored = _isRestored;
        _isRestored = database.IsRestored;
        if (_isRestored && !wasRestored)
            RestoreDetected?.Invoke();
    }

    private void Require(SqliteFileChange change)
    {
        if (change != SqliteFileChange.None)
            throw new SemaphoreStoreException($"The data file {_path} failed: {SqliteDataFile.Describe(change)}");
    }

    /// <summary>The database that is at the path now, so that nothing is written to a file that is known to be another.</summary>
    private SemaphoreDatabase OpenCurrent()
    {
        if (_database is { } database)
        {
            var change = database.FindFileChange();
            if (change == SqliteFileChange.None && !database.IsAltered)
                return database;
            if (change is SqliteFileChange.Missing or SqliteFileChange.Linked)
                Require(change);
            var isReplaced = change == SqliteFileChange.Replaced;
            if (isReplaced)
                database.Abandon();
            _history.IsReplaced |= isReplaced || database.IsAltered;

            // When nobody else has the file open, SQLite now writes the log to it, also one that was removed; nothing is lost then.
            _database = null;
            database.Dispose();
        }

        return _database = SemaphoreDatabase.Open(_path, _history, Clock, canCreate: false);
    }

    private void Close()
    {
        if (_database is not { } database)
            return;
        try
        {
            var change = database.FindFileChange();
            if (change == SqliteFileChange.Replaced)
                database.Abandon();
            else
                database.RemoveWriter();
        }
        catch (Exception e) when (e is SqliteException or IOException or SemaphoreStoreException)
        {
            // It is closed all the same: the number of a process that is gone is forgotten later.
        }

        database.Dispose();
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
