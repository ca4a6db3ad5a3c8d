using FleetLock.TestKit;

namespace FleetLock.Core.Tests;

/// <summary>Rule 5: airlock's "conflict" means try again at once; it is neither busy nor an outage.</summary>
public sealed class LostRaceTests
{
    private static readonly RawAnswer Conflict =
        RawAnswer.Http(500, """{"kind":"failed_lock","value":"conflict on semaphore detected, aborting"}""");

    [Theory]
    [InlineData(FleetLockOperation.Lock, FleetLockStatus.Granted)]
    [InlineData(FleetLockOperation.Unlock, FleetLockStatus.Released)]
    public async Task A_lost_race_is_run_again_at_once(FleetLockOperation operation, FleetLockStatus expected)
    {
        await using var server = new RawServer(Conflict, RawAnswer.Http(200));
        using var client = Exchange.ClientOf(server.Url);

        var result = await client.SendAsync(operation);

        Assert.Equal(expected, result.Status);
        Assert.Equal(2, result.Attempts);
        Assert.Equal(2, server.Requests.Count);
        Assert.Single(server.Requests.Select(request => request.Body).Distinct());
    }

    [Theory]
    [InlineData(FleetLockOperation.Lock)]
    [InlineData(FleetLockOperation.Unlock)]
    public async Task Five_lost_races_in_a_row_are_enough_and_worth_asking_again_later(FleetLockOperation operation)
    {
        await using var server = new RawServer(Conflict);
        using var client = Exchange.ClientOf(server.Url);

        var result = await client.SendAsync(operation);

        Assert.Equal(FleetLockStatus.Busy, result.Status);
        Assert.Equal("failed_lock", result.Kind);
        Assert.Equal(5, result.Attempts);
        Assert.Equal(5, server.Requests.Count);
    }

    [Fact]
    public async Task The_answer_after_a_lost_race_counts()
    {
        await using var server = new RawServer(Conflict, RawAnswer.Http(500, """{"kind":"failed_lock","value":"all 1 semaphore slots currently locked"}"""));
        using var client = Exchange.ClientOf(server.Url);

        var result = await client.SendAsync(FleetLockOperation.Lock);

        Assert.Equal(FleetLockStatus.Busy, result.Status);
        Assert.Equal("all 1 semaphore slots currently locked", result.Message);
        Assert.Equal(2, server.Requests.Count);
    }

    [Theory]
    [InlineData(202)]
    [InlineData(302)]
    [InlineData(600)]
    public async Task Only_an_error_can_tell_of_a_lost_race(int status)
    {
        await using var server = new RawServer(RawAnswer.Http(status, """{"kind":"failed_lock","value":"conflict on semaphore detected, aborting"}"""));
        using var client = Exchange.ClientOf(server.Url);

        var result = await client.SendAsync(FleetLockOperation.Lock);

        Assert.False(result.IsSuccess);
        Assert.Single(server.Requests);
    }
}
