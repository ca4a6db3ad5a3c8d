namespace FleetLock.Server;

/// <summary>Tells network file systems, on which SQLite's locks and shared memory do not reach other machines.</summary>
internal static class NetworkFileSystem
{
    private static readonly string[] Formats = ["nfs", "cifs", "smb", "afs", "afpfs", "webdav", "9p", "ncpfs", "fuse.sshfs"];

    /// <summary>Finds the network file system that a path is on.</summary>
    /// <param name="path">The path; what it leads to need not exist.</param>
    /// <returns>The file system's name; <see langword="null"/> when it is local, or cannot be told.</returns>
    internal static string? Find(string path)
    {
        try
        {
            path = File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;
            var place = OperatingSystem.IsWindows() ? Path.GetPathRoot(path) : Path.GetDirectoryName(path);
            if (OperatingSystem.IsWindows() && new Uri(path).IsUnc)
                return "a network share";
            var drive = new DriveInfo(place!);
            return drive.DriveType == DriveType.Network || IsNetwork(drive.DriveFormat) ? drive.DriveFormat : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or UriFormatException)
        {
            // Whether the file can be used, SQLite finds out.
            return null;
        }
    }

    /// <summary>Whether a file system's name is that of one on the network.</summary>
    /// <param name="format">The name, as the operating system has it: <c>ext4</c>, <c>nfs4</c>.</param>
    internal static bool IsNetwork(string format) => Formats.Any(network => format.StartsWith(network, StringComparison.OrdinalIgnoreCase));
}
