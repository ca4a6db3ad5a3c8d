namespace FleetLock;

/// <summary>What a <see cref="LocalServer"/> is started with.</summary>
public sealed record LocalServerOptions
{
    /// <summary>The command line's program, <c>fleetlockctl.dll</c>.</summary>
    public required string Program { get; init; }

    /// <summary>What follows <c>serve</c> on its command line.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>Lets the server outlive this process.</summary>
    public bool IsDetached { get; init; }
}
