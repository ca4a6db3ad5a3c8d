namespace FleetLock;

/// <summary>Every <c>kind</c> that our own server and client give. Few and stable: they become labels of metrics.</summary>
public static class ErrorKinds
{
    /// <summary>409: all slots of the group are taken (the specification's own example).</summary>
    public const string SemaphoreFull = "failed_lock_semaphore_full";

    /// <summary>400: the <c>fleet-lock-protocol: true</c> header is missing or wrong.</summary>
    public const string MissingHeader = "missing_header";

    /// <summary>400: the body is not the protocol's JSON.</summary>
    public const string InvalidBody = "invalid_body";

    /// <summary>413: the body is over 16 KiB.</summary>
    public const string BodyTooLarge = "body_too_large";

    /// <summary>400: the group breaks its rule.</summary>
    public const string InvalidGroup = "invalid_group";

    /// <summary>400: the id breaks its rule.</summary>
    public const string InvalidId = "invalid_id";

    /// <summary>400: the server has no such group.</summary>
    public const string UnknownGroup = "unknown_group";

    /// <summary>400: what an operator asks for breaks its rule: the number of slots, the reason of a forced release.</summary>
    public const string InvalidRequest = "invalid_request";

    /// <summary>400: the grant id is not 32 lower-case hexadecimal digits, or there are several.</summary>
    public const string InvalidGrant = "invalid_grant";

    /// <summary>409: the grant id of a lock was cancelled before.</summary>
    public const string GrantCancelled = "grant_cancelled";

    /// <summary>503: the store went back to an earlier state, and no administrator has confirmed that; nothing was granted.</summary>
    public const string StoreRestored = "store_restored";

    /// <summary>404: the id whose slot is to be freed holds none.</summary>
    public const string NotHeld = "not_held";

    /// <summary>401: the request carries no credential, or one that the server does not know.</summary>
    public const string Unauthorized = "unauthorized";

    /// <summary>403: the credential, or the address, may not do this.</summary>
    public const string Forbidden = "forbidden";

    /// <summary>429: too many requests from one address.</summary>
    public const string TooManyRequests = "too_many_requests";

    /// <summary>404: no such path.</summary>
    public const string NotFound = "not_found";

    /// <summary>405: the path takes another method.</summary>
    public const string MethodNotAllowed = "method_not_allowed";

    /// <summary>503: the server's store failed or does not answer. The value says whether the outcome of the request is unknown.</summary>
    public const string StoreUnavailable = "store_unavailable";

    /// <summary>503: the server is stopping.</summary>
    public const string ShuttingDown = "shutting_down";

    /// <summary>Client side: there was no HTTP answer (Zincati's own name).</summary>
    public const string ClientFailedRequest = "client_failed_request";

    /// <summary>Client side: another run on this machine has the file lock for this group and id; nothing was asked of the server.</summary>
    public const string ClientRunHeld = "client_run_held";

    /// <summary>Client side: one grant was to be released, and its node id still holds a slot: the hold is shared, or another grant made it.</summary>
    public const string ClientGrantKept = "client_grant_kept";

    /// <summary>Client side: the beginning of the kind of an answer that carries no FleetLock error; the status code follows (Zincati's own naming).</summary>
    public const string GenericHttpPrefix = "generic_http_";

    /// <summary>Client side: the value that goes with <see cref="GenericHttpPrefix"/> (Zincati's own text).</summary>
    public const string GenericValue = "(unknown/generic server error)";
}
