using Microsoft.Extensions.Time.Testing;

namespace FleetLock.Server.Tests;

/// <summary>However many look, and however long the store takes.</summary>
[Trait("Lane", "Fast")]
public sealed class SharedReadTests
{
    private readonly FakeTimeProvider _clock = new();
    private readonly TaskCompletionSource<int> _read = new();
    private readonly SharedRead<int> _shared;
    private int _calls;

    public SharedReadTests() => _shared = new SharedRead<int>(ReadAsync, _clock, new ServerMetrics());

    [Fact]
    public async Task Who_asks_while_a_read_is_under_way_shares_it()
    {
        var (first, second) = (_shared.AskAsync(), _shared.AskAsync());
        _read.SetResult(7);

        Assert.Equal((7, 7), (await first, await second));
        Assert.Equal(1, _calls);
    }

    [Fact]
    public async Task Who_asks_later_reads_anew()
    {
        _read.SetResult(7);

        await _shared.AskAsync();
        await _shared.AskAsync();

        Assert.Equal(2, _calls);
    }

    [Fact]
    public async Task A_read_that_hangs_is_given_up_after_two_seconds_and_holds_up_nobody_later()
    {
        var early = _shared.AskAsync();
        _clock.Advance(TimeSpan.FromSeconds(1.9));
        var late = _shared.AskAsync();
        Assert.False(early.IsCompleted);

        _clock.Advance(TimeSpan.FromSeconds(0.1));
        var fault = await Assert.ThrowsAsync<SemaphoreStoreException>(() => early);
        Assert.Contains("2 seconds", fault.Message, StringComparison.Ordinal);

        // The store is asked once more, and answers both of the calls that it had hung with.
        var next = _shared.AskAsync();
        _read.SetResult(7);
        Assert.Equal(7, await next);
        Assert.Equal(7, await late);
        Assert.Equal(2, _calls);
    }

    [Fact]
    public async Task A_failure_is_everybodys_who_shares_it()
    {
        var (first, second) = (_shared.AskAsync(), _shared.AskAsync());
        _read.SetException(new SemaphoreStoreException("away"));

        Assert.Equal("away", (await Assert.ThrowsAsync<SemaphoreStoreException>(() => first)).Message);
        Assert.Equal("away", (await Assert.ThrowsAsync<SemaphoreStoreException>(() => second)).Message);
    }

    private Task<int> ReadAsync(CancellationToken _)
    {
        Interlocked.Increment(ref _calls);
        return _read.Task;
    }
}
