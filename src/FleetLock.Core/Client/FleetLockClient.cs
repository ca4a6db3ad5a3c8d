using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace FleetLock;

/// <summary>
/// A client of one FleetLock server, or of several on the same semaphores. Safe to share between threads, and meant to be: its connections are pooled.
/// </summary>
public sealed class FleetLockClient : IDisposable
{
    /// <summary>How often the same request is sent when the server says that it lost a race against another writer.</summary>
    private const int MaxRaces = 5;

    /// <summary>How long the body of a 200 may take to begin.</summary>
    private static readonly TimeSpan FirstCharacterLimit = TimeSpan.FromSeconds(10);

    private readonly FleetLockClientOptions _options;
    private readonly ServerChoice _servers;
    private readonly ServerExchange _exchange;

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
        : this(options, null)
    {
    }

    /// <summary>A client on another transport: the simulation's network.</summary>
    internal FleetLockClient(FleetLockClientOptions options, HttpMessageHandler? network)
    {
        _options = options ?? throw new ArgumentNullException(nameof(options));
        if (options.HasTimeout && (options.Timeout <= TimeSpan.Zero || options.Timeout > FleetLockClientOptions.MaxTimeout))
            throw new FleetLockInputException("timeout", $"The time-out is {options.Timeout}; it takes up to {FleetLockClientOptions.MaxTimeout.TotalDays} days, or infinite.");
        _servers = new ServerChoice(options, network);
        _exchange = new ServerExchange(options, _servers);
    }

    /// <summary>The base address of the server in use: of several, the one that was asked last.</summary>
    public ServerAddress Server => _servers.Current.Server;

    /// <summary>The base addresses of all servers, separated by spaces.</summary>
    public string Servers => string.Join(" ", new[] { _options.Server }.Concat(_options.OtherServers));

    internal FleetLockClientOptions Options => _options;

    /// <summary>
    /// Takes a slot: RecursiveLock of the protocol. An id that holds a slot already is granted it again. Each call is a lock operation of its own;
    /// <see cref="LockOperation"/> keeps one through waits and retries, and can undo it.
    /// </summary>
    /// <param name="group">The group, <c>^[a-zA-Z0-9.-]+$</c>.</param>
    /// <param name="id">The node id: unique to the machine, stable across reboots, 1 to 255 printable characters.</param>
    /// <param name="cancellationToken">A token to cancel the operation. The outcome is then unknown.</param>
    /// <returns>The result; <see cref="FleetLockStatus.Granted"/> only if the server answered with exactly 200.</returns>
    /// <exception cref="FleetLockInputException">The group or the id breaks its rule. Nothing was sent.</exception>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    public Task<FleetLockResult> LockAsync(string group, string id, CancellationToken cancellationToken = default) =>
        LockAsync(group, id, TimeSpan.Zero, cancellationToken);

    /// <summary>Takes a slot, and asks the server to hold the request until one is free. A server that cannot do that answers at once.</summary>
    /// <param name="group">The group, <c>^[a-zA-Z0-9.-]+$</c>.</param>
    /// <param name="id">The node id: unique to the machine, stable across reboots, 1 to 255 printable characters.</param>
    /// <param name="hold">How long to hold the request, in whole seconds and less than the request's time-out; less than a second is not at all.</param>
    /// <param name="cancellationToken">A token to cancel the operation. The outcome is then unknown.</param>
    /// <returns>The result; <see cref="FleetLockStatus.Granted"/> only if the server answered with exactly 200.</returns>
    /// <exception cref="FleetLockInputException">The group or the id breaks its rule. Nothing was sent.</exception>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    public Task<FleetLockResult> LockAsync(string group, string id, TimeSpan hold, CancellationToken cancellationToken = default) =>
        LockAsync(group, id, GrantId.Create(), hold, cancellationToken);

    /// <summary>The same for a lock operation whose grant id is kept through its waits and retries.</summary>
    internal Task<FleetLockResult> LockAsync(string group, string id, string grantId, TimeSpan hold, CancellationToken cancellationToken) =>
        SendAsync(FleetLockOperation.Lock, group, id, grantId, hold, cancellationToken);

    /// <summary>
    /// Releases the slot that the id holds, no matter which client took it: UnlockIfHeld of the protocol. It is a success too when the id holds none.
    /// </summary>
    /// <param name="group">The group, <c>^[a-zA-Z0-9.-]+$</c>.</param>
    /// <param name="id">The node id, the same as for the lock.</param>
    /// <param name="cancellationToken">A token to cancel the operation. The outcome is then unknown; another unlock puts that right.</param>
    /// <returns>The result; <see cref="FleetLockStatus.Released"/> only if the server answered with exactly 200.</returns>
    /// <exception cref="FleetLockInputException">The group or the id breaks its rule. Nothing was sent.</exception>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    public Task<FleetLockResult> UnlockAsync(string group, string id, CancellationToken cancellationToken = default) =>
        SendAsync(FleetLockOperation.Unlock, group, id, null, TimeSpan.Zero, cancellationToken);

    /// <summary>
    /// Releases one grant: its slot is free afterwards if this grant made the hold and no other lock operation was granted it too, and a request that is still
    /// on its way with this grant id is refused. An extension, as <see cref="GetGroupsAsync"/>.
    /// </summary>
    /// <param name="group">The group.</param>
    /// <param name="id">The node id of the lock.</param>
    /// <param name="grantId">The grant id, from <see cref="FleetLockResult.GrantId"/>.</param>
    /// <param name="cancellationToken">A token to cancel the operation. The outcome is then unknown; the same call again settles it.</param>
    /// <returns>
    /// The result; <see cref="FleetLockStatus.Released"/> only if the slot was freed. <see cref="FleetLockStatus.Refused"/> when the id still holds the slot
    /// (<see cref="ErrorKinds.ClientGrantKept"/>) or holds none (<see cref="ErrorKinds.NotHeld"/>).
    /// </returns>
    /// <exception cref="FleetLockInputException">The group, the id or the grant id is invalid. Nothing was sent.</exception>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    public Task<FleetLockResult> ReleaseGrantAsync(string group, string id, string grantId, CancellationToken cancellationToken = default) =>
        CancelGrantAsync(group, id, grantId, isUndo: false, cancellationToken);

    /// <summary>The same; <paramref name="isUndo"/> marks an undo in the server's log.</summary>
    internal async Task<FleetLockResult> CancelGrantAsync(string group, string id, string grantId, bool isUndo, CancellationToken cancellationToken)
    {
        var query = $"{FleetLockProtocol.IdParameter}={Uri.EscapeDataString(ProtocolRules.RequireId(id))}{(isUndo ? $"&{FleetLockProtocol.ReasonParameter}={FleetLockProtocol.UndoReason}" : "")}";
        var request = ClientRequest.Change(HttpMethod.Delete, GroupPath(group, $"/{FleetLockProtocol.GrantsSegment}/{GrantId.Require(grantId)}?{query}"));
        var started = _options.Clock.GetTimestamp();
        var outcome = await _exchange.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ReadAsync, Advice.UnknownOutcome(FleetLockOperation.Unlock), cancellationToken).ConfigureAwait(false);
        return ResultOf(FleetLockOperation.Unlock, group, id, outcome, 1, started);

        async Task<Outcome> ReadAsync(HttpResponseMessage response, CancellationToken token) => ResponseReader.ReadCancellation(
            await ReadOutcomeAsync(FleetLockOperation.Unlock, response, token).ConfigureAwait(false),
            grantId,
            Values(response, FleetLockProtocol.GrantHeader),
            Values(response, FleetLockProtocol.GrantStatusHeader));
    }

    /// <summary>
    /// Confirms the content of a store that went back to an earlier state, such as a restored backup, so that its servers grant again. An extension, as
    /// <see cref="GetGroupsAsync"/>.
    /// </summary>
    /// <param name="cancellationToken">A token to cancel the operation. The outcome is then unknown.</param>
    /// <returns>True when a restored store was confirmed, false when there was nothing to confirm. In both cases the servers may grant.</returns>
    /// <exception cref="FleetGroupsException">The server does not have the extension, refuses, cannot serve now, or cannot be reached.</exception>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    public async Task<bool> ConfirmRestoreAsync(CancellationToken cancellationToken = default)
    {
        const string Unknown = "It may have been confirmed although no answer arrived: try again.";
        var request = ClientRequest.Change(HttpMethod.Delete, FleetLockProtocol.RestoreMarkPath) with { IsRepeatable = false };
        var type = GroupJson.Default.FleetRestoreConfirmation;
        var (answer, outcome) = await AskAsync(request, type, found => found.Confirmed is not null, Unknown, cancellationToken).ConfigureAwait(false);
        return answer?.Confirmed ?? throw new FleetGroupsException("The restored store was not confirmed", Server, outcome, Unknown);
    }

    /// <summary>Lists what the server supports, for people. A lock or an undo never depends on it.</summary>
    /// <param name="cancellationToken">A token to cancel the operation.</param>
    /// <returns>The names; none when the server does not say.</returns>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    internal async Task<IReadOnlyList<string>> GetFeaturesAsync(CancellationToken cancellationToken)
    {
        var request = new ClientRequest(HttpMethod.Get, FleetLockProtocol.FeaturesPath);
        var (list, _) = await AskAsync(request, GroupJson.Default.FleetFeatureList, answer => answer.Features is not null, "", cancellationToken).ConfigureAwait(false);
        return list?.Features ?? [];
    }

    /// <summary>Lists the groups with their slots and holders. An extension: of the peers only this project's own server answers it.</summary>
    /// <param name="cancellationToken">A token to cancel the operation.</param>
    /// <returns>The groups.</returns>
    /// <exception cref="FleetGroupsException">The server does not have the extension, refuses, cannot serve now, or cannot be reached.</exception>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    public async Task<FleetGroupList> GetGroupsAsync(CancellationToken cancellationToken = default)
    {
        var request = new ClientRequest(HttpMethod.Get, FleetLockProtocol.GroupsPath);
        var (list, outcome) = await AskAsync(request, GroupJson.Default.FleetGroupList, IsComplete, "", cancellationToken).ConfigureAwait(false);
        return list is null
            ? throw new FleetGroupsException("The groups were not listed", Server, outcome, "")
            : new FleetGroupList([.. list.Groups.Select(group => group.At(Server.ToString()))]);
    }

    /// <summary>Shows one group. An extension, as <see cref="GetGroupsAsync"/>.</summary>
    /// <param name="group">The group.</param>
    /// <param name="cancellationToken">A token to cancel the operation.</param>
    /// <returns>The group.</returns>
    /// <exception cref="FleetLockInputException">The group breaks its rule. Nothing was sent.</exception>
    /// <exception cref="FleetGroupsException">The server has no such group or does not have the extension, refuses, cannot serve now, or cannot be reached.</exception>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    public async Task<FleetGroup> GetGroupAsync(string group, CancellationToken cancellationToken = default)
    {
        var request = new ClientRequest(HttpMethod.Get, GroupPath(group));
        var (shown, outcome) = await AskAsync(request, GroupJson.Default.FleetGroup, IsAnswer, "", cancellationToken).ConfigureAwait(false);
        return shown?.At(Server.ToString()) ?? throw new FleetGroupsException($"The group '{group}' was not shown", Server, outcome, "");

        bool IsAnswer(FleetGroup answer) => answer.IsComplete && answer.Group == group;
    }

    /// <summary>Changes a group's number of slots, until the server's configuration says another. No holder is lost. An extension, as <see cref="GetGroupsAsync"/>.</summary>
    /// <param name="group">The group.</param>
    /// <param name="slots">The number of slots, from 0.</param>
    /// <param name="cancellationToken">A token to cancel the operation. The outcome is then unknown.</param>
    /// <returns>The group as it is now.</returns>
    /// <exception cref="FleetLockInputException">The group or the number breaks its rule. Nothing was sent.</exception>
    /// <exception cref="FleetGroupsException">The server has no such group or does not have the extension, refuses, cannot serve now, or cannot be reached.</exception>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    public async Task<FleetGroup> ResizeAsync(string group, int slots, CancellationToken cancellationToken = default)
    {
        const string Unknown = "The slots may have been changed although no answer arrived: look, and ask again.";
        if (slots < 0)
            throw new FleetLockInputException("slots", $"The number of slots is {slots}; it takes 0 or more.");
        var request = ClientRequest.Change(HttpMethod.Put, GroupPath(group)) with
        {
            Body = JsonSerializer.SerializeToUtf8Bytes(new FleetGroupSlots(slots), GroupJson.Default.FleetGroupSlots),
        };
        var (shown, outcome) = await AskAsync(request, GroupJson.Default.FleetGroup, IsAnswer, Unknown, cancellationToken).ConfigureAwait(false);
        return shown?.At(Server.ToString()) ?? throw new FleetGroupsException($"The slots of group '{group}' were not changed", Server, outcome, Unknown);

        bool IsAnswer(FleetGroup answer) => answer.IsComplete && answer.Group == group;
    }

    /// <summary>
    /// Frees the slot of a machine that does not do it itself, because it is broken or gone. It may not know of it and go on as if it held the slot:
    /// be sure that it does not. An extension, as <see cref="GetGroupsAsync"/>.
    /// </summary>
    /// <param name="group">The group.</param>
    /// <param name="id">The node id that holds the slot.</param>
    /// <param name="reason">Why, for the server's log: 1 to 255 printable characters.</param>
    /// <param name="cancellationToken">A token to cancel the operation. The outcome is then unknown.</param>
    /// <returns>The result; <see cref="FleetLockStatus.Released"/> only if the server answered with the holder whose slot it freed, who is then in <see cref="FleetLockResult.Holder"/>.</returns>
    /// <exception cref="FleetLockInputException">The group, the id or the reason breaks its rule. Nothing was sent.</exception>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    public async Task<FleetLockResult> ForceReleaseAsync(string group, string id, string reason, CancellationToken cancellationToken = default)
    {
        var query = $"{FleetLockProtocol.IdParameter}={Uri.EscapeDataString(ProtocolRules.RequireId(id))}&{FleetLockProtocol.ReasonParameter}={Uri.EscapeDataString(ProtocolRules.RequireReason(reason))}";
        var request = ClientRequest.Change(HttpMethod.Delete, GroupPath(group, $"/{FleetLockProtocol.HoldersSegment}?{query}")) with { IsRepeatable = false };
        var started = _options.Clock.GetTimestamp();
        var (holder, outcome) = await AskAsync(request, GroupJson.Default.FleetHolder, answer => answer.Id == id, Advice.UnknownOutcome(FleetLockOperation.Unlock), cancellationToken).ConfigureAwait(false);
        return ResultOf(FleetLockOperation.Unlock, group, id, outcome, 1, started) with { Holder = holder is null ? null : holder with { Group = group, Server = Server.ToString() } };
    }

    /// <summary>
    /// Asks what a FleetLock server must refuse: a steady-state request without the protocol's header and without an id.
    /// It can change no slot.
    /// </summary>
    /// <param name="cancellationToken">A token to cancel the operation.</param>
    /// <returns>The outcome.</returns>
    internal Task<Outcome> ProbeAsync(CancellationToken cancellationToken) =>
        ExchangeAsync(FleetLockOperation.Unlock, NewRequest(FleetLockOperation.Unlock, "{}"u8.ToArray()), cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _servers.Dispose();

    private async Task<FleetLockResult> SendAsync(FleetLockOperation operation, string group, string id, string? grantId, TimeSpan hold, CancellationToken cancellationToken)
    {
        var body = WireFormat.WriteRequest(ProtocolRules.RequireGroup(group), ProtocolRules.RequireId(id));
        var started = _options.Clock.GetTimestamp();
        for (var attempt = 1; ; attempt++)
        {
            var request = NewRequest(operation, body) with { Headers = HeadersOf(grantId, hold) };
            var outcome = await ExchangeAsync(operation, request, cancellationToken, grantId).ConfigureAwait(false);
            if (outcome.LostRace && attempt < MaxRaces)
                continue;

            return ResultOf(operation, group, id, outcome, attempt, started);
        }
    }

    private FleetLockResult ResultOf(FleetLockOperation operation, string group, string id, Outcome outcome, int attempts, long started) => new()
    {
        Operation = operation,
        Status = outcome.Status,
        Group = group,
        Id = id,
        Server = (outcome.Server ?? Server).ToString(),
        Kind = outcome.Kind,
        Message = outcome.Message,
        HttpStatus = outcome.HttpStatus,
        RetryAfter = outcome.RetryAfter,
        OutcomeUnknown = outcome.OutcomeUnknown,
        ServerWaited = outcome.ServerWaited,
        GrantId = outcome.GrantId,
        IsNewGrant = outcome.IsNewGrant,
        SaysNotHeld = outcome.SaysNotHeld,
        Attempts = attempts,
        Elapsed = _options.Clock.GetElapsedTime(started),
        Time = _options.Clock.GetUtcNow(),
    };

    /// <summary>The path of a group of our extensions, which take no group that a path cannot carry.</summary>
    private static string GroupPath(string group, string rest = "") => CanNameInAddress(ProtocolRules.RequireGroup(group))
        ? $"{FleetLockProtocol.GroupsPath}/{group}{rest}"
        : throw new FleetLockInputException("group", $"The group '{group}' cannot be named in an address, where it means a folder.");

    /// <summary>Whether our extensions can be asked about a group.</summary>
    internal static bool CanNameInAddress(string group) => group is not ("." or "..");

    private List<(string Name, string Value)> HeadersOf(string? grantId, TimeSpan hold)
    {
        List<(string Name, string Value)> headers = [(FleetLockProtocol.Header, FleetLockProtocol.HeaderValue)];
        if (HoldSeconds(hold) is > 0 and var seconds)
            headers.Add((FleetLockProtocol.PreferHeader, FormattableString.Invariant($"{FleetLockProtocol.WaitPreference}={seconds}")));
        if (grantId is not null)
            headers.Add((FleetLockProtocol.GrantHeader, grantId));
        return headers;
    }

    private static ClientRequest NewRequest(FleetLockOperation operation, byte[] body) =>
        new(HttpMethod.Post, operation == FleetLockOperation.Lock ? FleetLockProtocol.PreRebootPath : FleetLockProtocol.SteadyStatePath) { Body = body };

    private Task<Outcome> ExchangeAsync(FleetLockOperation operation, ClientRequest request, CancellationToken cancellationToken, string? grantId = null) => _exchange.SendAsync(
        request,
        HttpCompletionOption.ResponseHeadersRead,
        async (response, token) =>
        {
            var outcome = await ReadOutcomeAsync(operation, response, token).ConfigureAwait(false);
            return grantId is null ? outcome : ResponseReader.ReadGrant(outcome, grantId, Values(response, FleetLockProtocol.GrantHeader), Values(response, FleetLockProtocol.GrantStatusHeader));
        },
        Advice.UnknownOutcome(operation),
        cancellationToken);

    /// <summary>Asks for something of our extensions: a value that is complete, or why there is none.</summary>
    private async Task<(T? Value, Outcome Outcome)> AskAsync<T>(ClientRequest request, JsonTypeInfo<T> type, Func<T, bool> isComplete, string unknown, CancellationToken cancellationToken)
        where T : class
    {
        T? value = null;
        var outcome = await _exchange.SendAsync(request, HttpCompletionOption.ResponseContentRead, ReadAsync, unknown, cancellationToken).ConfigureAwait(false);
        return (value, outcome);

        async Task<Outcome> ReadAsync(HttpResponseMessage response, CancellationToken token)
        {
            var answer = await ReadOutcomeAsync(FleetLockOperation.Unlock, response, token, hasValue: true).ConfigureAwait(false);
            if (answer.Status != FleetLockStatus.Released)
                return ExtensionAnswers.Read(answer);
            value = await ExtensionAnswers.ReadBodyAsync(response.Content, type, token).ConfigureAwait(false);
            if (value is not null && isComplete(value))
                return answer;
            value = null;
            return ExtensionAnswers.Malformed();
        }
    }

    /// <inheritdoc cref="ServerExchange.DescribeTimeout"/>
    internal string DescribeTimeout(TimeSpan limit) => ServerExchange.DescribeTimeout(Server, limit);

    private static bool IsComplete(FleetGroupList list) => list.Groups is { } groups && groups.All(group => group is { IsComplete: true });

    /// <param name="operation">What was asked.</param>
    /// <param name="response">The answer.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <param name="hasValue">Whether the body of a 200 is read afterwards, and has to be a value then.</param>
    private async Task<Outcome> ReadOutcomeAsync(
        FleetLockOperation operation, HttpResponseMessage response, CancellationToken cancellationToken, bool hasValue = false)
    {
        var status = (int)response.StatusCode;
        if (status == 200 && await ReadForeignAsync(response, hasValue, cancellationToken).ConfigureAwait(false) is { } foreign)
            return foreign;
        var body = status == 200
            ? ReadOnlyMemory<byte>.Empty
            : await BoundedBody.ReadAsync(response.Content, cancellationToken).ConfigureAwait(false);
        return ResponseReader.Read(operation, status, body, RetryAfterOf(response)) with
        {
            ServerWaited = HasWaited(response),
            Date = response.Headers.Date,
        };
    }

    /// <summary>Reads of a 200 what tells a web page from an answer.</summary>
    private async Task<Outcome?> ReadForeignAsync(HttpResponseMessage response, bool hasValue, CancellationToken cancellationToken)
    {
        var contentType = string.Join(",", ValuesOf(response.Content.Headers, "Content-Type"));
        var isEncoded = ValuesOf(response.Content.Headers, "Content-Encoding").Length > 0;
        if (ResponseReader.ReadForeign(contentType, isEncoded, null) is { } foreign)
            return foreign;
        if (hasValue || response.Content.Headers.ContentLength == 0)
            return null;

        using var limit = new Deadline(FirstCharacterLimit, _options.Clock, cancellationToken);
        try
        {
            return ResponseReader.ReadForeign(contentType, isEncoded, await BoundedBody.ReadFirstCharacterAsync(response.Content, limit.Token).ConfigureAwait(false));
        }
        catch (Exception e) when (ServerExchange.IsTransport(e) && limit.HasPassed && !cancellationToken.IsCancellationRequested)
        {
            return new Outcome(FleetLockStatus.TimedOut, ErrorKinds.ClientFailedRequest, ServerExchange.DescribeTimeout(Server, FirstCharacterLimit, 200))
            {
                HttpStatus = 200,
                OutcomeUnknown = true,
            };
        }
    }

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

    private static string[] Values(HttpResponseMessage response, string header) => ValuesOf(response.Headers, header);

    private static string[] ValuesOf(HttpHeaders headers, string name) => headers.TryGetValues(name, out var values) ? [.. values] : [];

    private TimeSpan? RetryAfterOf(HttpResponseMessage response)
    {
        var header = response.Headers.RetryAfter;
        var wait = header?.Delta ?? header?.Date - _options.Clock.GetUtcNow();
        return wait < TimeSpan.Zero ? TimeSpan.Zero : wait;
    }

}
