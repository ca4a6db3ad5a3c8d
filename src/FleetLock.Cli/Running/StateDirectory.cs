namespace FleetLock.Cli.Running;

/// <summary>Where data files go unless told otherwise.</summary>
internal static class StateDirectory
{
    /// <summary>
    /// A file in the state directory, whose folder is made if need be: systemd's <c>STATE_DIRECTORY</c>; <c>%ProgramData%\FleetLock</c> on Windows;
    /// <c>/var/lib/fleetlock</c> for root; <c>$XDG_STATE_HOME/fleetlock</c> or <c>~/.local/state/fleetlock</c> for others.
    /// </summary>
    /// <param name="name">The file's name.</param>
    /// <returns>The full path.</returns>
    /// <exception cref="UsageException">There is no home directory, or the folder cannot be made.</exception>
    internal static string File(string name)
    {
        var folder = Find();
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"The state directory {folder} cannot be made ({e.Message.TrimEnd('.')}): name a file with --data.");
        }

        return Path.Combine(folder, name);
    }

    private static string Find()
    {
        // systemd.exec(5): several directories are separated by colons.
        if (Variable("STATE_DIRECTORY") is { } ofService)
            return ofService.Split(':')[0];
        if (OperatingSystem.IsWindows())
            return Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.CommonApplicationData), "FleetLock");
        if (Environment.IsPrivilegedProcess)
            return "/var/lib/fleetlock";
        if (Variable("XDG_STATE_HOME") is { } state)
            return Path.Combine(state, "fleetlock");
        if (Variable("HOME") is { } home)
            return Path.Combine(home, ".local", "state", "fleetlock");
        throw new UsageException("There is no home directory to keep the state in: name a file with --data.");
    }

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
