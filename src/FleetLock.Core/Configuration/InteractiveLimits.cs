using System.Globalization;

namespace FleetLock;

/// <summary>
/// How long something may take for which a person waits at a prompt. A host that nobody waits at can set other seconds as runtime
/// configuration (<see cref="AppContext"/>), each under the name <c>FleetLock.</c>, the property's own name and <c>Sec</c>.
/// </summary>
public static class InteractiveLimits
{
    /// <summary>
    /// The undo of what may have been granted, after Ctrl+C or a signal has ended the wait: 0.7 seconds, so that it all ends within a second.
    /// </summary>
    public static TimeSpan InterruptedRelease => Read(nameof(InterruptedRelease), 0.7);

    /// <summary>The list of the holders, for those who wait for a slot: 3 seconds.</summary>
    public static TimeSpan HolderLookup => Read(nameof(HolderLookup), 3);

    /// <summary>The groups and holders that Tab suggests: 1 second.</summary>
    public static TimeSpan Completion => Read(nameof(Completion), 1);

    /// <summary>How long Tab suggests what it was told before it asks again: 3 seconds, which is one command line.</summary>
    public static TimeSpan CompletionFreshness => Read(nameof(CompletionFreshness), 3);

    /// <summary>The end of a server that the session has started and that is to stop, before it is killed: 10 seconds.</summary>
    public static TimeSpan ServerStop => Read(nameof(ServerStop), 10);

    private static TimeSpan Read(string name, double usual)
    {
        // Text where it is of a runtimeconfig.json, and whatever a host likes where it is of AppContext.SetData.
        var given = Convert.ToString(AppContext.GetData($"FleetLock.{name}Sec"), CultureInfo.InvariantCulture);
        var isGiven = double.TryParse(given, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds)
            && seconds is >= 0 and <= WaitPolicy.MaxTimeoutSec;
        return TimeSpan.FromSeconds(isGiven ? seconds : usual);
    }
}
