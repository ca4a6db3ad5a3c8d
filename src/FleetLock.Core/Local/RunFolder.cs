using System.Runtime.InteropServices;

namespace FleetLock;

/// <summary>
/// The folder in which the runs of this machine keep their lock files and their notes. It belongs to root, or to the user: where all users
/// may write, any of them could hold up another's run. It survives a restart, because a note has to.
/// </summary>
public static class RunFolder
{
    /// <summary>The environment variable that names another folder, where the usual one cannot be written to.</summary>
    public const string Variable = "FLEETLOCK_STATE_DIRECTORY";

    /// <summary>
    /// Root's folder on Unix, whose notes the runs of all other users read. It is not the server's state directory: that belongs to the
    /// server's user, who could then hold up root's runs.
    /// </summary>
    internal const string OfRoot = "/var/lib/fleetlock-runs";

    /// <summary>
    /// The folder: what <see cref="Variable"/> names, or else <c>/var/lib/fleetlock-runs</c> for root, <c>$XDG_STATE_HOME/fleetlock</c> or
    /// <c>~/.local/state/fleetlock</c> for other users, systemd's <c>STATE_DIRECTORY</c> for those that have no home, and on Windows
    /// <c>%ProgramData%\FleetLock\runs</c> for administrators and <c>%LocalAppData%\FleetLock\runs</c> for others.
    /// </summary>
    /// <exception cref="IOException">There is none.</exception>
    public static string Find()
    {
        if (ValueOf(Variable) is { } named)
            return Path.GetFullPath(named);
        if (RuntimeInformation.IsOSPlatform(OSPlatform.Windows))
        {
            var root = IsUserAnAdmin()
                ? Environment.SpecialFolder.CommonApplicationData
                : Environment.SpecialFolder.LocalApplicationData;
            return Path.Combine(Environment.GetFolderPath(root), "FleetLock", "runs");
        }

        if (IsRoot())
            return OfRoot;
        if (ValueOf("XDG_STATE_HOME") is { } state)
            return Path.Combine(state, "fleetlock");
        if (ValueOf("HOME") is { } home)
            return Path.Combine(home, ".local", "state", "fleetlock");

        // systemd.exec(5): several directories are separated by colons.
        return ValueOf("STATE_DIRECTORY")?.Split(':')[0]
            ?? throw new IOException($"There is no home directory for the notes of a run. Name a folder in {Variable}.");
    }

    /// <summary>The folder of root's runs, for a run of another user; <see langword="null"/> where there is none.</summary>
    internal static string? FindRoots() => RuntimeInformation.IsOSPlatform(OSPlatform.Windows) || IsRoot() ? null : OfRoot;

    /// <summary>Makes the folder if it is not there, and checks that only this user and root may write to it.</summary>
    /// <param name="folder">The folder.</param>
    /// <exception cref="IOException">It cannot be made, or others may write to it.</exception>
    internal static void Require(string folder)
    {
        try
        {
#if NET
            if (OperatingSystem.IsWindows())
            {
                Directory.CreateDirectory(folder);
                return;
            }

            // Others may read root's notes: their runs respect them.
            const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
            const UnixFileMode Readable =
                UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
            if (!Directory.Exists(folder))
            {
                Directory.CreateDirectory(folder, IsRoot() ? Private | Readable : Private);

                // Whatever the umask is.
                if (IsRoot())
                    File.SetUnixFileMode(folder, Private | Readable);
            }

            UnixFile.RequirePrivateFolder(folder);
#else
            Directory.CreateDirectory(folder);
#endif
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException(
                $"The folder {folder}, which keeps two runs on this machine apart, cannot be used: {e.Message.TrimEnd('.')}. "
                + $"Name another in {Variable}.",
                e);
        }
    }

    /// <summary>Whether this process runs as root, whose folder is another than that of all others.</summary>
    internal static bool IsRoot()
    {
#if NET
        return !OperatingSystem.IsWindows() && Environment.IsPrivilegedProcess;
#else
        return false;
#endif
    }

    private static string? ValueOf(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    [DllImport("shell32.dll")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static extern bool IsUserAnAdmin();
}
