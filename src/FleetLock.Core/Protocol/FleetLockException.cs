namespace FleetLock;

/// <summary>A slot was not granted or not released; <see cref="Result"/> says why.</summary>
public sealed class FleetLockException : Exception
{
    /// <summary>Wraps a result that is not a success.</summary>
    /// <param name="result">The result.</param>
    public FleetLockException(FleetLockResult result)
        : base(Describe(result)) => Result = result;

    /// <summary>Wraps a result that is not a success, and adds to its message.</summary>
    /// <param name="result">The result.</param>
    /// <param name="addition">One sentence or more, such as those of <see cref="PossibleLeak.Describe"/>.</param>
    public FleetLockException(FleetLockResult result, string addition)
        : base($"{Describe(result)} {addition}") => Result = result;

    /// <summary>The full result.</summary>
    public FleetLockResult Result { get; }

    /// <summary>What to do next, which is in the message.</summary>
    public string Advice => FleetLock.Advice.For(Result);

    private static string Describe(FleetLockResult result)
    {
        var wanted = result.Operation == FleetLockOperation.Lock ? "No slot of" : "The slot was not released in";
        return $"{wanted} group '{result.Group}' for '{result.Id}' at {result.Server}: {result.Message} ({result.Kind}). {FleetLock.Advice.For(result)}";
    }
}
