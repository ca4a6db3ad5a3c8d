using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace FleetLock;

/// <summary>
/// An operating-system file lock for one server, group and id on this machine. The protocol is recursive per id, so two runs on one
/// machine would both be granted, and the first to end would release the slot under the second: this lock lets only one of them in.
/// </summary>
/// <remarks>
/// The system gives the lock back when the process dies, however it dies. The lock file is empty and stays. A marker beside it names
/// the process that holds the lock; it is a courtesy to the one that is refused, and decides nothing.
/// </remarks>
public sealed class RunLock : IDisposable
{
    private readonly FileStream _file;
    private string? _marker;

    private RunLock(FileStream file, string? marker)
    {
        _file = file;
        _marker = marker;
    }

    /// <summary>
    /// The folder of the lock files: the same for every user of the machine. On Windows it is <c>%ProgramData%\FleetLock\locks</c>, elsewhere
    /// <c>/run/lock</c> where that is open to all, and <c>/tmp</c> where it is not.
    /// </summary>
    public static string DefaultDirectory { get; } = FindDirectory();

    /// <summary>Tries to take the lock, once.</summary>
    /// <param name="server">The server's base address, or whatever names the semaphore.</param>
    /// <param name="group">The group.</param>
    /// <param name="id">The node id.</param>
    /// <param name="holder">When the lock is taken by another: that process, for people.</param>
    /// <param name="directory">The folder of the lock files; <see langword="null"/> is <see cref="DefaultDirectory"/>.</param>
    /// <returns>The lock, to be disposed of; <see langword="null"/> when another process, or another run in this one, has it.</returns>
    /// <exception cref="IOException">The lock file cannot be opened, or files cannot be locked there.</exception>
    public static RunLock? TryTake(string server, string group, string id, out string holder, string? directory = null)
    {
        directory ??= DefaultDirectory;
        var path = Path.Combine(directory, NameOf(server, group, id));
        holder = "";
        FileStream? file = null;
        try
        {
            file = Open(directory, path);
            if (file is null)
            {
                holder = FindHolder(directory, path);
                return null;
            }

            RequireExclusive(path);
            return new RunLock(file, WriteMarker(directory, path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            file?.Dispose();
            throw new IOException($"The lock file {path}, which keeps two runs on this machine apart, cannot be used: {e.Message}", e);
        }
    }

    /// <summary>Gives the lock back.</summary>
    public void Dispose()
    {
        // Once only: a later run of this process has a marker of the same name.
        if (_marker is not null)
            TryDelete(_marker);
        _marker = null;
        _file.Dispose();
    }

    private static string NameOf(string server, string group, string id)
    {
        // Hashed, because a URL and an id can have any character; the separator cannot occur in a group.
        using var sha = SHA256.Create();
        var digest = sha.ComputeHash(Encoding.UTF8.GetBytes($"{server.TrimEnd('/')}\n{group}\n{id}"));
        Array.Resize(ref digest, 16);
        return $"fleetlock-{MachineId.ToHex(digest)}.lock";
    }

    private static FileStream? Open(string directory, string path)
    {
        Directory.CreateDirectory(directory);
        for (; ; )
        {
            try
            {
                // Opened for reading, without O_CREAT: it may belong to another user, and a sticky folder's protected_regular forbids more.
                return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.None);
            }
            catch (FileNotFoundException)
            {
                Create(path);
            }
            catch (IOException e) when (IsTaken(e))
            {
                return null;
            }
        }
    }

    private static void Create(string path)
    {
        try
        {
            using var created = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.ReadWrite);
#if NET
            // Readable to all whatever the umask says: another user's run must be able to see that the lock is taken.
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(created.SafeFileHandle, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
#endif
        }
        catch (IOException) when (File.Exists(path))
        {
            // Another process was faster, which is as good.
        }
    }

    /// <summary>A file system that ignores locks, or DOTNET_SYSTEM_IO_DISABLEFILELOCKING, must not let two runs in: a second open has to fail.</summary>
    private static void RequireExclusive(string path)
    {
        try
        {
            using var second = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.None);
        }
        catch (IOException e) when (IsTaken(e))
        {
            return;
        }

        throw new IOException("files cannot be locked there");
    }

    private static bool IsTaken(IOException e)
    {
        const int SharingViolation = unchecked((int)0x80070020);
        const int WouldBlockLinux = 11;
        const int WouldBlockMacOS = 35;
        return e.HResult is SharingViolation or WouldBlockLinux or WouldBlockMacOS;
    }

    private static string? WriteMarker(string directory, string path)
    {
        // The lock is ours, so whatever markers there are were left by processes that were killed.
        foreach (var stale in Markers(directory, path))
            TryDelete(stale);

        var marker = FormattableString.Invariant($"{path}.{CurrentProcessId()}");
        try
        {
            using var file = new FileStream(marker, FileMode.CreateNew, FileAccess.Write, FileShare.ReadWrite);
            return marker;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string FindHolder(string directory, string path)
    {
        foreach (var marker in Markers(directory, path))
        {
            var since = File.GetLastWriteTimeUtc(marker);
            if (File.Exists(marker)
                && int.TryParse(Path.GetExtension(marker).TrimStart('.'), NumberStyles.None, CultureInfo.InvariantCulture, out var pid)
                && NameOfProcess(pid) is { } name)
            {
                return FormattableString.Invariant($"process {pid} ({name}), since {since:yyyy-MM-dd HH:mm:ss} UTC");
            }
        }

        return "another process";
    }

    /// <summary>The markers beside a lock file. Compared by hand, because a search pattern "x.lock.*" matches x.lock too, the lock file itself.</summary>
    private static string[] Markers(string directory, string path) =>
        Array.FindAll(Directory.GetFiles(directory), file => Path.GetFileName(file).StartsWith(Path.GetFileName(path) + ".", StringComparison.Ordinal));

    private static string? NameOfProcess(int pid)
    {
        try
        {
            using var process = Process.GetProcessById(pid);
            return process.ProcessName;
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            // A marker that a killed process left behind.
            return null;
        }
    }

    private static int CurrentProcessId()
    {
#if NET
        return Environment.ProcessId;
#else
        using var process = Process.GetCurrentProcess();
        return process.Id;
#endif
    }

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Another user's leftover; the marker decides nothing.
        }
    }

    private static string FindDirectory()
    {
        if (RuntimeInformation.IsOSPlatform(OSPlatform.Windows))
            return Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.CommonApplicationData), "FleetLock", "locks");

#if NET
        // Decided by the folder's mode and not by what this user may do, so that all users come to the same folder.
        const UnixFileMode OpenToAll = UnixFileMode.OtherWrite | UnixFileMode.OtherExecute | UnixFileMode.StickyBit;
        var runLock = new DirectoryInfo("/run/lock");
        if (!OperatingSystem.IsWindows() && runLock.Exists && (runLock.UnixFileMode & OpenToAll) == OpenToAll)
            return runLock.FullName;
#endif
        return "/tmp";
    }
}
