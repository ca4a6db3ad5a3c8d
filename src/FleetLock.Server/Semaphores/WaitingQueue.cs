namespace FleetLock.Server;

/// <summary>
/// The lock requests of a group that wait for a slot, first come first served; an id has one place, however often it asks. Serving is a try
/// until <see cref="CompleteServed"/>: after a conflict it begins anew with <see cref="Rewind"/>. Used by the group's coordinator alone.
/// </summary>
internal sealed class WaitingQueue
{
    private readonly LinkedList<Place> _places = new();
    private readonly Dictionary<string, LinkedListNode<Place>> _byId = new(StringComparer.Ordinal);

    // The first place that has not been served since the last rewind.
    private LinkedListNode<Place>? _next;
    private int _try;

    /// <summary>How many ids wait. It may be read on any thread.</summary>
    internal int Count => _places.Count;

    /// <summary>Gives a request the last place, or lets it share the place that its id has.</summary>
    /// <returns>False when its id's place was served in this very try, and the slot is released again already: the request does not wait then.</returns>
    internal bool TryJoin(SlotRequest request)
    {
        if (_byId.TryGetValue(request.Id, out var place) && place.Value.ServedIn == _try)
            return false;
        if (place is null)
        {
            _byId[request.Id] = place = _places.AddLast(new Place(request.Id));
            _next ??= place;
        }

        place.Value.Requests.Add(request);
        request.IsWaiting = true;
        return true;
    }

    /// <summary>Takes a request out.</summary>
    /// <returns>False when it is not in the queue any more.</returns>
    internal bool Leave(SlotRequest request)
    {
        if (!_byId.TryGetValue(request.Id, out var place) || !place.Value.Requests.Remove(request))
            return false;
        request.IsWaiting = false;
        if (place.Value.Requests.Count == 0)
            Remove(place);
        return true;
    }

    /// <summary>Takes an id's place out, unless this try has served it: its node has said that it needs no slot, and a wait of before is not to take one.</summary>
    /// <returns>Who was there; "full" is their answer.</returns>
    internal IReadOnlyList<SlotRequest> Withdraw(string id)
    {
        if (!_byId.TryGetValue(id, out var place) || place.Value.ServedIn == _try)
            return [];
        Remove(place);
        foreach (var request in place.Value.Requests)
        {
            request.IsWaiting = false;
            request.Refuse();
        }

        return place.Value.Requests;
    }

    /// <summary>Puts those first who hold a slot already, by another server's grant: they need none of the free ones.</summary>
    internal void PutHoldersFirst(GroupSemaphore semaphore)
    {
        if (_places.Count == 0)
            return;
        foreach (var id in semaphore.Holders.Keys)
        {
            if (!_byId.TryGetValue(id, out var place))
                continue;
            _places.Remove(place);
            _places.AddFirst(place);
        }
    }

    /// <summary>Begins a try anew.</summary>
    internal void Rewind()
    {
        _next = _places.First;
        _try++;
    }

    /// <summary>Gives the free slots to those who come first.</summary>
    /// <returns>The semaphore after that.</returns>
    internal GroupSemaphore Serve(GroupSemaphore semaphore, DateTimeOffset time)
    {
        for (; _next is not null && (semaphore.Free > 0 || semaphore.Holders.ContainsKey(_next.Value.Id)); _next = _next.Next)
        {
            var place = _next.Value;
            place.ServedIn = _try;
            place.Answered.Clear();
            foreach (var request in place.Requests)
            {
                if (request.HasGone)
                    continue;
                semaphore = request.Apply(semaphore, time);
                place.Answered.Add(request);
            }
        }

        return semaphore;
    }

    /// <summary>Answers the places that were served, now that this is saved, and those of whom nobody is left.</summary>
    internal void CompleteServed()
    {
        while (_places.First is { } place && place != _next)
        {
            Remove(place);
            foreach (var request in place.Value.Requests)
            {
                if (place.Value.Answered.Contains(request))
                    request.Complete();
                else
                    request.Cancel();
            }
        }
    }

    /// <summary>Empties the queue.</summary>
    /// <returns>Who was in it.</returns>
    internal List<SlotRequest> TakeAll()
    {
        var all = new List<SlotRequest>();
        foreach (var place in _places)
            all.AddRange(place.Requests);
        _places.Clear();
        _byId.Clear();
        _next = null;
        return all;
    }

    private void Remove(LinkedListNode<Place> place)
    {
        if (_next == place)
            _next = place.Next;
        _places.Remove(place);
        _byId.Remove(place.Value.Id);
    }

    private sealed class Place(string id)
    {
        internal string Id => id;

        internal List<SlotRequest> Requests { get; } = [];

        /// <summary>The try that served it last.</summary>
        internal int ServedIn { get; set; }

        /// <summary>Those that the last try served: whoever had gone by then was not granted anything.</summary>
        internal List<SlotRequest> Answered { get; } = [];
    }
}
