using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace FleetLock.Server;

/// <summary>Every refusal that the server gives: status code, kind and text. The one home of them.</summary>
/// <param name="Status">The HTTP status code.</param>
/// <param name="Kind">The kind, one of <see cref="ErrorKinds"/>.</param>
/// <param name="Value">The text for people.</param>
internal sealed record ErrorReply(int Status, string Kind, string Value)
{
    /// <summary>The largest body that is read: 16 KiB. A request of the protocol has less than 1 KiB.</summary>
    internal const int MaxBodyBytes = 16 * 1024;

    private const string Form = """{"client_params":{"id":"…","group":"…"}}""";

    internal static ErrorReply Full(int slots) => new(StatusCodes.Status409Conflict, ErrorKinds.SemaphoreFull, $"all {slots} semaphore slots currently locked");

    internal static ErrorReply InvalidGrant(StringValues values) => new(
        StatusCodes.Status400BadRequest,
        ErrorKinds.InvalidGrant,
        values.Count > 1
            ? $"the header '{FleetLockProtocol.GrantHeader}' is there {values.Count} times; it must be there once"
            : $"the grant id '{ProtocolRules.Show(values.ToString())}' is invalid; it must be 32 lower-case hexadecimal digits, once");

    internal static ErrorReply GrantCancelled() => new(
        StatusCodes.Status409Conflict, ErrorKinds.GrantCancelled, "this grant id was cancelled; lock again with a new one");

    internal static ErrorReply StoreRestored() => new(
        StatusCodes.Status503ServiceUnavailable,
        ErrorKinds.StoreRestored,
        "the store went back to an earlier state, so nothing is granted until an administrator runs 'fleetlockctl confirm-restore'");

    internal static ErrorReply MissingHeader(StringValues values) => new(
        StatusCodes.Status400BadRequest,
        ErrorKinds.MissingHeader,
        values.Count switch
        {
            0 => $"the header '{FleetLockProtocol.Header}: {FleetLockProtocol.HeaderValue}' is missing",
            1 => $"the header '{FleetLockProtocol.Header}' is '{ProtocolRules.Show(values[0]!)}'; "
                + $"it takes '{FleetLockProtocol.HeaderValue}'",
            _ => $"the header '{FleetLockProtocol.Header}' is there {values.Count} times; it must be there once",
        });

    internal static ErrorReply InvalidBody(string fault) => new(StatusCodes.Status400BadRequest, ErrorKinds.InvalidBody, $"{fault}; the body takes {Form}");

    internal static ErrorReply BodyTooLarge() => new(
        StatusCodes.Status413PayloadTooLarge, ErrorKinds.BodyTooLarge, $"the body is over {MaxBodyBytes} bytes");

    internal static ErrorReply BodyTooSlow() => new(StatusCodes.Status408RequestTimeout, ErrorKinds.InvalidBody, "the body was not all there in the time that it may take");

    internal static ErrorReply InvalidGroup(string fault) => new(StatusCodes.Status400BadRequest, ErrorKinds.InvalidGroup, fault);

    internal static ErrorReply InvalidId(string fault) => new(StatusCodes.Status400BadRequest, ErrorKinds.InvalidId, fault);

    internal static ErrorReply UnknownGroup(string group) => new(
        StatusCodes.Status400BadRequest, ErrorKinds.UnknownGroup, $"this server has no group '{ProtocolRules.Show(group)}'");

    internal static ErrorReply NoSuchGroup(string group) => UnknownGroup(group) with { Status = StatusCodes.Status404NotFound };

    internal static ErrorReply NotHeld(string id, string group) => new(
        StatusCodes.Status404NotFound, ErrorKinds.NotHeld, $"'{ProtocolRules.Show(id)}' holds no slot of the group '{ProtocolRules.Show(group)}'");

    internal static ErrorReply InvalidRequest(string fault) => new(StatusCodes.Status400BadRequest, ErrorKinds.InvalidRequest, fault);

    internal static ErrorReply Forbidden(string reason) => new(StatusCodes.Status403Forbidden, ErrorKinds.Forbidden, reason);

    internal static ErrorReply Unauthorized(string reason) => new(StatusCodes.Status401Unauthorized, ErrorKinds.Unauthorized, reason);

    internal static ErrorReply TooManyRequests() => new(
        StatusCodes.Status429TooManyRequests, ErrorKinds.TooManyRequests, "this address has sent too many requests; 'Retry-After' says when it may send the next one");

    internal static ErrorReply NotFound(string path) => new(
        StatusCodes.Status404NotFound, ErrorKinds.NotFound, $"there is nothing at '{ProtocolRules.Show(path)}'; the protocol's paths are /v1/pre-reboot and /v1/steady-state");

    internal static ErrorReply MethodNotAllowed(string method, string path, string allowed) => new(
        StatusCodes.Status405MethodNotAllowed, ErrorKinds.MethodNotAllowed, $"'{ProtocolRules.Show(path)}' takes {allowed}, not {ProtocolRules.Show(method)}");

    internal static ErrorReply StoreUnavailable(bool isOutcomeUnknown = false) => new(
        StatusCodes.Status503ServiceUnavailable,
        ErrorKinds.StoreUnavailable,
        "the server's store failed or does not answer, so "
        + (isOutcomeUnknown ? "the outcome of this request is unknown" : "nothing was done") + "; the server's log has the reason");

    internal static ErrorReply ShuttingDown() => new(
        StatusCodes.Status503ServiceUnavailable, ErrorKinds.ShuttingDown, "the server is stopping");

    /// <summary>Sends it.</summary>
    /// <param name="response">The response, not begun.</param>
    /// <returns>When it is written.</returns>
    internal Task WriteAsync(HttpResponse response)
    {
        var body = WireFormat.WriteError(Kind, Value);
        response.StatusCode = Status;
        if (Status == StatusCodes.Status401Unauthorized)
            response.Headers.WWWAuthenticate = "Bearer";
        response.ContentType = "application/json";
        response.ContentLength = body.Length;
        return response.Body.WriteAsync(body).AsTask();
    }
}
