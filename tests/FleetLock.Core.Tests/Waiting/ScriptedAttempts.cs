namespace FleetLock.Core.Tests;

/// <summary>Tries that end as a script says; the last result repeats.</summary>
internal sealed class ScriptedAttempts(params FleetLockResult[] script)
{
    public int Count { get; private set; }

    /// <summary>How long each try was told that the server may hold the request.</summary>
    public List<TimeSpan> Holds { get; } = [];

    /// <summary>Called within each try: what a real one would spend time on.</summary>
    public Action OnAttempt { get; init; } = () => { };

    public Task<FleetLockResult> NextAsync(TimeSpan hold, CancellationToken cancellationToken)
    {
        Holds.Add(hold);
        cancellationToken.ThrowIfCancellationRequested();
        OnAttempt();
        return Task.FromResult(script[Math.Min(Count++, script.Length - 1)]);
    }

    internal static FleetLockResult Of(FleetLockStatus status, string message = "the server's words", TimeSpan? retryAfter = null) => new()
    {
        Operation = FleetLockOperation.Lock,
        Status = status,
        Group = Exchange.Group,
        Id = Exchange.Id,
        Server = "http://fleet.example",
        Kind = "a_kind",
        Message = message,
        HttpStatus = 409,
        RetryAfter = retryAfter,
    };
}
