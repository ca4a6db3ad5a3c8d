using static FleetLock.Server.Tests.Sample;

namespace FleetLock.Server.Tests;

/// <summary>The waiting queue as a value: who is next, who has left, and that an earlier value stays as it was.</summary>
[Trait("Lane", "Fast")]
public sealed class WaitingQueueTests
{
    private static readonly LockRequest A = Wait("a"), B = Wait("b"), C = Wait("c");

    [Fact]
    public void First_come_is_first_served() => Assert.Equal(["c", "a", "b"], Ids(Queue(C, A, B)));

    [Fact]
    public void Nobody_is_the_first_of_an_empty_queue()
    {
        Assert.Null(WaitingQueue.Empty.First);
        Assert.Null(Queue(A).Remove("a", out _).First);
    }

    [Fact]
    public void An_id_that_waits_twice_has_the_place_of_its_first_request()
    {
        var again = Wait("a");

        var queue = Queue(A, B, again);

        Assert.Equal(2, queue.Count);
        Assert.Equal([A, again], queue.First!.Requests);
    }

    [Theory]
    [InlineData("node", "NODE")]
    [InlineData("\u00E9", "e\u0301")] // é in one code point, and in two
    public void Ids_are_compared_ordinally(string one, string other) => Assert.Equal([one, other], Ids(Queue(Wait(one), Wait(other))));

    [Fact]
    public void An_id_that_leaves_makes_the_next_one_the_first_and_comes_back_as_the_last()
    {
        var left = Queue(A, B, C).Remove("a", out var removed);

        Assert.Equal([A], removed);
        Assert.Equal(["b", "c"], Ids(left));
        Assert.Equal(["b", "c", "a"], Ids(left.Join(A)));
    }

    [Fact]
    public void An_id_that_does_not_wait_leaves_the_queue_as_it_is()
    {
        var queue = Queue(A);

        Assert.Same(queue, queue.Remove("b", out var removed));
        Assert.Empty(removed);
        Assert.Same(queue, queue.Remove("b", _ => true, out removed));
        Assert.Empty(removed);
    }

    [Fact]
    public void A_request_that_leaves_keeps_the_place_of_the_others_of_its_id()
    {
        var again = Wait("a");

        var queue = Queue(A, B, again).Remove("a", request => request == A, out var removed);

        Assert.Equal([A], removed);
        Assert.Equal(["a", "b"], Ids(queue));
        Assert.Equal([again], queue.First!.Requests);
    }

    [Fact]
    public void The_last_request_that_leaves_gives_up_the_place_of_its_id()
    {
        var queue = Queue(A, B).Remove("a", request => request == A, out var removed);

        Assert.Equal([A], removed);
        Assert.Equal(["b"], Ids(queue));
        Assert.Equal(["b", "a"], Ids(queue.Join(A)));
    }

    [Fact]
    public void A_request_that_does_not_match_stays()
    {
        var queue = Queue(A);

        Assert.Same(queue, queue.Remove("a", request => request == B, out var removed));
        Assert.Empty(removed);
    }

    [Fact]
    public void What_joins_and_leaves_does_not_change_an_earlier_value()
    {
        var before = Queue(A, B);

        before.Join(C).Join(Wait("a"));
        before.Remove("a", out _);
        before.Remove("b", _ => true, out _);

        Assert.Equal(["a", "b"], Ids(before));
        Assert.Equal([A], before.First!.Requests);
    }

    private static LockRequest Wait(string id) => new(id, Grant, From, TimeSpan.FromMinutes(1));

    private static WaitingQueue Queue(params LockRequest[] requests) =>
        requests.Aggregate(WaitingQueue.Empty, (queue, request) => queue.Join(request));

    private static IEnumerable<string> Ids(WaitingQueue queue) => queue.Waiters.Select(waiter => waiter.Id);
}
