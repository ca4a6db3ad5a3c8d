namespace FleetLock;

/// <summary>A slot was not granted or not released; <see cref="Result"/> says why.</summary>
public sealed class FleetLockException : Exception
{
    /// <summary>Wraps a result that is not a success.</summary>
    /// <param name="result">The result.</param>
    public FleetLockException(FleetLockResult result)
        : base(Describe(result)) => Result = result;

    /// <summary>The full result.</summary>
    public FleetLockResult Result { get; }

    /// <summary>What to do next; the message ends with it.</summary>
    public string Advice => FleetLock.Advice.For(Result);

    private static string Describe(FleetLockResult result)
    {
        var wanted = result.Operation == FleetLockOperation.Lock ? "No slot of" : "The slot was not released in";
        return $"{wanted} group '{result.Group}' for '{result.Id}' at {result.Server}: {result.Message} ({result.Kind}). {FleetLock.Advice.For(result)}";
    }
}
