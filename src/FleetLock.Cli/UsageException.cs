namespace FleetLock.Cli;

/// <summary>The command line asks for something that does not go together. Exit code 64.</summary>
internal sealed class UsageException(string message) : Exception(message);
