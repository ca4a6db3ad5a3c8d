namespace FleetLock.Simulation;

/// <summary>A machine's network: it delays, drops, repeats and cuts. When the machine crashes, its connections end.</summary>
internal sealed class SimulatedNetwork(World world, IReadOnlyList<SimulatedServer> servers) : HttpMessageHandler
{
    private readonly List<SimulatedRequest> _open = [];

    /// <summary>Whether its client knows nothing of grants.</summary>
    internal bool HidesGrants { get; init; }

    private bool _isCrashed;

    /// <summary>Ends all connections; nothing is answered any more.</summary>
    internal void Crash()
    {
        _isCrashed = true;
        foreach (var request in _open.ToArray())
            world.Time.After(world.Between(0, 1), () => request.Latest.Disconnect());
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = new TaskCompletionSource<HttpResponseMessage>();
        if (HidesGrants)
            request.Headers.Remove(FleetLockProtocol.GrantHeader);
        var sent = await SimulatedRequest.ReadAsync(request, response);
        var server = servers[world.IsBalanced ? world.Random.Next(servers.Count) : int.Parse(request.RequestUri!.Host.AsSpan(1), null)];
        if (!_isCrashed)
        {
            _open.Add(sent);
            Send(server, sent);
        }

        using var cancelled = cancellationToken.Register(() =>
        {
            world.Time.After(world.Latency(), sent.Disconnect);
            response.TrySetCanceled(cancellationToken);
        });
        try
        {
            return await response.Task;
        }
        finally
        {
            _open.Remove(sent);
            foreach (var repeat in sent.Repeats)
                world.Time.After(world.Latency(), repeat.Disconnect);
        }
    }

    private void Send(SimulatedServer server, SimulatedRequest request)
    {
        if (world.Happens(world.Faults.DropRequest))
        {
            world.Trace($"the network loses {request.Describe(world)}");
            return;
        }

        world.Time.After(world.Latency(), () => Arrive(server, request, request));
        if (world.Happens(world.Faults.RepeatRequest))
            world.Time.After(world.Between(0, 4), () => Repeat(request));
        if (world.Happens(world.Faults.CutConnection))
            world.Time.After(world.Between(0, 2), () => Cut(request));
    }

    /// <summary>
    /// A proxy whose connection broke sends the request to the same or another server: an answer to the first one is lost, and the second one goes to the
    /// client. The server learns of the end of the first connection before the repeat arrives. For a client that it knows to be gone it sends nothing.
    /// </summary>
    private void Repeat(SimulatedRequest request)
    {
        if (request.IsOver || (_isCrashed && request.Latest.IsDisconnected))
            return;
        var server = servers[world.Random.Next(servers.Count)];
        world.Trace($"a proxy repeats {request.Describe(world)}");
        request.Disconnect();
        var repeat = request.Repeat();
        world.Time.After(world.Latency(), () => Arrive(server, request, repeat));
    }

    /// <param name="server">The server.</param>
    /// <param name="request">The request of the client.</param>
    /// <param name="sent">The same, or a proxy's repeat of it.</param>
    private void Arrive(SimulatedServer server, SimulatedRequest request, SimulatedRequest sent)
    {
        // When the connection has ended meanwhile, what was sent on it is lost, or arrives together with its end.
        if (sent.IsDisconnected && world.Random.Next(2) == 0)
            return;
        if (!server.Receive(sent, response => Return(request, sent, response)) && ReferenceEquals(sent, request.Latest))
            request.Reset();
    }

    /// <summary>The answer has left the server: whether it arrives or not, it counts as delivered there.</summary>
    private void Return(SimulatedRequest request, SimulatedRequest sent, HttpResponseMessage response)
    {
        world.Trace($"{request.Describe(world)} is answered {response.StatusCode}");
        if (!world.Happens(world.Faults.DropResponse))
        {
            world.Time.After(world.Latency(), () =>
            {
                if (!_isCrashed && ReferenceEquals(sent, request.Latest))
                    request.Answer(response);
            });
        }
    }

    private void Cut(SimulatedRequest request)
    {
        world.Trace($"the network cuts the connection of {request.Describe(world)}");
        world.Time.After(world.Latency(), request.Disconnect);
        if (!_isCrashed)
            request.Reset();
    }
}
