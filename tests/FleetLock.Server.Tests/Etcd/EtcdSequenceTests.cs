using FleetLock.Server.EtcdApi;

namespace FleetLock.Server.Tests;

[Trait("Lane", "Fast")]
public sealed class EtcdSequenceTests
{
    private readonly EtcdSequence _sequence = new();

    [Fact]
    public void The_first_answer_is_taken_as_it_is() => Assert.True(_sequence.TryAdvance(_sequence.Current, Header(7), isWrite: false));

    [Theory]
    [InlineData(1, 20, false, true)]
    [InlineData(1, 21, true, true)]
    [InlineData(1, 19, false, false)]
    [InlineData(1, 20, true, false)]
    [InlineData(2, 21, false, false)]
    public void A_lower_revision_or_another_cluster_is_an_earlier_state(ulong cluster, long revision, bool isWrite, bool isAfter)
    {
        Advance(20);

        Assert.Equal(isAfter, _sequence.TryAdvance(_sequence.Current, Header(revision, cluster), isWrite));
    }

    [Fact]
    public void An_answer_that_was_overtaken_is_compared_with_what_was_known_when_it_was_asked_for()
    {
        Advance(20);
        var sent = _sequence.Current;
        Advance(25);

        Assert.True(_sequence.TryAdvance(sent, Header(22), isWrite: false));
        Assert.False(_sequence.TryAdvance(sent, Header(19), isWrite: false));
        Assert.Equal(25, _sequence.Current.Revision);
    }

    [Fact]
    public void What_a_watch_reports_counts_and_may_be_behind()
    {
        Advance(20);
        var sent = _sequence.Current;

        Assert.True(_sequence.TryAdvance(sent, Header(15)));
        Assert.True(_sequence.TryAdvance(sent, Header(25)));
        Assert.False(_sequence.TryAdvance(sent, Header(25, cluster: 2)));

        Assert.False(_sequence.TryAdvance(_sequence.Current, Header(24), isWrite: false));
    }

    [Fact]
    public void Two_first_answers_of_two_clusters_do_not_go_together()
    {
        var sent = _sequence.Current;
        Advance(20);

        Assert.False(_sequence.TryAdvance(sent, Header(20, cluster: 2), isWrite: false));
    }

    [Fact]
    public void After_a_restore_it_begins_again_and_late_answers_from_before_do_not_count()
    {
        Advance(20);
        var sent = _sequence.Current;
        Assert.False(_sequence.TryAdvance(sent, Header(10), isWrite: false));

        Assert.True(_sequence.TryRestart(sent, Header(11)));
        Assert.False(_sequence.TryRestart(sent, Header(30)));

        Assert.True(_sequence.TryAdvance(sent, Header(21), isWrite: false));
        Assert.False(_sequence.TryAdvance(sent, Header(12), isWrite: false));
        Assert.Equal(11, _sequence.Current.Revision);
        Assert.True(_sequence.TryAdvance(_sequence.Current, Header(12), isWrite: false));
        Assert.False(_sequence.TryAdvance(_sequence.Current, Header(11), isWrite: false));
    }

    private static ResponseHeader Header(long revision, ulong cluster = 1) => new() { ClusterId = cluster, Revision = revision };

    private void Advance(long revision) => Assert.True(_sequence.TryAdvance(_sequence.Current, Header(revision), isWrite: false));
}
