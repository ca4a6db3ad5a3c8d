using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace FleetLock.Server;

/// <summary>Which file a path leads to, and how many names that file has.</summary>
/// <remarks>
/// It reads the path and never opens the file on Unix: when a process closes any descriptor of a file, it loses all its POSIX locks on that file, and
/// SQLite's are among them.
/// </remarks>
/// <param name="Device">The file system.</param>
/// <param name="File">The file in it.</param>
/// <param name="Names">How many names (hard links) it has.</param>
internal readonly partial record struct FileIdentity(ulong Device, ulong File, ulong Names)
{
    private const int NotPermitted = 1;
    private const int NoSuchFile = 2;
    private const int NotADirectory = 20;
    private const int NotImplemented = 38;

    /// <summary>Whether both are the same file, whatever its names.</summary>
    internal bool IsSameFile(FileIdentity other) => Device == other.Device && File == other.File;

    /// <summary>Whether this platform can tell.</summary>
    /// <param name="path">Any path.</param>
    internal static bool IsSupported(string path)
    {
        try
        {
            Read(path);
            return true;
        }
        catch (PlatformNotSupportedException)
        {
            return false;
        }
    }

    /// <summary>Looks at a path.</summary>
    /// <param name="path">The path; links are followed.</param>
    /// <returns>The file; <see langword="null"/> when there is none.</returns>
    /// <exception cref="IOException">The path cannot be looked at.</exception>
    /// <exception cref="PlatformNotSupportedException">This platform has no way to tell.</exception>
    internal static FileIdentity? Read(string path)
    {
        if (OperatingSystem.IsWindows())
            return ReadOnWindows(path);
        try
        {
            if (OperatingSystem.IsLinux())
                return ReadOnLinux(path);
            if (OperatingSystem.IsMacOS())
                return ReadOnMac(path);
        }
        catch (EntryPointNotFoundException e)
        {
            throw new PlatformNotSupportedException(e.Message, e);
        }

        throw new PlatformNotSupportedException();
    }

    private static FileIdentity? ReadOnLinux(string path)
    {
        const int currentFolder = -100;
        const uint linksAndInode = 0x104;

        // struct statx is the same on every architecture; struct stat is not.
        Span<byte> status = stackalloc byte[256];
        if (StatX(currentFolder, path, 0, linksAndInode, ref MemoryMarshal.GetReference(status)) != 0)
            return RequireMissing(path);
        var device = ((ulong)MemoryMarshal.Read<uint>(status[136..]) << 32) | MemoryMarshal.Read<uint>(status[140..]);
        return new FileIdentity(device, MemoryMarshal.Read<ulong>(status[32..]), MemoryMarshal.Read<uint>(status[16..]));
    }

    private static FileIdentity? ReadOnMac(string path)
    {
        Span<byte> status = stackalloc byte[256];
        ref var start = ref MemoryMarshal.GetReference(status);
        var result = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? StatOnIntelMac(path, ref start) : StatOnMac(path, ref start);
        return result != 0
            ? RequireMissing(path)
            : new FileIdentity(MemoryMarshal.Read<uint>(status), MemoryMarshal.Read<ulong>(status[8..]), MemoryMarshal.Read<ushort>(status[6..]));
    }

    private static FileIdentity? ReadOnWindows(string path)
    {
        SafeFileHandle handle;
        try
        {
            handle = System.IO.File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }

        using (handle)
        {
            Span<byte> information = stackalloc byte[52];
            if (GetFileInformationByHandle(handle, ref MemoryMarshal.GetReference(information)) == 0)
                throw new IOException($"{path}: {Marshal.GetLastPInvokeErrorMessage()}");
            var file = ((ulong)MemoryMarshal.Read<uint>(information[44..]) << 32) | MemoryMarshal.Read<uint>(information[48..]);
            return new FileIdentity(MemoryMarshal.Read<uint>(information[28..]), file, MemoryMarshal.Read<uint>(information[40..]));
        }
    }

    private static FileIdentity? RequireMissing(string path) => Marshal.GetLastPInvokeError() switch
    {
        NoSuchFile or NotADirectory => null,

        // An old kernel, or a container's filter of system calls.
        NotPermitted or NotImplemented => throw new PlatformNotSupportedException(),
        _ => throw new IOException($"{path}: {Marshal.GetLastPInvokeErrorMessage()}"),
    };

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int StatX(int folder, string path, int flags, uint mask, ref byte status);

    [LibraryImport("libc", EntryPoint = "stat", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int StatOnMac(string path, ref byte status);

    [LibraryImport("libc", EntryPoint = "stat$INODE64", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int StatOnIntelMac(string path, ref byte status);

    [LibraryImport("kernel32.dll", SetLastError = true)]
    private static partial int GetFileInformationByHandle(SafeFileHandle handle, ref byte information);
}
