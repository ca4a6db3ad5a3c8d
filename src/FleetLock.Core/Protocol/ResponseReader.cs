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
        // "Exactly 200 means done": what the body of a 200 says decides nothing. That it is not a web page is for ReadForeign to tell.
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
        if (!isFleetLock)
            (kind, value) = (ErrorKinds.GenericHttpPrefix + status.ToString(CultureInfo.InvariantCulture), ErrorKinds.GenericValue);
        var meaning = ServerReplies.Of(kind, value);
        var result = StatusOf(status, isFleetLock, meaning);
        return new Outcome(result, kind, value)
        {
            HttpStatus = status,
            RetryAfter = retryAfter,
            OutcomeUnknown = result != FleetLockStatus.Pending
                && (isFleetLock && status is >= 400 and <= 599 ? IsFailedSave(status, kind, meaning) : MayHaveActed(status)),
            LostRace = result == FleetLockStatus.Busy && meaning == ServerReplies.Meaning.LostRace,
            SaysNotHeld = (result == FleetLockStatus.Busy && meaning == ServerReplies.Meaning.Full) || (result == FleetLockStatus.Refused && kind == ErrorKinds.GrantCancelled),
        };
    }

    /// <summary>
    /// A 200 that no FleetLock server gives: a web page, such as a login page or a captive portal sends in the server's place. The servers in the field send
    /// nothing, text or JSON.
    /// </summary>
    /// <param name="contentType">The header as it is, of which a part may not be well-formed; empty when it is missing.</param>
    /// <param name="isEncoded">Whether there is a Content-Encoding. None was asked for.</param>
    /// <param name="firstCharacter">The body's first byte that is not white space; <see langword="null"/> when there is none, or it does not matter.</param>
    /// <returns>What it is; <see langword="null"/> for an answer of a FleetLock server.</returns>
    internal static Outcome? ReadForeign(string contentType, bool isEncoded, byte? firstCharacter)
    {
        if (contentType.IndexOf("html", StringComparison.OrdinalIgnoreCase) >= 0 || firstCharacter is (byte)'<')
            return Foreign("the answer is a web page, such as a login page or a captive portal sends in the server's place");
        if (isEncoded)
            return Foreign("the answer is encoded, which no FleetLock server does");
        return firstCharacter is (byte)' ' ? Foreign("the answer begins with nothing but white space, which no FleetLock server sends") : null;

        static Outcome Foreign(string message) => new(FleetLockStatus.ProtocolError, ErrorKinds.GenericHttpPrefix + "200", message)
        {
            HttpStatus = 200,
            OutcomeUnknown = true,
        };
    }

    /// <summary>
    /// An answer that no FleetLock server gives, by its code: a gateway may have passed the request on before it answered itself. Only the codes that refuse a
    /// request say that it did not; 408 and 499 are about time and the client.
    /// </summary>
    /// <param name="status">The HTTP status code.</param>
    /// <returns>Whether the request may have been carried out.</returns>
    internal static bool MayHaveActed(int status) => status is not (>= 400 and < 500) or 408 or 499;

    /// <summary>
    /// Reads what the headers of a 200 to pre-reboot report of the grant. Servers without grants report nothing. An answer that reports
    /// what no lock is answered belongs to another request, and is not a grant.
    /// </summary>
    /// <param name="outcome">The outcome.</param>
    /// <param name="sent">The grant id that was sent.</param>
    /// <param name="grantIds">The values of <see cref="FleetLockProtocol.GrantHeader"/>.</param>
    /// <param name="statuses">The values of <see cref="FleetLockProtocol.GrantStatusHeader"/>.</param>
    /// <returns>The outcome with what is reported.</returns>
    internal static Outcome ReadGrant(Outcome outcome, string sent, IReadOnlyList<string> grantIds, IReadOnlyList<string> statuses)
    {
        if (outcome.Status != FleetLockStatus.Granted || statuses.Count == 0)
            return outcome;

        // A proxy may join repeated headers.
        var words = statuses.SelectMany(value => value.Split(',')).Select(word => word.Trim()).ToList();
        if (words.Find(word => word is not (FleetLockProtocol.GrantNew or FleetLockProtocol.GrantHeld)) is { } foreign)
            return OfAnotherRequest($"'{FleetLockProtocol.GrantStatusHeader}: {ProtocolRules.Show(foreign)}'");
        if (words.Contains(FleetLockProtocol.GrantNew) && (grantIds.Count == 0 || grantIds.Any(id => id != sent)))
            return OfAnotherRequest("a new grant that this lock did not ask for");
        if (words.Count > 1 || grantIds.Count > 1 || (grantIds.Count == 1 && !GrantId.IsValid(grantIds[0])))
            return outcome;
        return outcome with { GrantId = grantIds.Count == 1 ? grantIds[0] : null, IsNewGrant = words[0] == FleetLockProtocol.GrantNew };
    }

    /// <summary>Reads the answer to the release of one grant. Only a 200 that echoes the grant id comes from a server that supports grants.</summary>
    /// <param name="outcome">The outcome of the answer's code and body.</param>
    /// <param name="sent">The grant id.</param>
    /// <param name="grantIds">The values of <see cref="FleetLockProtocol.GrantHeader"/>.</param>
    /// <param name="statuses">The values of <see cref="FleetLockProtocol.GrantStatusHeader"/>.</param>
    /// <returns>The outcome: <see cref="FleetLockStatus.Released"/> only for a slot that is free now.</returns>
    internal static Outcome ReadCancellation(Outcome outcome, string sent, IReadOnlyList<string> grantIds, IReadOnlyList<string> statuses)
    {
        if (outcome.Status != FleetLockStatus.Released)
            return ExtensionAnswers.Read(outcome);
        if (grantIds.Count != 1 || grantIds[0] != sent || statuses.Count != 1)
            return ExtensionAnswers.Malformed();
        return statuses[0] switch
        {
            FleetLockProtocol.GrantReleased => outcome,
            FleetLockProtocol.GrantKept => outcome with
            {
                Status = FleetLockStatus.Refused,
                Kind = ErrorKinds.ClientGrantKept,
                Message = "the slot is kept: another lock shares it, or another grant made it",
            },
            FleetLockProtocol.GrantAbsent => outcome with { Status = FleetLockStatus.Refused, Kind = ErrorKinds.NotHeld, Message = "the id holds no slot" },
            _ => ExtensionAnswers.Malformed(),
        };
    }

    private static Outcome OfAnotherRequest(string reported)
    {
        var message = $"the answer belongs to another request: it reports {reported}";
        return new Outcome(FleetLockStatus.ProtocolError, ErrorKinds.GenericHttpPrefix + "200", message)
        {
            HttpStatus = 200,
            OutcomeUnknown = true,
        };
    }

    /// <summary>
    /// A store that failed may have saved all the same: our own 503, and airlock's 500 <c>failed_lock</c> with the words of etcd.
    /// </summary>
    private static bool IsFailedSave(int status, string kind, ServerReplies.Meaning meaning) =>
        kind == ErrorKinds.StoreUnavailable || (status >= 500 && kind == "failed_lock" && meaning == ServerReplies.Meaning.Unknown);

    private static FleetLockStatus StatusOf(int status, bool isFleetLock, ServerReplies.Meaning meaning)
    {
        // 202 is heathcliff26's "reserved, not yet granted". Every other code below 400 has no place in the protocol, whatever its body says.
        if (status == 202)
            return FleetLockStatus.Pending;
        if (status is < 400 or > 599)
            return FleetLockStatus.ProtocolError;

        return meaning switch
        {
            ServerReplies.Meaning.Full or ServerReplies.Meaning.NotNow or ServerReplies.Meaning.LostRace => FleetLockStatus.Busy,
            ServerReplies.Meaning.Reserved => FleetLockStatus.Pending,
            ServerReplies.Meaning.Refused => FleetLockStatus.Refused,
            ServerReplies.Meaning.ServerFault => FleetLockStatus.Unreachable,
            ServerReplies.Meaning.WrongPath => FleetLockStatus.ProtocolError,
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
