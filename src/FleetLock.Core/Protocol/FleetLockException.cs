namespace FleetLock;

/// <summary>A slot was not granted or not released; <see cref="Result"/> says why.</summary>
public sealed class FleetLockException : Exception
{
    /// <summary>Wraps a result that is not a success.</summary>
    /// <param name="result">The result.</param>
    public FleetLockException(FleetLockResult result)
        : this(result, FleetLock.Advice.For(result))
    {
    }

    /// <summary>Wraps a result that is not a success, with the caller's own advice.</summary>
    /// <param name="result">The result.</param>
    /// <param name="advice">What to do next, see <see cref="FleetLock.Advice.For(FleetLockResult, string)"/>.</param>
    /// <param name="addition">One sentence or more to add to the message, such as those of <see cref="PossibleLeak.Describe"/>.</param>
    public FleetLockException(FleetLockResult result, string advice, string? addition = null)
        : base($"{Describe(result)} {advice} {addition}".TrimEnd()) => (Result, Advice) = (result, advice);

    /// <summary>The full result.</summary>
    public FleetLockResult Result { get; }

    /// <summary>What to do next, which is in the message.</summary>
    public string Advice { get; }

    private static string Describe(FleetLockResult result)
    {
        var wanted = result.Operation == FleetLockOperation.Lock ? "No slot of" : "The slot was not released in";
        return $"{wanted} group '{result.Group}' for '{result.Id}' at {result.Server}: {result.Message} ({result.Kind}).";
    }
}
