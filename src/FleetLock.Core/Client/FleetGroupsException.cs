namespace FleetLock;

/// <summary>A server did not show its groups or did not change one: it does not have the extension, it refuses, it cannot do so now, or it cannot be reached.</summary>
public sealed class FleetGroupsException : Exception
{
    /// <summary>Says why.</summary>
    /// <param name="failure">What did not happen, as the beginning of a sentence.</param>
    /// <param name="server">The server.</param>
    /// <param name="outcome">What its answer means.</param>
    /// <param name="unknown">What to say when it may have happened all the same; empty for what changes nothing.</param>
    internal FleetGroupsException(string failure, ServerAddress server, Outcome outcome, string unknown)
        : base($"{failure} at {server}: {outcome.Message} ({outcome.Kind}). {AdviceFor(outcome, server)} {(outcome.OutcomeUnknown ? unknown : "")}".TrimEnd())
    {
        Status = outcome.Status;
        Kind = outcome.Kind;
        HttpStatus = outcome.HttpStatus;
        Advice = AdviceFor(outcome, server);
    }

    /// <summary>What the answer means; <see cref="FleetLockStatus.ProtocolError"/> when the server does not have the extension.</summary>
    public FleetLockStatus Status { get; }

    /// <summary>What to do next; it is in the message.</summary>
    public string Advice { get; }

    /// <summary>The error's kind: the server's own, or <c>generic_http_CODE</c>, or <c>client_failed_request</c>.</summary>
    public string? Kind { get; }

    /// <summary>The HTTP status code of the answer; <see langword="null"/> when there was none.</summary>
    public int? HttpStatus { get; }

    private static string AdviceFor(Outcome outcome, ServerAddress server) => FleetLock.Advice.For(outcome.Status, outcome.Kind, server.ToString(), null);
}
