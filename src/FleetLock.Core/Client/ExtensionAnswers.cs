using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace FleetLock;

/// <summary>What the answers to our extensions mean: of all servers only this project's own have them, and only a well-formed 200 is a success.</summary>
internal static class ExtensionAnswers
{
    // With the codes 401 and 403, the refusals that say something of the request, and not that nobody has ever heard of it.
    private static readonly string[] Refusals =
        [ErrorKinds.UnknownGroup, ErrorKinds.NotHeld, ErrorKinds.InvalidGroup, ErrorKinds.InvalidId, ErrorKinds.InvalidGrant, ErrorKinds.InvalidRequest];

    /// <summary>An answer other than 200, read as the protocol's errors are → what it says of the extension.</summary>
    /// <param name="outcome">The outcome.</param>
    /// <returns>The outcome; <see cref="FleetLockStatus.ProtocolError"/> when the server does not have the extension.</returns>
    internal static Outcome Read(Outcome outcome) => outcome.Status switch
    {
        FleetLockStatus.Busy or FleetLockStatus.Unreachable or FleetLockStatus.TimedOut => outcome,
        FleetLockStatus.Refused when outcome.HttpStatus is 401 or 403 || Array.IndexOf(Refusals, outcome.Kind) >= 0 => outcome,
        FleetLockStatus.ProtocolError when outcome.HttpStatus is 200 => outcome,
        _ => outcome with
        {
            Status = FleetLockStatus.ProtocolError,
            Message = outcome.Kind?.StartsWith(ErrorKinds.GenericHttpPrefix, StringComparison.Ordinal) == false
                ? $"the server cannot do this, because it is another project's server, or an older version of this one: {outcome.Message}"
                : "the server cannot do this, because it is another project's server, or not a FleetLock server",
        },
    };

    /// <summary>A 200 whose body is something else: it may all the same have acted.</summary>
    internal static Outcome Malformed() => new(FleetLockStatus.ProtocolError, ErrorKinds.GenericHttpPrefix + "200", "the answer is not one of this project's servers")
    {
        HttpStatus = 200,
        OutcomeUnknown = true,
    };

    /// <summary>Reads the body of a 200.</summary>
    /// <typeparam name="T">What it is to be.</typeparam>
    /// <param name="content">The body.</param>
    /// <param name="type">How to read it.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The value; <see langword="null"/> when the body is something else, such as a page of HTML or JSON of another shape.</returns>
    internal static async Task<T?> ReadBodyAsync<T>(HttpContent content, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class
    {
        try
        {
            return await content.ReadFromJsonAsync(type, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is JsonException or NotSupportedException or InvalidOperationException)
        {
            return null;
        }
    }
}
