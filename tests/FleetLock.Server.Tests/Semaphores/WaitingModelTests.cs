using FleetLock.TestKit;

using static FleetLock.Server.Tests.Sample;
using static FleetLock.Server.Tests.WaitingModel;

namespace FleetLock.Server.Tests;

/// <summary>Random batches of requests, with clients that go, waits that end, other servers and faults in between, go as in <see cref="WaitingModel"/>.</summary>
[Trait("Lane", "Fast")]
public sealed class WaitingModelTests : CoordinatorTests
{
    private readonly WaitingModel _model = new(1, "a");
    private readonly Dictionary<Ask, (Task<SlotDecision> Answer, CancellationTokenSource Gone)> _open = new(ReferenceEqualityComparer.Instance);
    private Random _random = new(0);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public async Task Any_sequence_goes_as_in_a_naive_model(int seed)
    {
        _random = new Random(seed);
        for (var step = 0; step < 500; step++)
        {
            await StepAsync();
            await SettleAsync();
            _model.DecideTogether([], []);
            await AssertAsInTheModelAsync();
        }
    }

    private async Task StepAsync()
    {
        switch (_random.Next(14))
        {
            case 0 or 1 when _model.Queue.Count > 0:
                var ask = _model.Queue[_random.Next(_model.Queue.Count)];
                await _open[ask].Gone.CancelAsync();
                _model.Leave(ask);
                break;
            case 2 or 3:
                Clock.Advance(TimeSpan.FromSeconds(_random.Next(1, 30)));
                _model.Expire(Clock.GetUtcNow());
                break;
            case 4:
                var elsewhere = Draw(1);
                await Store.WriteBehindItsBackAsync(semaphore => Change(semaphore, elsewhere[0]));
                Store.ReportChange();
                await SettleAsync();
                _model.DecideTogether([], elsewhere);
                break;
            case 5:
                var unsaved = await SendTogetherAsync([], () => Store.FailNextSave(new SemaphoreStoreException("before")));
                _model.Fail(unsaved);
                break;
            case 6:
                var saved = await SendTogetherAsync([], () => Store.FailAfterNextSave(new SemaphoreStoreException("after")));
                _model.EndWaits(saved);
                var waited = _model.Queue.ToArray();
                _model.DecideTogether(saved, []);
                _model.Fail([.. waited, .. saved]);
                break;
            default:
                var conflicts = Draw(Math.Max(0, _random.Next(6) - 2));
                _model.DecideTogether(await SendTogetherAsync(conflicts, () => { }), conflicts);
                break;
        }
    }

    /// <summary>Sends requests that are decided together.</summary>
    private async Task<Ask[]> SendTogetherAsync(Ask[] conflicts, Action stage)
    {
        var batch = Draw(_random.Next(1, 7));
        var save = Store.HoldNextSave();
        var before = UnlockAsync("nobody");
        await save.Begun;
        foreach (var conflict in conflicts)
            Store.ConflictWithNextSave(semaphore => Change(semaphore, conflict));
        stage();
        foreach (var ask in batch)
            _open[ask] = Send(ask);
        var last = UnlockAsync("nobody");
        save.Release();
        await before;
        await Task.WhenAny(last).WaitAsync(TestTimeout.Hang, Token);
        return batch;
    }

    private Ask[] Draw(int count) =>
        [.. Enumerable.Range(0, count).Select(_ => new Ask(DrawDeed(), "abcdefgh"[_random.Next(8)].ToString(), _random.Next(1, 4), Clock.GetUtcNow().AddSeconds(_random.Next(1, 90))))];

    private Deed DrawDeed() => _random.Next(20) switch
    {
        < 4 => Deed.Lock,
        < 11 => Deed.Wait,
        < 19 => Deed.Unlock,
        _ => Deed.Resize,
    };

    private (Task<SlotDecision> Answer, CancellationTokenSource Gone) Send(Ask ask)
    {
        var gone = new CancellationTokenSource();
        var answer = ask.Deed switch
        {
            Deed.Lock => LockAsync(ask.Id),
            Deed.Wait => Coordinator.LockAsync(ask.Id, From, ask.Deadline - Clock.GetUtcNow(), gone.Token),
            Deed.Unlock => UnlockAsync(ask.Id),
            _ => Coordinator.ResizeAsync(ask.Slots),
        };
        return (answer, gone);
    }

    /// <summary>What another server does; it is a write even when it changes nothing.</summary>
    private GroupSemaphore Change(GroupSemaphore semaphore, Ask ask)
    {
        var next = ask.Deed switch
        {
            Deed.Unlock => semaphore.Unlock(ask.Id).Next,
            Deed.Resize => semaphore.WithSlots(ask.Slots),
            _ => semaphore.Lock(ask.Id, From, Clock.GetUtcNow()).Next,
        };
        return GroupSemaphore.Restore(next.Slots, next.Configured, next.Holders);
    }

    private async Task AssertAsInTheModelAsync()
    {
        Assert.Equal(_model.Holders, await HoldersAsync());
        Assert.Equal(_model.Waiting, Coordinator.Waiting);
        foreach (var (ask, (answer, gone)) in _open.ToArray())
        {
            Assert.True(ask.Fate == Fate.Waiting != answer.IsCompleted, $"{ask}, and it is {answer.Status}");
            if (ask.Fate == Fate.Waiting)
                continue;
            if (ask.Fate == Fate.Answered)
                Assert.Equal(ask.Reply, (await answer).Reply);
            else if (ask.Fate == Fate.Gone)
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => answer);
            else
                await Assert.ThrowsAsync<SemaphoreStoreException>(() => answer);
            _open.Remove(ask);
            gone.Dispose();
        }
    }
}
