namespace FleetLock.Simulation;

/// <summary>A machine's network: it delays, drops, repeats and cuts. When the machine crashes, its connections end.</summary>
internal sealed class SimulatedNetwork(World world, IReadOnlyList<SimulatedServer> servers) : HttpMessageHandler
{
    private readonly List<SimulatedRequest> _open = [];
    private bool _isCrashed;

    /// <summary>Ends all connections; nothing is answered any more.</summary>
    internal void Crash()
    {
        _isCrashed = true;
        foreach (var request in _open.ToArray())
            world.Time.After(world.Between(0, 1), request.Disconnect);
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = new TaskCompletionSource<HttpResponseMessage>();
        var sent = await SimulatedRequest.ReadAsync(request, response);
        var server = servers[int.Parse(request.RequestUri!.Host.AsSpan(1), null)];
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
            return;
        world.Time.After(world.Latency(), () => Arrive(server, request));
        if (world.Happens(world.Faults.RepeatRequest))
            world.Time.After(world.Between(0, 4), () => Repeat(server, request));
        if (world.Happens(world.Faults.CutConnection))
            world.Time.After(world.Between(0, 2), () => Cut(request));
    }

    /// <summary>A proxy whose connection broke sends the request again: the first answer is lost, and the second one goes to the client.</summary>
    private void Repeat(SimulatedServer server, SimulatedRequest request)
    {
        if (!request.IsOver && !request.HasResponse)
            server.Receive(request.Repeat(), response => Return(request, response));
    }

    private void Arrive(SimulatedServer server, SimulatedRequest request)
    {
        // Nobody sends what is over: the answer to a repeat may have come first.
        if (_isCrashed || request.IsDisconnected || request.IsOver)
            return;
        if (!server.Receive(request, ReturnUnlessRepeated))
            request.Reset();

        void ReturnUnlessRepeated(HttpResponseMessage response)
        {
            if (request.Repeats.Count > 0)
                return;
            request.HasResponse = true;
            Return(request, response);
        }
    }

    /// <summary>The answer has left the server: whether it arrives or not, it counts as delivered there.</summary>
    private void Return(SimulatedRequest request, HttpResponseMessage response)
    {
        if (!world.Happens(world.Faults.DropResponse))
        {
            world.Time.After(world.Latency(), () =>
            {
                if (!_isCrashed)
                    request.Answer(response);
            });
        }
    }

    private void Cut(SimulatedRequest request)
    {
        world.Time.After(world.Latency(), request.Disconnect);
        if (!_isCrashed)
            request.Reset();
    }
}
