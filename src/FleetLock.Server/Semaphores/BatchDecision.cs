namespace FleetLock.Server;

/// <summary>What the decision of a batch depends on besides the semaphore and the waiting queue.</summary>
internal readonly record struct BatchConditions
{
    internal required DateTimeOffset Now { get; init; }

    /// <summary>The configured number of slots; <see langword="null"/> when the group is not configured.</summary>
    internal required int? ConfiguredSlots { get; init; }

    /// <summary>Whether the store does not have the configured number yet.</summary>
    internal bool MustConfigure { get; init; }

    /// <summary>Whether the store went back to an earlier state, which no administrator has confirmed: nothing is granted then.</summary>
    internal bool IsRestored { get; init; }

    /// <summary>Whether nobody may begin to wait, because the server is stopping.</summary>
    internal bool IsStopping { get; init; }

    /// <summary>Whether another writer may have granted a slot to an id that waits here.</summary>
    internal bool IsForeign { get; init; }

    /// <summary>Whether every writer of the store records repeated grants.</summary>
    internal bool RecordsRenewals { get; init; }
}

/// <summary>A decided batch: pure, so that a conflict decides the same batch again from another semaphore.</summary>
/// <remarks>
/// Requests take effect one after the other, and after each the free slots go to the waiters in their order. So a slot that becomes free goes to the
/// first waiter in the very save that frees it, and a client that polls finds it free only when nobody waits.
/// </remarks>
internal sealed class BatchDecision
{
    private readonly BatchConditions _conditions;

    private BatchDecision(GroupSemaphore semaphore, WaitingQueue waiting, BatchConditions conditions)
    {
        Semaphore = semaphore;
        Waiting = waiting;
        _conditions = conditions;
    }

    /// <summary>The semaphore to save.</summary>
    internal GroupSemaphore Semaphore { get; private set; }

    /// <summary>The waiting queue, once that is saved.</summary>
    internal WaitingQueue Waiting { get; private set; }

    /// <summary>The answers, to be given once that is saved.</summary>
    internal List<(SlotRequest Request, SlotDecision Decision)> Answers { get; } = [];

    /// <summary>The requests of the batch that wait.</summary>
    internal HashSet<LockRequest> Joined { get; } = [];

    /// <summary>
    /// Whether a save must write even if the semaphore is unchanged. An unlock that finds nothing is a fence: a transaction that was sent earlier, and
    /// would grant after the unlock was answered, must fail. So is a lock that finds its slot held: a release that was sent earlier must fail.
    /// </summary>
    internal bool MustWrite { get; private set; }

    internal static BatchDecision Decide(GroupSemaphore semaphore, WaitingQueue waiting, IReadOnlyList<SlotRequest> batch, in BatchConditions conditions)
    {
        var decision = new BatchDecision(semaphore, waiting, conditions);
        decision.Configure();
        if (conditions.IsForeign)
        {
            decision.AnswerHolders();
            decision.AnswerCancelled();
        }

        decision.Serve();
        foreach (var request in batch)
        {
            decision.Apply(request);
            decision.Serve();
        }

        return decision;
    }

    private void Configure()
    {
        // Once, or an operator's change would not last; and where there is no trace of it, because the stored value is new or airlock's.
        if (_conditions.ConfiguredSlots is { } slots && (_conditions.MustConfigure || Semaphore.Configured is null))
            Semaphore = Semaphore.Configure(slots);
    }

    /// <summary>Waiters that hold a slot already, by another server's grant, need none of the free ones.</summary>
    private void AnswerHolders()
    {
        if (_conditions.IsRestored)
            return;
        foreach (var waiter in Waiting.Waiters)
        {
            if (Semaphore.Holders.ContainsKey(waiter.Id))
                Answer(waiter);
        }
    }

    /// <summary>Waiters whose grant was cancelled at another server wait for nothing, as if they had been cancelled here.</summary>
    private void AnswerCancelled()
    {
        if (_conditions.IsRestored || Waiting.First is null)
            return;
        foreach (var grant in Semaphore.Cancelled.Where(grant => grant.Until > _conditions.Now))
        {
            Waiting = Waiting.Remove(grant.Id, waiting => waiting.GrantId == grant.GrantId, out var cancelled);
            cancelled.ForEach(waiting => Answer(waiting, SlotReply.GrantCancelled));
        }
    }

    private void Serve()
    {
        while (Semaphore.Free > 0 && !_conditions.IsRestored && Waiting.First is { } waiter)
            Answer(waiter);
    }

    private void Answer(Waiter waiter)
    {
        Waiting = Waiting.Remove(waiter.Id, out var requests);
        foreach (var request in requests)
            Answer(request, Lock(request));
    }

    private void Apply(SlotRequest request)
    {
        switch (request)
        {
            case LockRequest @lock:
                ApplyLock(@lock);
                break;
            case UnlockRequest:
                Waiting = Waiting.Remove(request.Id, out var ended);
                ended.ForEach(waiting => Answer(waiting, _conditions.IsRestored ? SlotReply.StoreRestored : SlotReply.Full));
                var unlocked = Semaphore.Unlock(request.Id);
                MustWrite |= unlocked.Reply == SlotReply.NotHeld;
                ApplyRelease(request, unlocked);
                break;
            case CancelGrantRequest cancel:
                Waiting = Waiting.Remove(cancel.Id, waiting => waiting.GrantId == cancel.GrantId, out var cancelled);
                cancelled.ForEach(waiting => Answer(waiting, SlotReply.GrantCancelled));
                ApplyRelease(request, Semaphore.CancelGrant(cancel.Id, cancel.GrantId, _conditions.Now));
                break;
            // Where somebody may have been granted the slot again without a trace, the grant stands.
            case RevokeRequest when !_conditions.RecordsRenewals:
                Answer(request, SlotReply.NotHeld);
                break;
            case RevokeRequest revoke:
                ApplyRelease(request, Semaphore.Revoke(revoke.Id, revoke.GrantId, revoke.Renewals));
                break;
            case ResizeRequest resize:
                Semaphore = Semaphore.WithSlots(resize.Slots);
                Answer(request, SlotReply.Resized);
                break;
            case ConfigureRequest:
                Answer(request, SlotReply.Resized);
                break;
        }
    }

    private void ApplyLock(LockRequest request)
    {
        var reply = Lock(request);
        if (reply == SlotReply.Full && request.Wait > TimeSpan.Zero && !_conditions.IsStopping)
        {
            Waiting = Waiting.Join(request);
            Joined.Add(request);
            return;
        }

        Answer(request, reply);
    }

    private SlotReply Lock(LockRequest request)
    {
        if (_conditions.ConfiguredSlots is null)
            return SlotReply.UnknownGroup;
        if (_conditions.IsRestored)
            return SlotReply.StoreRestored;
        var (next, reply) = Semaphore.Lock(request.Id, request.GrantId, request.From, _conditions.Now, _conditions.RecordsRenewals);
        MustWrite |= ReferenceEquals(next, Semaphore) && reply is (SlotReply.Renewed or SlotReply.AlreadyHeld);
        Semaphore = next;
        return reply;
    }

    private void ApplyRelease(SlotRequest request, (GroupSemaphore Next, SlotReply Reply) release)
    {
        var holder = Semaphore.Holders.GetValueOrDefault(request.Id);
        Semaphore = release.Next;
        Answers.Add((request, new SlotDecision(release.Reply, Semaphore.Slots, holder)));
    }

    private void Answer(SlotRequest request, SlotReply reply)
    {
        if (request is LockRequest waited)
            Joined.Remove(waited);
        Answers.Add((request, new SlotDecision(reply, Semaphore.Slots, Semaphore.Holders.GetValueOrDefault(request.Id))));
    }
}
