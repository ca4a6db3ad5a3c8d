using System;
using System.IO;
using System.Linq;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;

namespace FleetLock;

/// <summary>
/// A client of one FleetLock server. Safe to share between threads, and meant to be: its connections are pooled.
/// </summary>
public sealed class FleetLockClient : IDisposable
{
    /// <summary>How often the same request is sent when the server says that it lost a race against another writer.</summary>
    private const int MaxRaces = 5;

    private readonly FleetLockClientOptions _options;
    private readonly HttpClient _http;

    /// <summary>Makes a client with default options.</summary>
    /// <param name="server">The server's base address, such as <c>https://fleetlock.example.net</c>.</param>
    /// <exception cref="FleetLockInputException">It is not an http or https URL, or it has a query or a fragment.</exception>
    public FleetLockClient(string server)
        : this(new FleetLockClientOptions { Server = ServerAddress.Parse(server) })
    {
    }

    /// <summary>Makes a client.</summary>
    /// <param name="options">The server and how to reach it.</param>
    /// <exception cref="FleetLockInputException">The time-out is neither positive nor infinite, or longer than timers can count.</exception>
    public FleetLockClient(FleetLockClientOptions options)
    {
        _options = options ?? throw new ArgumentNullException(nameof(options));
        if (options.HasTimeout && (options.Timeout <= TimeSpan.Zero || options.Timeout > FleetLockClientOptions.MaxTimeout))
            throw new FleetLockInputException("timeout", $"The time-out is {options.Timeout}; it takes up to {FleetLockClientOptions.MaxTimeout.TotalDays} days, or infinite.");
        _http = HttpTransport.Create(options);
    }

    /// <summary>The server's base address.</summary>
    public ServerAddress Server => _options.Server;

    internal FleetLockClientOptions Options => _options;

    /// <summary>Takes a slot: RecursiveLock of the protocol. An id that holds a slot already is granted it again.</summary>
    /// <param name="group">The group, <c>^[a-zA-Z0-9.-]+$</c>.</param>
    /// <param name="id">The node id: unique to the machine, stable across reboots, 1 to 255 printable characters.</param>
    /// <param name="cancellationToken">Ends the call. The outcome is then unknown; an unlock with the same id puts that right.</param>
    /// <returns>The result; <see cref="FleetLockStatus.Granted"/> only if the server answered with exactly 200.</returns>
    /// <exception cref="FleetLockInputException">The group or the id breaks its rule. Nothing was sent.</exception>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    public Task<FleetLockResult> LockAsync(string group, string id, CancellationToken cancellationToken = default) =>
        LockAsync(group, id, TimeSpan.Zero, cancellationToken);

    /// <summary>Takes a slot, and asks the server to hold the request until one is free. A server that cannot do that answers at once.</summary>
    /// <param name="group">The group, <c>^[a-zA-Z0-9.-]+$</c>.</param>
    /// <param name="id">The node id: unique to the machine, stable across reboots, 1 to 255 printable characters.</param>
    /// <param name="hold">How long to hold the request, in whole seconds and less than the request's time-out; less than a second is not at all.</param>
    /// <param name="cancellationToken">Ends the call. The outcome is then unknown; an unlock with the same id puts that right.</param>
    /// <returns>The result; <see cref="FleetLockStatus.Granted"/> only if the server answered with exactly 200.</returns>
    /// <exception cref="FleetLockInputException">The group or the id breaks its rule. Nothing was sent.</exception>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    public Task<FleetLockResult> LockAsync(string group, string id, TimeSpan hold, CancellationToken cancellationToken = default) =>
        SendAsync(FleetLockOperation.Lock, group, id, hold, cancellationToken);

    /// <summary>Gives a slot back: UnlockIfHeld of the protocol. It is a success too when the id holds none, so it is always safe.</summary>
    /// <param name="group">The group, <c>^[a-zA-Z0-9.-]+$</c>.</param>
    /// <param name="id">The node id, the same as for the lock.</param>
    /// <param name="cancellationToken">Ends the call. The outcome is then unknown; another unlock puts that right.</param>
    /// <returns>The result; <see cref="FleetLockStatus.Released"/> only if the server answered with exactly 200.</returns>
    /// <exception cref="FleetLockInputException">The group or the id breaks its rule. Nothing was sent.</exception>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    public Task<FleetLockResult> UnlockAsync(string group, string id, CancellationToken cancellationToken = default) =>
        SendAsync(FleetLockOperation.Unlock, group, id, TimeSpan.Zero, cancellationToken);

    /// <summary>
    /// Releases a slot that was perhaps granted, after a lock that was cancelled or whose answer was lost. One request; it never throws.
    /// </summary>
    /// <param name="group">The group of the lock.</param>
    /// <param name="id">The id of the lock.</param>
    /// <param name="timeLimit">The longest to wait for the acknowledgement.</param>
    /// <returns>True when the server has acknowledged it.</returns>
    public async Task<bool> TryReleaseAsync(string group, string id, TimeSpan timeLimit)
    {
        using var timeout = new CancellationTokenSource(timeLimit);
        try
        {
            return (await UnlockAsync(group, id, timeout.Token).ConfigureAwait(false)).IsSuccess;
        }
        catch (Exception e) when (e is OperationCanceledException or FleetLockInputException)
        {
            return false;
        }
    }

    /// <summary>Lists the groups with their slots and holders. An extension: of the peers only this project's own server answers it.</summary>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The groups, or <see langword="null"/> when the server does not have the extension.</returns>
    /// <exception cref="HttpRequestException">The server could not be reached.</exception>
    /// <exception cref="TimeoutException">The request's time-out passed.</exception>
    /// <exception cref="FleetGroupsException">The server has the extension, or may have it, and refuses or cannot serve now.</exception>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    public async Task<FleetGroupList?> GetGroupsAsync(CancellationToken cancellationToken = default)
    {
        using var deadline = StartDeadline(cancellationToken);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, _options.Server.Endpoint(FleetLockProtocol.GroupsPath));
            using var response = await _http.SendAsync(request, deadline.Token).ConfigureAwait(false);
            if ((int)response.StatusCode != 200)
                return RefusesToList(await ReadOutcomeAsync(FleetLockOperation.Unlock, response, deadline.Token).ConfigureAwait(false));
            var list = await response.Content.ReadFromJsonAsync(GroupJson.Default.FleetGroupList, deadline.Token).ConfigureAwait(false);
            return IsComplete(list) ? list : null;
        }
        catch (Exception e) when (e is JsonException or NotSupportedException or InvalidOperationException)
        {
            // A page of HTML, or JSON of another shape.
            return null;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException(TimedOutMessage("no answer"));
        }
        catch (HttpRequestException e)
        {
            // Without the exception itself, whose message may have a proxy's password.
            throw new HttpRequestException(TransportFailure.Read(e, Server).Message);
        }
    }

    /// <summary>
    /// Asks what a FleetLock server must refuse: a steady-state request without the protocol's header and without an id.
    /// It can change no slot.
    /// </summary>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The outcome.</returns>
    internal Task<Outcome> ProbeAsync(CancellationToken cancellationToken) =>
        ExchangeAsync(FleetLockOperation.Unlock, NewRequest(FleetLockOperation.Unlock, "{}"u8.ToArray()), cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private async Task<FleetLockResult> SendAsync(FleetLockOperation operation, string group, string id, TimeSpan hold, CancellationToken cancellationToken)
    {
        var body = WireFormat.WriteRequest(ProtocolRules.RequireGroup(group), ProtocolRules.RequireId(id));
        var started = _options.Clock.GetTimestamp();
        for (var attempt = 1; ; attempt++)
        {
            var request = NewRequest(operation, body);
            request.Headers.Add(FleetLockProtocol.Header, FleetLockProtocol.HeaderValue);
            if (HoldSeconds(hold) is > 0 and var seconds)
                request.Headers.Add(FleetLockProtocol.PreferHeader, FormattableString.Invariant($"{FleetLockProtocol.WaitPreference}={seconds}"));
            var outcome = await ExchangeAsync(operation, request, cancellationToken).ConfigureAwait(false);
            if (outcome.LostRace && attempt < MaxRaces)
                continue;

            return new FleetLockResult
            {
                Operation = operation,
                Status = outcome.Status,
                Group = group,
                Id = id,
                Server = Server.ToString(),
                Kind = outcome.Kind,
                Message = outcome.Message,
                HttpStatus = outcome.HttpStatus,
                RetryAfter = outcome.RetryAfter,
                OutcomeUnknown = outcome.OutcomeUnknown,
                ServerWaited = outcome.ServerWaited,
                Attempts = attempt,
                Elapsed = _options.Clock.GetElapsedTime(started),
                Time = _options.Clock.GetUtcNow(),
            };
        }
    }

    private HttpRequestMessage NewRequest(FleetLockOperation operation, byte[] body)
    {
        var path = operation == FleetLockOperation.Lock ? FleetLockProtocol.PreRebootPath : FleetLockProtocol.SteadyStatePath;

        // Bytes, so that a Content-Length goes out and no Content-Type: some servers take neither chunks nor text/plain.
        return new HttpRequestMessage(HttpMethod.Post, _options.Server.Endpoint(path)) { Content = new ByteArrayContent(body) };
    }

    private async Task<Outcome> ExchangeAsync(FleetLockOperation operation, HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using var deadline = StartDeadline(cancellationToken);
        int? status = null;
        try
        {
            using (request)
            {
                using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, deadline.Token).ConfigureAwait(false);
                status = (int)response.StatusCode;
                return await ReadOutcomeAsync(operation, response, deadline.Token).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (IsTransport(e) && cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException("The request was cancelled. " + Advice.UnknownOutcome(operation), e, cancellationToken);
        }
        catch (Exception e) when (IsTransport(e) && deadline.IsCancellationRequested)
        {
            // An answer that had begun with another code than 200 is a refusal, however it would have ended.
            return new Outcome(FleetLockStatus.TimedOut, ErrorKinds.ClientFailedRequest, TimedOutMessage(status is null ? "no answer" : $"the {status} answer did not end"))
            {
                HttpStatus = status,
                OutcomeUnknown = status is null,
            };
        }
        catch (Exception e) when (IsTransport(e))
        {
            return TransportFailure.Read(e, Server);
        }
    }

    /// <summary>Nothing for "no such path"; an exception for "not you" and "not now", which say nothing of the extension.</summary>
    private static FleetGroupList? RefusesToList(Outcome outcome) => outcome.HttpStatus is 401 or 403 || outcome.Status is FleetLockStatus.Unreachable or FleetLockStatus.Busy
        ? throw new FleetGroupsException(outcome.Status, $"{outcome.Message} ({outcome.Kind})")
        : null;

    /// <summary>JSON of another shape leaves members unset that are never null.</summary>
    private static bool IsComplete(FleetGroupList? list) => list?.Groups is { } groups
        && groups.All(group => group is { Group: not null, Holders: not null } && group.Holders.All(holder => holder?.Id is not null));

    private async Task<Outcome> ReadOutcomeAsync(FleetLockOperation operation, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var status = (int)response.StatusCode;
        if (status == 200 && IsWebPage(response.Content.Headers))
        {
            return new Outcome(FleetLockStatus.ProtocolError, ErrorKinds.GenericHttpPrefix + "200", "the answer is a web page, such as a login page or a captive portal sends in the server's place")
            {
                HttpStatus = status,
                OutcomeUnknown = true,
            };
        }

        var body = status == 200
            ? ReadOnlyMemory<byte>.Empty
            : await BoundedBody.ReadAsync(response.Content, cancellationToken).ConfigureAwait(false);
        return ResponseReader.Read(operation, status, body, RetryAfterOf(response)) with
        {
            ServerWaited = HasWaited(response),
            Date = response.Headers.Date,
        };
    }

    /// <summary>
    /// A page of HTML, told by the headers alone: what stands between, on its way through plain HTTP, answers a POST with 200 and a login page.
    /// The servers in the field send nothing, text or JSON with their 200; a framework that calls an empty answer HTML is taken at its word.
    /// </summary>
    private static bool IsWebPage(HttpContentHeaders headers) =>
        headers.ContentType?.MediaType?.ToUpperInvariant() is "TEXT/HTML" or "APPLICATION/XHTML+XML" && headers.ContentLength != 0;

    private CancellationTokenSource StartDeadline(CancellationToken cancellationToken)
    {
        var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (_options.HasTimeout)
            deadline.CancelAfter(_options.Timeout);
        return deadline;
    }

    private string TimedOutMessage(string what) => $"{what} from {Server.Peer} within {_options.Timeout.TotalSeconds:0.###} s";

    /// <summary>The seconds to ask the server to hold a request: well within the time-out, or the answer would come too late.</summary>
    private int HoldSeconds(TimeSpan hold)
    {
        var most = _options.HasTimeout ? TimeSpan.FromTicks(_options.Timeout.Ticks / 10 * 9) : hold;
        return (int)Math.Min(hold.TotalSeconds, most.TotalSeconds);
    }

    private static bool HasWaited(HttpResponseMessage response) =>
        response.Headers.TryGetValues(FleetLockProtocol.PreferenceAppliedHeader, out var applied)
        && applied.SelectMany(value => value.Split(','))
            .Any(preference => preference.Split('=')[0].Trim().Equals(FleetLockProtocol.WaitPreference, StringComparison.OrdinalIgnoreCase));

    private TimeSpan? RetryAfterOf(HttpResponseMessage response)
    {
        var header = response.Headers.RetryAfter;
        var wait = header?.Delta ?? header?.Date - _options.Clock.GetUtcNow();
        return wait < TimeSpan.Zero ? TimeSpan.Zero : wait;
    }

    private static bool IsTransport(Exception e) => e is HttpRequestException or IOException or OperationCanceledException or ObjectDisposedException;
}
