namespace FleetLock;

/// <summary>
/// An operating-system file lock for one slot on this machine. The protocol is recursive per id, so two runs on one machine would both be
/// granted, and the first to end would release the slot under the second: this lock lets only one of them in.
/// </summary>
/// <remarks>The system gives the lock back when the process dies, however it dies. The lock file is empty and stays.</remarks>
internal sealed class RunLock : IDisposable
{
    // A lock file that is removed and made anew is another file to the system, and still the same lock to this process.
    private static readonly HashSet<string> Held = new(StringComparer.Ordinal);

    private readonly string _path;
    private IDisposable? _file;

    private RunLock(string path, IDisposable file) => (_path, _file) = (path, file);

    /// <summary>Tries to take the lock, once.</summary>
    /// <param name="path">The lock file, in a folder that <see cref="RunFolder.Require"/> has checked.</param>
    /// <returns>The lock, to be disposed of; <see langword="null"/> when another process, or another run in this one, has it.</returns>
    /// <exception cref="IOException">The lock file cannot be opened, or files cannot be locked there.</exception>
    internal static RunLock? TryTake(string path)
    {
        lock (Held)
        {
            if (!Held.Add(path))
                return null;
            RunLock? taken = null;
            try
            {
                return taken = TryLock(path) is { } file ? new RunLock(path, file) : null;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new IOException($"The lock file {path}, which keeps two runs on this machine apart, cannot be used: {e.Message}", e);
            }
            finally
            {
                if (taken is null)
                    Held.Remove(path);
            }
        }
    }

    /// <summary>Gives the lock back.</summary>
    public void Dispose()
    {
        lock (Held)
        {
            if (_file is null)
                return;
            _file.Dispose();
            _file = null;
            Held.Remove(_path);
        }
    }

#if NET
    private static IDisposable? TryLock(string path)
    {
        if (OperatingSystem.IsWindows())
            return TryOpenAlone(path);
        for (; ; )
        {
            Create(path);
            var file = UnixFile.Open(path);
            try
            {
                if (!UnixFile.TryLock(file))
                {
                    file.Dispose();
                    return null;
                }

                // The file may have been removed in the meantime. The next run would make and lock another one.
                if (!UnixFile.IsAt(file, path))
                {
                    file.Dispose();
                    continue;
                }

                RequireExclusive(path);
                return file;
            }
            catch
            {
                file.Dispose();
                throw;
            }
        }
    }

    /// <summary>A file system that ignores locks must not let two runs in: a second lock has to fail.</summary>
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    private static void RequireExclusive(string path)
    {
        using var second = UnixFile.Open(path);
        if (UnixFile.TryLock(second))
            throw new IOException("files cannot be locked there");
    }

    private static void Create(string path)
    {
        if (File.Exists(path))
            return;
        try
        {
            const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.ReadWrite };
            if (!OperatingSystem.IsWindows())
                options.UnixCreateMode = Private;
            using var created = new FileStream(path, options);
        }
        catch (IOException) when (File.Exists(path) || Directory.Exists(path) || new FileInfo(path).LinkTarget is not null)
        {
            // Another process was faster, which is as good. What is no file says so when it is opened.
        }
    }
#else
    private static FileStream? TryLock(string path) => TryOpenAlone(path);
#endif

    private static FileStream? TryOpenAlone(string path)
    {
        const int sharingViolation = unchecked((int)0x80070020);
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.Read, FileShare.None);
        }
        catch (IOException e) when (e.HResult == sharingViolation)
        {
            return null;
        }
    }
}
