using System.Net;
using System.Text.Json;
using FleetLock.Server;

namespace FleetLock.Simulation;

/// <summary>A request of a client on its way, and what becomes of its connection.</summary>
internal sealed class SimulatedRequest
{
    private readonly TaskCompletionSource<HttpResponseMessage> _response;

    private SimulatedRequest(string id, string? grantId, TimeSpan wait, Operation kind, TaskCompletionSource<HttpResponseMessage> response)
    {
        Id = id;
        GrantId = grantId;
        Wait = wait;
        Kind = kind;
        _response = response;
    }

    internal enum Operation
    {
        Lock,
        Unlock,
        CancelGrant,
    }

    internal string Id { get; }

    internal string? GrantId { get; }

    internal TimeSpan Wait { get; }

    internal Operation Kind { get; }

    /// <summary>Set when the server has noticed that the client has disconnected.</summary>
    internal bool IsDisconnected { get; private set; }

    /// <summary>Whether its client has an answer, or does not wait for one any more.</summary>
    internal bool IsOver => _response.Task.IsCompleted;

    /// <summary>Called when the server notices that the client has disconnected.</summary>
    internal Action? Disconnected { get; set; }

    internal static async Task<SimulatedRequest> ReadAsync(HttpRequestMessage request, TaskCompletionSource<HttpResponseMessage> response)
    {
        var path = request.RequestUri!.AbsolutePath;
        if (request.Method == HttpMethod.Delete)
        {
            var query = request.RequestUri.Query.TrimStart('?').Split('&').Select(pair => pair.Split('=')).ToDictionary(pair => pair[0], pair => pair[1]);
            return new SimulatedRequest(query["id"], path[(path.LastIndexOf('/') + 1)..], TimeSpan.Zero, Operation.CancelGrant, response);
        }

        var body = await request.Content!.ReadAsByteArrayAsync();
        using var json = JsonDocument.Parse(body);
        var id = json.RootElement.GetProperty("client_params").GetProperty("id").GetString()!;
        if (path.EndsWith("steady-state", StringComparison.Ordinal))
            return new SimulatedRequest(id, null, TimeSpan.Zero, Operation.Unlock, response);
        var grantId = request.Headers.TryGetValues(FleetLockProtocol.GrantHeader, out var grants) ? grants.Single() : null;
        var wait = request.Headers.TryGetValues(FleetLockProtocol.PreferHeader, out var prefer) ? double.Parse(prefer.Single().Split('=')[1], null) : 0;
        return new SimulatedRequest(id, grantId, TimeSpan.FromSeconds(wait), Operation.Lock, response);
    }

    /// <summary>The requests that a proxy has sent for this one.</summary>
    internal List<SimulatedRequest> Repeats { get; } = [];

    /// <summary>The only one whose answer still reaches the client.</summary>
    internal SimulatedRequest Latest => Repeats.Count > 0 ? Repeats[^1] : this;

    /// <summary>The same request again, as a proxy may send it; nobody gets its answer.</summary>
    internal SimulatedRequest Repeat()
    {
        var repeat = new SimulatedRequest(Id, GrantId, Wait, Kind, new TaskCompletionSource<HttpResponseMessage>());
        Repeats.Add(repeat);
        return repeat;
    }

    internal string Describe(World world) => $"{Kind} {Id} {world.Name(GrantId)}";

    internal void Disconnect()
    {
        if (IsDisconnected)
            return;
        IsDisconnected = true;
        Disconnected?.Invoke();
    }

    internal void Answer(HttpResponseMessage response) => _response.TrySetResult(response);

    internal void Reset() => _response.TrySetException(new HttpRequestException(HttpRequestError.ResponseEnded, "the connection was cut"));

    internal static HttpResponseMessage Done(string? grantId = null, string? status = null)
    {
        var response = new HttpResponseMessage(HttpStatusCode.OK) { Content = new ByteArrayContent([]) };
        if (grantId is not null)
            response.Headers.Add(FleetLockProtocol.GrantHeader, grantId);
        if (status is not null)
            response.Headers.Add(FleetLockProtocol.GrantStatusHeader, status);
        return response;
    }

    internal static HttpResponseMessage Refused(ErrorReply error) =>
        new((HttpStatusCode)error.Status) { Content = new ByteArrayContent(WireFormat.WriteError(error.Kind, error.Value)) };
}
