namespace FleetLock.Server;

/// <summary>How an event is written: one line in each.</summary>
public enum LogFormat
{
    /// <summary>Time, level and message, for people.</summary>
    Text,

    /// <summary>The same for systemd's journal, which keeps the time itself and takes the level from a prefix (sd-daemon(3)).</summary>
    Journal,

    /// <summary>A JSON object, for programs.</summary>
    Json,
}
