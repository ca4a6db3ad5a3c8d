namespace FleetLock.Cli.Running;

/// <summary>systemd's journal, where a service's standard error goes unless it is told otherwise.</summary>
internal static class Journal
{
    /// <summary>
    /// Whether standard error goes there. <c>JOURNAL_STREAM</c> is "device:inode" of the stream that systemd opened (systemd.exec(5)); a child inherits
    /// the variable even if its standard error was redirected, so the inode is compared.
    /// </summary>
    internal static bool HasStandardError()
    {
        if (Environment.GetEnvironmentVariable("JOURNAL_STREAM")?.Split(':') is not [_, var inode])
            return false;
        try
        {
            // "socket:[12345]"
            return new FileInfo("/proc/self/fd/2").LinkTarget?.EndsWith($":[{inode}]", StringComparison.Ordinal) == true;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
