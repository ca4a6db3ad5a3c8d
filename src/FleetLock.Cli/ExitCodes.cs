namespace FleetLock.Cli;

/// <summary>
/// The exit codes: those of sysexits.h where it has one. For <c>run</c>, 64, 69, 75, 76 and 77 mean that the command was not started.
/// </summary>
internal static class ExitCodes
{
    internal const int Success = 0;

    /// <summary>EX_USAGE: bad usage.</summary>
    internal const int Usage = 64;

    /// <summary>EX_UNAVAILABLE: no server could be reached, or ours could not start.</summary>
    internal const int Unavailable = 69;

    /// <summary>Of <c>run</c>: the command succeeded, and its slot was freed or taken by somebody else meanwhile.</summary>
    internal const int SlotLost = 72;

    /// <summary>Of <c>run</c>: the command succeeded, and its slot could not be released.</summary>
    internal const int ReleaseFailed = 74;

    /// <summary>EX_TEMPFAIL: no slot now, or a slot that another lock shares; try again.</summary>
    internal const int TemporaryFailure = 75;

    /// <summary>EX_PROTOCOL: what answered does not speak FleetLock.</summary>
    internal const int Protocol = 76;

    /// <summary>EX_NOPERM: the server refuses, or the id holds no slot.</summary>
    internal const int NoPermission = 77;

    /// <summary>As a shell says it: the command cannot be executed.</summary>
    internal const int CannotExecute = 126;

    /// <summary>As a shell says it: there is no such command.</summary>
    internal const int CommandNotFound = 127;

    /// <summary>Interrupted, as a shell says it of SIGINT.</summary>
    internal const int Interrupted = 130;

    /// <summary>A grant that is kept is no refusal for good: its release succeeds once no other lock shares the slot.</summary>
    internal static int Of(FleetLockResult result) => result.Kind == ErrorKinds.ClientGrantKept ? TemporaryFailure : Of(result.Status);

    internal static int Of(FleetLockStatus status) => status switch
    {
        FleetLockStatus.Granted or FleetLockStatus.Released => Success,
        FleetLockStatus.Busy or FleetLockStatus.Pending or FleetLockStatus.TimedOut => TemporaryFailure,
        FleetLockStatus.Refused => NoPermission,
        FleetLockStatus.Unreachable => Unavailable,
        _ => Protocol,
    };
}
