using System.Globalization;

namespace FleetLock;

/// <summary>Status code and body of an answer → outcome. Pure: no clock, no socket.</summary>
internal static class ResponseReader
{
    /// <summary>Decides what an answer means.</summary>
    /// <param name="operation">What was asked.</param>
    /// <param name="status">The HTTP status code.</param>
    /// <param name="body">The body's bytes; not looked at when the status is 200.</param>
    /// <param name="retryAfter">The answer's <c>Retry-After</c>, if any.</param>
    /// <returns>The outcome.</returns>
    internal static Outcome Read(FleetLockOperation operation, int status, ReadOnlyMemory<byte> body, TimeSpan? retryAfter)
    {
        // "Exactly 200 means done": the body of a 200 is empty, text or JSON, as each server likes, and decides nothing.
        if (status == 200)
        {
            return operation == FleetLockOperation.Lock
                ? new Outcome(FleetLockStatus.Granted, null, "slot granted") { HttpStatus = status }
                : new Outcome(FleetLockStatus.Released, null, "slot released") { HttpStatus = status };
        }

        // Cleaned first: of a kind or a value with nothing to show, nothing is left.
        var isFleetLock = WireFormat.TryReadError(body, out var kind, out var value);
        kind = TerminalText.Clean(kind, 100);
        value = TerminalText.Clean(value);
        isFleetLock = isFleetLock && kind.Length > 0 && value.Length > 0;
        var meaning = isFleetLock ? ServerReplies.Of(kind, value) : ServerReplies.Meaning.Unknown;
        return new Outcome(
            StatusOf(status, isFleetLock, meaning),
            isFleetLock ? kind : ErrorKinds.GenericHttpPrefix + status.ToString(CultureInfo.InvariantCulture),
            isFleetLock ? value : ErrorKinds.GenericValue)
        {
            HttpStatus = status,
            RetryAfter = retryAfter,

            // A gateway that had no good answer from the server may have passed the request on before.
            OutcomeUnknown = !isFleetLock && status is (502 or 503 or 504),
            LostRace = status is >= 400 and <= 599 && meaning == ServerReplies.Meaning.LostRace,
        };
    }

    private static FleetLockStatus StatusOf(int status, bool isFleetLock, ServerReplies.Meaning meaning)
    {
        // 202 is heathcliff26's "reserved, not yet granted". Every other code below 400 has no place in the protocol, whatever its body says.
        if (status == 202)
            return FleetLockStatus.Pending;
        if (status is < 400 or > 599)
            return FleetLockStatus.ProtocolError;

        return meaning switch
        {
            ServerReplies.Meaning.NotNow or ServerReplies.Meaning.LostRace => FleetLockStatus.Busy,
            ServerReplies.Meaning.Reserved => FleetLockStatus.Pending,
            ServerReplies.Meaning.Refused => FleetLockStatus.Refused,
            ServerReplies.Meaning.ServerFault => FleetLockStatus.Unreachable,
            _ => isFleetLock ? OfUnknownKind(status) : OfForeignBody(status),
        };
    }

    /// <summary>A FleetLock error of a kind that we have not met: the code is the next best thing to go by.</summary>
    private static FleetLockStatus OfUnknownKind(int status) => status switch
    {
        409 or 423 or 429 => FleetLockStatus.Busy,
        407 or 408 or 425 => FleetLockStatus.Unreachable,
        < 500 => FleetLockStatus.Refused,
        _ => FleetLockStatus.Unreachable,
    };

    /// <summary>Not a FleetLock error: a proxy, a gateway, a login page, some other web server.</summary>
    private static FleetLockStatus OfForeignBody(int status) => status switch
    {
        401 or 403 => FleetLockStatus.Refused,
        407 or 408 or 425 or 429 or 502 or 503 or 504 => FleetLockStatus.Unreachable,
        _ => FleetLockStatus.ProtocolError,
    };
}
