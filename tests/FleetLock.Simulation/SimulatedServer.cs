using FleetLock.Server;

namespace FleetLock.Simulation;

/// <summary>A server process: the real step in a shell on simulated time. It may be killed at any point, and starts again.</summary>
internal sealed class SimulatedServer(World world, SimulatedStore store, string name)
{
    /// <summary>How long a server that stops may take to answer.</summary>
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(10);

    private readonly Dictionary<SlotRequest, PendingAnswer> _answers = [];
    private GroupState? _state;
    private int _life;

    // What the configuration says, and whether the group has left it for good: that counts from the end of the reload on.
    private int? _configured;
    private bool _isConfigured;

    private bool _isRechecking;
    private bool _isStopping;

    internal string Name => name;

    /// <summary>The highest sequence number of the store that this process has seen.</summary>
    internal long HighestSequence { get; set; }

    /// <summary>The revision that the last save with an unknown outcome compared.</summary>
    internal (bool IsPossible, object? Compared) Unsettled { get; set; }

    internal bool IsUp => _state is not null;

    /// <summary>Whether a request has neither been answered nor dropped.</summary>
    internal bool HasRequests => _answers.Count > 0;

    internal void Start()
    {
        if (IsUp)
            return;
        world.Trace($"{name} starts");
        _life++;
        HighestSequence = 0;
        _isStopping = false;
        Unsettled = default;
        _state = new GroupState { RecordsRenewals = !store.IsEtcd };
        Configure(world.Slots);
        LookEverySecond(_life);
    }

    /// <summary>It is killed, and started again later.</summary>
    internal void Crash()
    {
        if (!IsUp)
            return;
        world.Trace($"{name} is killed");
        Kill();
        world.Time.After(world.Between(0.1, 20), Start);
    }

    /// <summary>It stops in an orderly way: it listens no more, ends all waits, and answers what it has read.</summary>
    internal void Restart()
    {
        if (!IsUp)
            return;
        world.Trace($"{name} stops");
        _isStopping = true;
        Post(new GroupMessage.StopWaiting());
        var life = _life;
        var end = world.Time.Now + StopTimeout;
        EndWhenAnswered();

        void EndWhenAnswered()
        {
            if (life != _life)
                return;
            if (_answers.Count == 0 || world.Time.Now > end)
            {
                Kill();
                world.Time.After(world.Between(0.1, 5), Start);
                return;
            }

            world.Time.After(TimeSpan.FromSeconds(0.1), EndWhenAnswered);
        }
    }

    /// <summary>Credentials have changed: the clients that wait now may not lock any more.</summary>
    internal void EndWaits()
    {
        world.Trace($"{name} ends the waits of clients that are not allowed to lock any more");
        foreach (var request in _answers.Keys.OfType<LockRequest>().ToArray())
            Post(new GroupMessage.NotAllowed(request));
    }

    private void Kill()
    {
        _life++;
        _state = null;
        foreach (var answer in _answers.Values)
        {
            Excuse(answer);
            world.Time.After(world.Latency(), answer.Request.Reset);
        }

        _answers.Clear();
    }

    /// <summary>A reload of the configuration, with or without the group.</summary>
    internal void Configure(int? slots)
    {
        _configured = slots;
        _isConfigured |= slots is not null;
        Post(new GroupMessage.RequestArrived(new ConfigureRequest(slots)));
    }

    /// <returns>False when nobody listens.</returns>
    internal bool Receive(SimulatedRequest received, Action<HttpResponseMessage> respond)
    {
        if (_state is null || _isStopping)
            return false;
        SlotRequest request = received.Kind switch
        {
            SimulatedRequest.Operation.Lock =>
                new LockRequest(received.Id, received.GrantId ?? GrantId.Create(), "10.0.0.1", received.Wait),
            SimulatedRequest.Operation.Unlock => new UnlockRequest(received.Id),
            _ => new CancelGrantRequest(received.Id, received.GrantId!),
        };
        world.Trace($"{name} receives {received.Kind} {received.Id} {world.Name(received.GrantId)}");
        _answers[request] = new PendingAnswer(
            received, respond, request is LockRequest ? null : world.Judge.Read(received.Id, received.GrantId, name));
        Post(new GroupMessage.RequestArrived(request));
        var life = _life;
        received.Disconnected = () =>
        {
            world.Trace($"{name} finds that the client of {received.Kind} {received.Id} {world.Name(received.GrantId)} has disconnected");
            if (life == _life && _answers.ContainsKey(request))
                Post(new GroupMessage.ClientDisconnected(request));
        };
        if (received.IsDisconnected)
            received.Disconnected();
        return true;
    }

    private void Post(GroupMessage message)
    {
        if (_state is null)
            return;
        (_state, var effects) = GroupStep.Apply(_state, [message], world.Time.GetUtcNow());
        foreach (var (request, decision) in effects.Answers)
            Answer(request, decision);
        foreach (var request in effects.Dropped)
            Respond(request, SimulatedRequest.Refused(ErrorReply.ShuttingDown()));
        foreach (var request in effects.Failed)
            Fail(request, effects.Unsettled.Contains(request));
        foreach (var request in effects.Waits)
            StartWait(request);
        if (effects.Work is { } work)
            Run(work);
        Recheck();
    }

    private void Run(StoreWork work)
    {
        var life = _life;
        var isConfigured = _isConfigured;
        if (work is not StoreWork.Save save)
        {
            store.Load(this, Report);
            return;
        }

        if (!isConfigured && save.Decision.Semaphore.Holders.Keys.Any(id => !save.Seen.Semaphore.Holders.ContainsKey(id)))
            world.Judge.GrantedUnconfigured(name);
        store.Save(this, save, Report);

        void Report(GroupMessage report)
        {
            if (life == _life)
                Post(report);
        }
    }

    private void StartWait(LockRequest request)
    {
        var life = _life;
        world.Time.After(request.Wait, () =>
        {
            if (life == _life)
                Post(new GroupMessage.WaitExpired(request));
        });
    }

    private void Recheck()
    {
        if (_isRechecking || _state is not { Waiting.Count: > 0 })
            return;
        _isRechecking = true;
        var life = _life;
        world.Time.After(TimeSpan.FromSeconds(1), () =>
        {
            _isRechecking = false;
            if (life == _life)
                Post(new GroupMessage.StoreChanged());
        });
    }

    private void LookEverySecond(int life)
    {
        if (life != _life)
            return;
        store.Look(this);
        world.Time.After(TimeSpan.FromSeconds(1), () => LookEverySecond(life));
    }

    private void Answer(SlotRequest request, SlotDecision decision)
    {
        if (request is LockRequest @lock)
            AnswerLock(@lock, decision);
        else if (request is CancelGrantRequest cancel)
            AnswerCancel(cancel, decision);
        else if (request is ConfigureRequest)
            _isConfigured = _configured is not null;
        else if (request is UnlockRequest)
            RespondReleased(request, SimulatedRequest.Done());
        else if (request is RevokeRequest && decision.Reply != SlotReply.Released)
            world.Judge.Report(request.Id);
    }

    private void AnswerCancel(CancelGrantRequest request, SlotDecision decision)
    {
        // As GrantsEndpoint does: a slot that stays held may be without an owner.
        if (decision.Reply == SlotReply.Kept)
            world.Judge.Report(request.Id);
        RespondReleased(request, SimulatedRequest.Done(request.GrantId, Outcome(decision.Reply)));
    }

    private void AnswerLock(LockRequest request, SlotDecision decision)
    {
        if (decision.Reply == SlotReply.Granted && _answers[request].Request.IsDisconnected)
        {
            // As ProtocolEndpoint does: nobody was told of this grant.
            _answers.Remove(request);
            Post(new GroupMessage.RequestArrived(new RevokeRequest(request.Id, decision.Holder!.GrantId!, decision.Holder.Renewals)));
            return;
        }

        Respond(request, decision.Reply switch
        {
            SlotReply.Granted or SlotReply.Renewed => SimulatedRequest.Done(decision.Holder!.GrantId, FleetLockProtocol.GrantNew),
            SlotReply.AlreadyHeld => SimulatedRequest.Done(decision.Holder!.GrantId, FleetLockProtocol.GrantHeld),
            SlotReply.GrantCancelled => SimulatedRequest.Refused(ErrorReply.GrantCancelled()),
            SlotReply.StoreRestored => SimulatedRequest.Refused(ErrorReply.StoreRestored()),
            SlotReply.NotAllowed => SimulatedRequest.Refused(ErrorReply.Forbidden("the credentials of this server have changed")),
            SlotReply.UnknownGroup => SimulatedRequest.Refused(ErrorReply.UnknownGroup(World.Group)),
            _ => SimulatedRequest.Refused(ErrorReply.Full(decision.Slots)),
        });
    }

    private void Fail(SlotRequest request, bool isOutcomeUnknown)
    {
        if (_answers.TryGetValue(request, out var answer))
            Excuse(answer);

        // As ProtocolEndpoint does: a grant that was not delivered, and may not be revoked, or whose outcome nobody is told of.
        if (request is RevokeRequest || (request is LockRequest && answer is { Request.IsDisconnected: true }))
            world.Judge.Report(request.Id);
        Respond(request, SimulatedRequest.Refused(ErrorReply.StoreUnavailable(isOutcomeUnknown)));
    }

    private void Excuse(PendingAnswer answer)
    {
        if (answer.Release is { } release)
            world.Judge.Excuse(release);
    }

    private void RespondReleased(SlotRequest request, HttpResponseMessage response)
    {
        if (_answers.TryGetValue(request, out var answer))
            world.Judge.Answered(answer.Release!);
        Respond(request, response);
    }

    private void Respond(SlotRequest request, HttpResponseMessage response)
    {
        if (_answers.Remove(request, out var answer))
            answer.Respond(response);
    }

    private static string Outcome(SlotReply reply) => reply switch
    {
        SlotReply.Released => FleetLockProtocol.GrantReleased,
        SlotReply.Kept => FleetLockProtocol.GrantKept,
        _ => FleetLockProtocol.GrantAbsent,
    };

    private sealed record PendingAnswer(SimulatedRequest Request, Action<HttpResponseMessage> Respond, ReadRelease? Release);
}
