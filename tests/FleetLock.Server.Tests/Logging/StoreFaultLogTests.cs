using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace FleetLock.Server.Tests;

/// <summary>A store that fails is told of, and does not flood the log.</summary>
[Trait("Lane", "Fast")]
public sealed class StoreFaultLogTests : IDisposable
{
    private static readonly SemaphoreStoreException Fault = new("away");

    private readonly FakeTimeProvider _clock = new();
    private readonly CapturedLog _log = new();
    private readonly StoreFaultLog _faults;

    public StoreFaultLogTests() => _faults = new StoreFaultLog(_clock, _log);

    public void Dispose() => _log.Dispose();

    [Fact]
    public void The_first_failure_is_told_at_once_and_the_next_are_counted_for_ten_seconds()
    {
        for (var i = 0; i < 100; i++)
            _faults.Failed("workers", Fault);
        AssertTold(LogLevel.Error, nameof(ServerLog.StoreFailed));

        _clock.Advance(TimeSpan.FromSeconds(9.9));
        _faults.Failed("workers", Fault);
        Assert.Empty(_log.Lines);

        _clock.Advance(TimeSpan.FromSeconds(0.1));
        _faults.Failed("workers", Fault);
        AssertTold(LogLevel.Error, nameof(ServerLog.StoreStillFails), "101");
    }

    [Fact]
    public void One_line_tells_that_it_works_again()
    {
        _faults.Failed("workers", Fault);
        _faults.Failed("workers", Fault);
        _log.Lines.Clear();

        _faults.Answered("workers");
        AssertTold(LogLevel.Information, nameof(ServerLog.StoreAnswersAgain), "1");

        _faults.Answered("workers");
        Assert.Empty(_log.Lines);
    }

    [Fact]
    public void While_nothing_fails_nothing_is_told()
    {
        _faults.Answered("workers");

        Assert.Empty(_log.Lines);
    }

    [Fact]
    public void A_group_that_stays_damaged_is_not_mended_by_the_others()
    {
        _faults.Failed("damaged", Fault);
        _log.Lines.Clear();

        _faults.Answered("workers");
        _faults.Answered(List(new FleetGroup("damaged", 0, 0, []) { Fault = "nonsense" }, new FleetGroup("workers", 1, 1, [])));
        Assert.Empty(_log.Lines);

        _faults.Answered(List(new FleetGroup("damaged", 1, 1, [])));
        AssertTold(LogLevel.Information, nameof(ServerLog.StoreAnswersAgain));
    }

    [Fact]
    public void Any_answer_shows_that_the_store_as_a_whole_is_back()
    {
        _faults.Failed(StoreFaultLog.WholeStore, Fault);
        _log.Lines.Clear();

        _faults.Answered("workers");

        AssertTold(LogLevel.Information, nameof(ServerLog.StoreAnswersAgain));
    }

    [Fact]
    public void A_store_that_comes_and_goes_tells_so_once_in_ten_seconds()
    {
        for (var i = 0; i < 50; i++)
        {
            _faults.Failed("workers", Fault);
            _faults.Answered("workers");
        }

        Assert.Equal([LogLevel.Error, LogLevel.Information], _log.Lines.Select(line => line.Level));
    }

    private static FleetGroupList List(params FleetGroup[] groups) => new(groups);

    private void AssertTold(LogLevel level, string name, params string[] values)
    {
        Assert.Single(_log.Lines);
        _log.AssertHas(level, name, values);
        _log.Lines.Clear();
    }
}
