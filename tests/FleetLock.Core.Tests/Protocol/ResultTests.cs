namespace FleetLock.Core.Tests;

/// <summary>A result as a value, as an exception, and as advice.</summary>
public sealed class ResultTests
{
    public static readonly TheoryData<FleetLockStatus, string> AdviceByStatus = new()
    {
        { FleetLockStatus.Busy, "wait" },
        { FleetLockStatus.Pending, "do not start yet" },
        { FleetLockStatus.Refused, "credentials" },
        { FleetLockStatus.Unreachable, "network" },
        { FleetLockStatus.TimedOut, "Ask again" },
        { FleetLockStatus.ProtocolError, "login page" },
    };

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
    [MemberData(nameof(AdviceByStatus))]
    public void The_advice_says_what_to_do_next(FleetLockStatus status, string words) =>
        Assert.Contains(words, Advice.For(ResultOf(status)), StringComparison.Ordinal);

    [Theory]
    [InlineData(FleetLockOperation.Lock, "unlock with the same id")]
    [InlineData(FleetLockOperation.Unlock, "unlock again with the same id")]
    public void An_unknown_outcome_comes_with_a_warning(FleetLockOperation operation, string warning)
    {
        var known = ResultOf(FleetLockStatus.Unreachable) with { Operation = operation };

        Assert.DoesNotContain(warning, Advice.For(known), StringComparison.Ordinal);
        Assert.Contains(warning, Advice.For(known with { OutcomeUnknown = true }), StringComparison.Ordinal);
    }

    [Fact]
    public void The_exception_names_group_id_server_reason_and_advice()
    {
        var message = new FleetLockException(ResultOf(FleetLockStatus.Busy)).Message;

        Assert.Equal("No slot of group 'workers' for 'node1' at http://fleet.example: all taken (lock_held). Ask again later, or wait for it (-Wait, --wait).", message);
    }

    [Fact]
    public void A_result_is_one_line_for_a_log() =>
        Assert.Equal("Lock of group 'workers' as 'node1' at http://fleet.example: Busy (all taken)", ResultOf(FleetLockStatus.Busy).ToString());

    private static FleetLockResult ResultOf(FleetLockStatus status) => new()
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
