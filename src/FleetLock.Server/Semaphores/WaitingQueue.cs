using System.Collections.Immutable;

namespace FleetLock.Server;

/// <summary>
/// The lock requests of a group that wait for a slot, as an immutable value: first come, first served. An id has one place, however many of its requests
/// wait.
/// </summary>
internal sealed class WaitingQueue
{
    internal static readonly WaitingQueue Empty = new(
        ImmutableSortedDictionary<long, Waiter>.Empty, ImmutableDictionary.Create<string, long>(StringComparer.Ordinal), 0);

    private readonly ImmutableSortedDictionary<long, Waiter> _places;
    private readonly ImmutableDictionary<string, long> _placeById;
    private readonly long _next;

    private WaitingQueue(ImmutableSortedDictionary<long, Waiter> places, ImmutableDictionary<string, long> placeById, long next)
    {
        _places = places;
        _placeById = placeById;
        _next = next;
    }

    /// <summary>How many ids wait.</summary>
    internal int Count => _places.Count;

    /// <summary>The waiters, the first one first.</summary>
    internal IEnumerable<Waiter> Waiters => _places.Values;

    /// <summary>The waiter whose turn is next.</summary>
    internal Waiter? First
    {
        get
        {
            if (_places.IsEmpty)
                return null;
            foreach (var place in _places)
                return place.Value;
            return null;
        }
    }

    /// <summary>Adds a request to the place of its id, or gives it the last place.</summary>
    internal WaitingQueue Join(LockRequest request)
    {
        if (_placeById.TryGetValue(request.Id, out var place))
            return new WaitingQueue(_places.SetItem(place, _places[place].With(request)), _placeById, _next);
        var waiter = new Waiter(request.Id, [request]);
        return new WaitingQueue(_places.Add(_next, waiter), _placeById.Add(request.Id, _next), _next + 1);
    }

    /// <summary>Removes the place of an id.</summary>
    internal WaitingQueue Remove(string id, out ImmutableList<LockRequest> removed)
    {
        if (!_placeById.TryGetValue(id, out var place))
        {
            removed = [];
            return this;
        }

        removed = _places[place].Requests;
        return new WaitingQueue(_places.Remove(place), _placeById.Remove(id), _next);
    }

    /// <summary>Removes the requests of an id that match; its place too when none is left.</summary>
    internal WaitingQueue Remove(string id, Predicate<LockRequest> match, out ImmutableList<LockRequest> removed)
    {
        removed = [];
        if (!_placeById.TryGetValue(id, out var place))
            return this;
        var waiter = _places[place];
        removed = waiter.Requests.FindAll(match);
        if (removed.IsEmpty)
            return this;
        return removed.Count == waiter.Requests.Count
            ? Remove(id, out removed)
            : new WaitingQueue(_places.SetItem(place, new Waiter(id, waiter.Requests.RemoveAll(match))), _placeById, _next);
    }
}

/// <summary>An id that waits, and its requests in the order in which they came.</summary>
internal sealed record Waiter(string Id, ImmutableList<LockRequest> Requests)
{
    internal Waiter With(LockRequest request) => new(Id, Requests.Add(request));
}
