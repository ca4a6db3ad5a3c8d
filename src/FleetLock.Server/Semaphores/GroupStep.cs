namespace FleetLock.Server;

/// <summary>
/// The server's decisions for one group as a pure function: a state and messages give the next state and effects. It collects the requests that have
/// queued up, decides them in order, saves once with compare-and-swap, and answers when that is durable. A conflict with another writer decides the same
/// batch again from the value that the store has instead.
/// </summary>
internal static class GroupStep
{
    /// <summary>Applies messages in their order.</summary>
    /// <param name="state">The state before.</param>
    /// <param name="messages">The messages.</param>
    /// <param name="now">The time.</param>
    /// <returns>The state after that, and what is to be done.</returns>
    internal static (GroupState State, GroupEffects Effects) Apply(GroupState state, IReadOnlyList<GroupMessage> messages, DateTimeOffset now)
    {
        var effects = new GroupEffects();
        foreach (var message in messages)
            state = Apply(state, message, effects);
        return (StartWork(state, effects, now), effects);
    }

    private static GroupState Apply(GroupState state, GroupMessage message, GroupEffects effects) => message switch
    {
        GroupMessage.Loaded loaded => Replay(state with { Known = loaded.Stored, IsForeign = true, Work = null }, effects),
        GroupMessage.Saved saved => ApplySaved(state, saved.Outcome, effects),
        GroupMessage.StoreFailed failed => ApplyFailure(state, failed.Error, effects),
        _ when state.Work is not null => state with { Deferred = state.Deferred.Add(message) },
        GroupMessage.RequestArrived arrived => ApplyRequest(state, arrived.Request, effects),
        GroupMessage.ClientDisconnected gone => Disconnect(state, gone.Request, effects),
        GroupMessage.WaitExpired expired => EndWait(state, expired.Request, state.EndedWaitReply, effects),
        GroupMessage.NotAllowed refused => EndWait(state, refused.Request, SlotReply.NotAllowed, effects),
        GroupMessage.StoreChanged => state.Waiting.Count == 0
            ? state
            : state with { Known = null, WasRestored = state.Known?.IsRestored ?? state.WasRestored, MayServe = true },
        GroupMessage.StopWaiting => DropAll(state, effects),
        _ => throw new ArgumentOutOfRangeException(nameof(message), message, "Unknown message."),
    };

    private static GroupState ApplyRequest(GroupState state, SlotRequest request, GroupEffects effects)
    {
        state = state with { Pending = state.Pending.Add(request) };
        switch (request)
        {
            // The node reports that it needs no slot. A wait that began earlier must not take one.
            case UnlockRequest:
                var waiting = state.Waiting.Remove(request.Id, out var ended);
                foreach (var waiter in ended)
                    Answer(state, waiter, state.EndedWaitReply, effects);
                return ReferenceEquals(waiting, state.Waiting) ? state : state with { Waiting = waiting };
            case ConfigureRequest { Slots: null }:
                foreach (var waiter in state.Waiting.Waiters.SelectMany(waiter => waiter.Requests))
                    Answer(state, waiter, SlotReply.UnknownGroup, effects);
                return state with { Waiting = WaitingQueue.Empty, ConfiguredSlots = null };
            case ConfigureRequest configure:
                return state with { ConfiguredSlots = configure.Slots, MustConfigure = true };
            default:
                return state;
        }
    }

    private static GroupState ApplySaved(GroupState state, SaveOutcome outcome, GroupEffects effects)
    {
        var save = (StoreWork.Save)state.Work!;
        state = state with { Known = outcome.Current, IsForeign = !outcome.IsSaved, Work = null };
        if (!outcome.IsSaved)
        {
            effects.HasConflict = true;
            state = RemoveDisconnected(state with { Pending = save.Batch, MayServe = true }, effects);

            // With nothing to decide again there may be no other save, after which the messages that have arrived meanwhile would have their turn.
            return state.Pending.IsEmpty ? Replay(state, effects) : state;
        }

        effects.Answers.AddRange(save.Decision.Answers);
        effects.Waits.AddRange(save.Decision.Joined);
        return Replay(state with { Waiting = save.Decision.Waiting, MustConfigure = false }, effects);
    }

    private static GroupState ApplyFailure(GroupState state, Exception error, GroupEffects effects)
    {
        // What the store has now is unknown. Whatever the error, the clients are told, and the group goes on.
        effects.Error = error;
        if (state.Work is StoreWork.Save unsettled && error is not SemaphoreStoreException { MayHaveSaved: false })
        {
            var changes = unsettled.Decision.Answers.Where(answer => !answer.Decision.Reply.IsRefusal());
            effects.Unsettled.UnionWith(changes.Select(answer => answer.Request));
        }

        effects.Failed.AddRange(state.Work is StoreWork.Save save ? save.Batch : state.Pending);
        effects.Failed.AddRange(state.Waiting.Waiters.SelectMany(waiter => waiter.Requests));
        return Replay(
            state with { Known = null, Pending = [], Waiting = WaitingQueue.Empty, MayServe = false, Work = null },
            effects);
    }

    private static GroupState Replay(GroupState state, GroupEffects effects)
    {
        var deferred = state.Deferred;
        state = state with { Deferred = [] };
        foreach (var message in deferred)
            state = Apply(state, message, effects);
        return state;
    }

    /// <summary>After a conflict, a lock whose client has disconnected is not decided again. An unlock is.</summary>
    private static GroupState RemoveDisconnected(GroupState state, GroupEffects effects)
    {
        // The message stays: its request may have arrived during the save too, and be replayed before it.
        foreach (var message in state.Deferred)
        {
            if (message is GroupMessage.ClientDisconnected gone)
                state = Disconnect(state, gone.Request, effects);
        }

        return state;
    }

    /// <summary>A lock that is not decided yet ends with its client. Any other request is carried out once it is read.</summary>
    private static GroupState Disconnect(GroupState state, SlotRequest request, GroupEffects effects)
    {
        if (request is not LockRequest @lock)
            return state;
        var next = Remove(state, @lock);
        if (!ReferenceEquals(next, state))
            effects.Dropped.Add(request);
        return next;
    }

    private static GroupState EndWait(GroupState state, LockRequest request, SlotReply reply, GroupEffects effects)
    {
        var next = Remove(state, request);
        if (!ReferenceEquals(next, state))
            Answer(state, request, reply, effects);
        return next;
    }

    /// <summary>Removes a lock request that is not decided yet; the same state when it was decided already.</summary>
    private static GroupState Remove(GroupState state, LockRequest request)
    {
        var waiting = state.Waiting.Remove(request.Id, waiter => ReferenceEquals(waiter, request), out var removed);
        if (!removed.IsEmpty)
            return state with { Waiting = waiting };
        var pending = state.Pending.Remove(request);
        return ReferenceEquals(pending, state.Pending) ? state : state with { Pending = pending };
    }

    private static GroupState DropAll(GroupState state, GroupEffects effects)
    {
        effects.Dropped.AddRange(state.Waiting.Waiters.SelectMany(waiter => waiter.Requests));
        return state with { Waiting = WaitingQueue.Empty, IsStopping = true };
    }

    private static void Answer(GroupState state, LockRequest request, SlotReply reply, GroupEffects effects) =>
        effects.Answers.Add((request, new SlotDecision(reply, state.Known?.Semaphore.Slots ?? state.ConfiguredSlots ?? 0, null)));

    private static GroupState StartWork(GroupState state, GroupEffects effects, DateTimeOffset now)
    {
        if (state.Work is not null || (state.Pending.IsEmpty && !state.MayServe))
            return state;
        if (state.Known is not { } known)
            return state with { Work = effects.Work = new StoreWork.Load() };

        var decision = BatchDecision.Decide(known.Semaphore, state.Waiting, state.Pending, new BatchConditions
        {
            Now = now,
            ConfiguredSlots = state.ConfiguredSlots,
            MustConfigure = state.MustConfigure,
            IsRestored = known.IsRestored,
            IsStopping = state.IsStopping,
            IsForeign = state.IsForeign,
            RecordsRenewals = state.RecordsRenewals,
        });
        var save = new StoreWork.Save(known, state.Pending, decision);
        state = state with { Pending = [], MayServe = false };
        if (save.Batch.IsEmpty && decision.Answers.Count == 0 && ReferenceEquals(decision.Semaphore, known.Semaphore))
            return state with { IsForeign = false };
        return state with { Work = effects.Work = save };
    }
}
