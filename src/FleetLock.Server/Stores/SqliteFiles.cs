namespace FleetLock.Server;

/// <summary>What has happened to the files of an open database.</summary>
internal enum SqliteFileChange
{
    /// <summary>Nothing: the paths lead to the open files.</summary>
    None,

    /// <summary>There is no file at the path.</summary>
    Missing,

    /// <summary>The file has a second name. Whoever opens it by that name has a write-ahead log of their own.</summary>
    Linked,

    /// <summary>Another file is at the path.</summary>
    Replaced,

    /// <summary>The file is there, but not its write-ahead log or the index of that.</summary>
    LogLost,
}

/// <summary>
/// The files of an open database: the data file, its write-ahead log and that log's index. SQLite goes on with files that were removed, moved or
/// replaced under it, and then each process has a truth of its own.
/// </summary>
internal sealed class SqliteFiles
{
    private readonly string _path;
    private readonly string _target;
    private readonly FileIdentity? _data;
    private readonly FileIdentity? _log;
    private readonly FileIdentity? _index;

    private SqliteFiles(string path, string target, FileIdentity? data, FileIdentity? log, FileIdentity? index)
    {
        _path = path;
        _target = target;
        _data = data;
        _log = log;
        _index = index;
    }

    private string LogPath => _target + "-wal";

    private string IndexPath => _target + "-shm";

    /// <summary>Remembers the files of a database that has just been opened.</summary>
    /// <param name="path">The data file's path.</param>
    /// <param name="before">The file that was there before it was opened; <see langword="null"/> if there was none.</param>
    /// <returns>The files. On a platform that cannot tell files apart, they never change.</returns>
    /// <exception cref="SemaphoreStoreException">The file was replaced meanwhile.</exception>
    internal static SqliteFiles Remember(string path, FileIdentity? before)
    {
        // SQLite puts the log beside the file that a link leads to. The data file is looked up by its own path, because the link may lead elsewhere later.
        var target = File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;
        if (!FileIdentity.IsSupported(path))
            return new SqliteFiles(path, target, null, null, null);
        var files = new SqliteFiles(
            path, target, FileIdentity.Read(path), FileIdentity.Read(target + "-wal"), FileIdentity.Read(target + "-shm"));
        if (files._data is null || files._log is null || files._index is null || (before is { } b && !b.IsSameFile(files._data.Value)))
            throw new SemaphoreStoreException($"The data file {path} cannot be used: it was removed or replaced while it was opened");
        return files;
    }

    /// <summary>Compares the paths with the open files.</summary>
    /// <returns>What has happened.</returns>
    /// <exception cref="IOException">A path cannot be looked at.</exception>
    internal SqliteFileChange FindChange()
    {
        if (_data is not { } data)
            return SqliteFileChange.None;
        if (FileIdentity.Read(_path) is not { } now)
            return SqliteFileChange.Missing;
        if (now.Names != 1)
            return SqliteFileChange.Linked;
        if (!now.IsSameFile(data))
            return SqliteFileChange.Replaced;
        return IsAt(LogPath, _log) && IsAt(IndexPath, _index) ? SqliteFileChange.None : SqliteFileChange.LogLost;
    }

    /// <summary>Whether the write-ahead log at the path is that of the open file.</summary>
    internal bool HasLog() => IsAt(LogPath, _log);

    /// <summary>Removes the log and its index, unless they are another database's by now.</summary>
    internal void RemoveLog()
    {
        if (HasLog())
            File.Delete(LogPath);
        if (IsAt(IndexPath, _index))
            File.Delete(IndexPath);
    }

    private static bool IsAt(string path, FileIdentity? file) => FileIdentity.Read(path) is { } now && now.IsSameFile(file!.Value);
}
