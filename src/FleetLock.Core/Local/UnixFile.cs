#if NET
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace FleetLock;

/// <summary>What POSIX says of a file: .NET has no name for its owner, follows links, and waits for the other end of a pipe.</summary>
/// <param name="Device">The file system.</param>
/// <param name="File">The file in it.</param>
/// <param name="Mode">Its type and permissions.</param>
/// <param name="Owner">Its owner.</param>
[UnsupportedOSPlatform("windows")]
internal readonly partial record struct UnixFile(ulong Device, ulong File, uint Mode, uint Owner)
{
    private const uint TypeMask = 0xF000;
    private const uint RegularType = 0x8000;
    private const uint FolderType = 0x4000;
    private const uint WritableByOthers = 0x12;
    private const int LockExclusive = 2;
    private const int LockWithoutWaiting = 4;

    private bool IsOurs => Owner == GetEffectiveUser() || Owner == 0;

    /// <summary>Requires a folder in which nobody but this user and root can make, replace or remove a file.</summary>
    /// <param name="path">The folder; a link to one does not count.</param>
    /// <exception cref="IOException">It is something else.</exception>
    internal static void RequirePrivateFolder(string path)
    {
        var folder = ReadPath(path);
        if ((folder.Mode & TypeMask) != FolderType)
            throw new IOException($"{path} is not a folder.");
        if (!folder.IsOurs || (folder.Mode & WritableByOthers) != 0)
            throw new IOException($"{path} belongs to another user, or others may write to it.");
    }

    /// <summary>Opens a regular file of this user's, without following a link and without waiting.</summary>
    /// <param name="path">The file, which exists.</param>
    /// <returns>Its handle.</returns>
    /// <exception cref="IOException">It is something else, or cannot be opened.</exception>
    internal static SafeFileHandle Open(string path)
    {
        var handle = OpenHandle(path, OpenFlags());
        if (handle.IsInvalid)
            throw new IOException($"{path}: {Marshal.GetLastPInvokeErrorMessage()}");
        var file = ReadHandle(handle, path);
        if ((file.Mode & TypeMask) == RegularType && file.IsOurs)
            return handle;
        handle.Dispose();
        throw new IOException($"{path} is not a regular file of this user.");
    }

    /// <summary>Whether an open file still has this name.</summary>
    internal static bool IsAt(SafeFileHandle handle, string path)
    {
        if (!System.IO.File.Exists(path))
            return false;
        var (open, named) = (ReadHandle(handle, path), ReadPath(path));
        return open.Device == named.Device && open.File == named.File;
    }

    /// <summary>Locks an open file, unless another handle has locked it.</summary>
    /// <returns>False when it is locked already.</returns>
    /// <exception cref="IOException">Files cannot be locked there.</exception>
    internal static bool TryLock(SafeFileHandle handle)
    {
        const int WouldBlockLinux = 11;
        const int WouldBlockMac = 35;
        if (LockFile(handle, LockExclusive | LockWithoutWaiting) == 0)
            return true;
        return Marshal.GetLastPInvokeError() is WouldBlockLinux or WouldBlockMac
            ? false
            : throw new IOException($"files cannot be locked there: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    /// <summary>Makes what was created and renamed in a folder durable.</summary>
    internal static void SyncFolder(string path)
    {
        using var folder = OpenHandle(path, OperatingSystem.IsMacOS() ? 0x1000000 : 0x80000);
        if (folder.IsInvalid || Sync(folder) != 0)
            throw new IOException($"{path}: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    /// <summary>O_RDWR, O_NOFOLLOW, O_NONBLOCK and O_CLOEXEC.</summary>
    private static int OpenFlags()
    {
        if (OperatingSystem.IsMacOS())
            return 0x2 | 0x100 | 0x4 | 0x1000000;
        var isArmOrPower = RuntimeInformation.ProcessArchitecture is Architecture.Arm or Architecture.Arm64 or Architecture.Ppc64le;
        var noFollow = isArmOrPower ? 0x8000 : 0x20000;
        return 0x2 | noFollow | 0x800 | 0x80000;
    }

    private static UnixFile ReadPath(string path)
    {
        const int currentFolder = -100;
        const int noFollow = 0x100;
        Span<byte> status = stackalloc byte[256];
        ref var start = ref MemoryMarshal.GetReference(status);
        var result = !OperatingSystem.IsMacOS() ? StatX(currentFolder, path, noFollow, NeededFields, ref start)
            : RuntimeInformation.ProcessArchitecture == Architecture.X64 ? StatPathOnIntelMac(path, ref start)
            : StatPathOnMac(path, ref start);
        return result == 0 ? Read(status) : throw new IOException($"{path}: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    private static UnixFile ReadHandle(SafeFileHandle handle, string path)
    {
        const int emptyPath = 0x1000;
        Span<byte> status = stackalloc byte[256];
        ref var start = ref MemoryMarshal.GetReference(status);
        var result = !OperatingSystem.IsMacOS() ? StatX(handle, "", emptyPath, NeededFields, ref start)
            : RuntimeInformation.ProcessArchitecture == Architecture.X64 ? StatHandleOnIntelMac(handle, ref start)
            : StatHandleOnMac(handle, ref start);
        return result == 0 ? Read(status) : throw new IOException($"{path}: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    /// <summary>STATX_TYPE, STATX_MODE, STATX_UID and STATX_INO.</summary>
    private const uint NeededFields = 0x10B;

    /// <summary>struct statx is the same on every architecture, and so is macOS's struct stat.</summary>
    private static UnixFile Read(ReadOnlySpan<byte> status) => OperatingSystem.IsMacOS()
        ? new UnixFile(
            MemoryMarshal.Read<uint>(status),
            MemoryMarshal.Read<ulong>(status[8..]),
            MemoryMarshal.Read<ushort>(status[4..]),
            MemoryMarshal.Read<uint>(status[16..]))
        : new UnixFile(
            ((ulong)MemoryMarshal.Read<uint>(status[136..]) << 32) | MemoryMarshal.Read<uint>(status[140..]),
            MemoryMarshal.Read<ulong>(status[32..]),
            MemoryMarshal.Read<ushort>(status[28..]),
            MemoryMarshal.Read<uint>(status[20..]));

    // Without O_CREAT open takes no third argument, which not every platform passes to a variadic function as to any other.
    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial SafeFileHandle OpenHandle(string path, int flags);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    private static partial int LockFile(SafeFileHandle handle, int operation);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Sync(SafeFileHandle handle);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint GetEffectiveUser();

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int StatX(int folder, string path, int flags, uint mask, ref byte status);

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int StatX(SafeFileHandle file, string path, int flags, uint mask, ref byte status);

    [LibraryImport("libc", EntryPoint = "lstat", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int StatPathOnMac(string path, ref byte status);

    [LibraryImport("libc", EntryPoint = "lstat$INODE64", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int StatPathOnIntelMac(string path, ref byte status);

    [LibraryImport("libc", EntryPoint = "fstat", SetLastError = true)]
    private static partial int StatHandleOnMac(SafeFileHandle handle, ref byte status);

    [LibraryImport("libc", EntryPoint = "fstat$INODE64", SetLastError = true)]
    private static partial int StatHandleOnIntelMac(SafeFileHandle handle, ref byte status);
}
#endif
