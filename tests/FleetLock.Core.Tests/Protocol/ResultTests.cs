namespace FleetLock.Core.Tests;

/// <summary>A result as a value, as an exception, and as advice.</summary>
[Trait("Lane", "Fast")]
public sealed class ResultTests
{
    [Fact]
    public void Every_status_but_the_two_successes_has_advice_and_throws() =>
        Assert.All(Enum.GetValues<FleetLockStatus>(), status =>
        {
            var result = ResultOf(status);
            var isSuccess = status is FleetLockStatus.Granted or FleetLockStatus.Released;

            Assert.Equal(isSuccess, result.IsSuccess);
            Assert.Equal(isSuccess, Advice.For(result).Length == 0);
            if (!isSuccess)
                Assert.Same(result, Assert.Throws<FleetLockException>(result.EnsureSuccess).Result);
        });

    [Theory]
    [InlineData(FleetLockOperation.Lock)]
    [InlineData(FleetLockOperation.Unlock)]
    public void An_unknown_outcome_comes_with_a_warning(FleetLockOperation operation)
    {
        var known = ResultOf(FleetLockStatus.Unreachable) with { Operation = operation };

        Assert.Equal($"{Advice.For(known)} {Advice.UnknownOutcome(operation)}", Advice.For(known with { OutcomeUnknown = true }));
    }

    [Fact]
    public void The_exception_names_group_id_server_reason_and_advice()
    {
        var busy = ResultOf(FleetLockStatus.Busy);
        var message = new FleetLockException(busy).Message;

        Assert.All(["'workers'", "'node1'", "http://fleet.example", "all taken (lock_held)"], named => Assert.Contains(named, message, StringComparison.Ordinal));
        Assert.EndsWith(Advice.For(busy), message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_result_is_one_line_for_a_log() =>
        Assert.Matches("^Lock .*'workers'.*'node1'.*http://fleet.example: Busy .*all taken", ResultOf(FleetLockStatus.Busy).ToString());

    internal static FleetLockResult ResultOf(FleetLockStatus status) => new()
    {
        Operation = FleetLockOperation.Lock,
        Status = status,
        Group = "workers",
        Id = "node1",
        Server = "http://fleet.example",
        Kind = "lock_held",
        Message = "all taken",
    };
}
