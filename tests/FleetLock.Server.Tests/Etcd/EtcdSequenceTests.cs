using FleetLock.Server.EtcdApi;

namespace FleetLock.Server.Tests;

[Trait("Lane", "Fast")]
public sealed class EtcdSequenceTests
{
    private readonly EtcdSequence _sequence = new();

    [Fact]
    public void The_first_answer_is_taken_as_it_is() => Assert.True(TryAdvance(_sequence.Current, Header(7)));

    [Theory]
    [InlineData(1, 20, false, true)]
    [InlineData(1, 21, true, true)]
    [InlineData(1, 19, false, false)]
    [InlineData(1, 20, true, false)]
    [InlineData(2, 21, false, false)]
    public void A_lower_revision_or_another_cluster_is_an_earlier_state(ulong cluster, long revision, bool isWrite, bool isAfter)
    {
        Advance(20);

        Assert.Equal(isAfter, TryAdvance(_sequence.Current, Header(revision, cluster), isWrite));
    }

    [Fact]
    public void An_answer_that_was_overtaken_is_compared_with_what_was_known_when_it_was_asked_for()
    {
        Advance(20);
        var sent = _sequence.Current;
        Advance(25);

        Assert.True(TryAdvance(sent, Header(22)));
        Assert.False(TryAdvance(sent, Header(19)));
        Assert.Equal(25, _sequence.Current.Revision);
    }

    [Fact]
    public void What_a_watch_reports_counts_and_may_be_behind()
    {
        Advance(20);
        var sent = _sequence.Current;

        Assert.True(_sequence.TryAdvance(sent, Header(15), default));
        Assert.True(_sequence.TryAdvance(sent, Header(25), default));
        Assert.False(_sequence.TryAdvance(sent, Header(25, cluster: 2), default));

        Assert.False(TryAdvance(_sequence.Current, Header(24)));
    }

    [Fact]
    public void Two_first_answers_of_two_clusters_do_not_go_together()
    {
        var sent = _sequence.Current;
        Advance(20);

        Assert.False(TryAdvance(sent, Header(20, cluster: 2)));
    }

    [Fact]
    public void After_a_restore_it_begins_again_and_late_answers_from_before_do_not_count()
    {
        Advance(20);
        var sent = _sequence.Current;
        Assert.False(TryAdvance(sent, Header(10)));

        Assert.True(_sequence.TryRestart(sent, Header(11)));
        Assert.False(_sequence.TryRestart(sent, Header(30)));

        Assert.True(TryAdvance(sent, Header(21)));
        Assert.False(TryAdvance(sent, Header(12)));
        Assert.Equal(11, _sequence.Current.Revision);
        Assert.True(TryAdvance(_sequence.Current, Header(12)));
        Assert.False(TryAdvance(_sequence.Current, Header(11)));
    }

    [Theory]
    [InlineData(4, 3, 18, true)]
    [InlineData(5, 3, 19, true)]
    [InlineData(3, 3, 17, false)]
    [InlineData(0, 0, 0, false)]
    [InlineData(4, 3, 17, false)]
    [InlineData(5, 3, 18, false)]
    [InlineData(5, 6, 19, false)]
    public void A_count_that_is_lower_or_is_of_another_key_is_an_earlier_state_whatever_the_revision_is(long version, long created, long modified, bool isAfter)
    {
        var (known, found) = (new EtcdCount(4, 3, 18), new EtcdCount(version, created, modified));

        Assert.Equal(isAfter, TryAdvance(Of(known, default), Of(found, default)));
        Assert.Equal(isAfter, TryAdvance(Of(default, known), Of(default, found)));
        Assert.Equal(isAfter, TryAdvance(Of(known, new EtcdCount(1, 9, 9)), Of(found, new EtcdCount(1, 9, 9))));

        static EtcdState Of(EtcdCount sequence, EtcdCount written) => new(sequence, written);

        static bool TryAdvance(EtcdState known, EtcdState found)
        {
            var sequence = new EtcdSequence();
            Assert.True(sequence.TryAdvance(sequence.Current, Header(20), known, known));
            return sequence.TryAdvance(sequence.Current, Header(30), found, found);
        }
    }

    [Fact]
    public void A_write_is_judged_by_the_counts_before_it()
    {
        var first = new EtcdState(new EtcdCount(1, 20, 20), new EtcdCount(1, 20, 20));
        var second = new EtcdState(new EtcdCount(2, 20, 21), new EtcdCount(2, 20, 21));
        Assert.True(_sequence.TryAdvance(_sequence.Current, Header(20), default, first));
        Assert.True(_sequence.TryAdvance(_sequence.Current, Header(21), first, second));

        // A write after a restore, which makes up for the one that was lost.
        Assert.False(_sequence.TryAdvance(_sequence.Current, Header(30), first, second));
    }

    [Fact]
    public void Counts_of_answers_that_were_overtaken_and_of_a_watch_are_compared_with_what_was_known_then()
    {
        EtcdState Count(long version) => new(new EtcdCount(version, 3, 10 + version), default);
        Advance(10);
        var sent = _sequence.Current;
        Assert.True(_sequence.TryAdvance(sent, Header(14), Count(4)));

        Assert.True(_sequence.TryAdvance(sent, Header(12), default, default));
        Assert.True(_sequence.TryAdvance(sent, Header(12), Count(2), Count(2)));
        Assert.Equal(Count(4), _sequence.Current.State);
        Assert.False(_sequence.TryAdvance(_sequence.Current, Header(20), Count(3), Count(3)));
        Assert.False(_sequence.TryAdvance(sent, Header(20), new EtcdState(new EtcdCount(1, 20, 20), default)));
    }

    [Fact]
    public void After_a_restore_the_counts_begin_again_too()
    {
        var (before, after) = (new EtcdState(new EtcdCount(4, 3, 18), new EtcdCount(4, 3, 18)), new EtcdState(new EtcdCount(1, 9, 9), default));
        Assert.True(_sequence.TryAdvance(_sequence.Current, Header(20), before, before));
        var sent = _sequence.Current;
        Assert.False(_sequence.TryAdvance(sent, Header(21), after, after));
        Assert.True(_sequence.TryRestart(sent, Header(22)));

        Assert.True(_sequence.TryAdvance(_sequence.Current, Header(22), after, after));
        Assert.Equal(after, _sequence.Current.State);
    }

    private static ResponseHeader Header(long revision, ulong cluster = 1) => new() { ClusterId = cluster, Revision = revision };

    /// <summary>An answer without counts, but for the writes that it counts itself.</summary>
    private bool TryAdvance(EtcdSequence.Position sent, ResponseHeader header, bool isWrite = false) =>
        _sequence.TryAdvance(sent, header, default, isWrite ? new EtcdState(new EtcdCount(1, header.Revision, header.Revision), default) : default);

    private void Advance(long revision) => Assert.True(TryAdvance(_sequence.Current, Header(revision)));
}
