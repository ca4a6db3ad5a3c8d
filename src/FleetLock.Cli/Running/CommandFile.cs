using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace FleetLock.Cli.Running;

/// <summary>
/// Finds the file of a command as a shell does, in bytes. .NET would look beside this program and in the working folder first.
/// </summary>
[UnsupportedOSPlatform("windows")]
internal static partial class CommandFile
{
    private const byte Slash = (byte)'/';
    private const int Exists = 0;
    private const int IsExecutable = 1;

    /// <summary>Finds it.</summary>
    /// <param name="command">The command's first word.</param>
    /// <returns>
    /// The path of its file, which need not exist if the word has a slash; <see langword="null"/> when no folder of the PATH has it.
    /// </returns>
    internal static byte[]? Find(byte[] command)
    {
        if (command.Contains(Slash))
            return command;
        var folders = RawArguments.FindVariable("PATH") ?? "/usr/local/bin:/usr/bin:/bin"u8.ToArray();
        foreach (var range in folders.AsSpan().Split((byte)':'))
        {
            // An empty name is the working folder's.
            var folder = folders[range];
            byte[] path = [.. folder.Length == 0 ? "."u8 : folder, Slash, .. command];
            if (IsAccessible(path, IsExecutable) && !IsAccessible([.. path, .. "/."u8], Exists))
                return path;
        }

        return null;
    }

    private static bool IsAccessible(byte[] path, int mode) => Access([.. path, 0], mode) == 0;

    [LibraryImport("libc", EntryPoint = "access")]
    private static partial int Access(byte[] path, int mode);
}
