using FleetLock.TestKit;

namespace FleetLock.Core.Tests;

/// <summary>Bad input is refused before anything is sent.</summary>
public sealed class NothingSentTests
{
    public static readonly TheoryData<string?, string?, string> BadInput = new()
    {
        { "under_score", "id", "group" },
        { "", "id", "group" },
        { null, "id", "group" },
        { @"workers\n", "id", "group" },
        { "workers", "", "id" },
        { "workers", null, "id" },
        { "workers", "   ", "id" },
        { "workers", @"a\u001bb", "id" },
        { "workers", @"\ud800", "id" },
    };

    [Theory]
    [MemberData(nameof(BadInput))]
    public async Task A_bad_group_or_id_is_refused_before_anything_is_sent(string? group, string? id, string setting)
    {
        (group, id) = (group is null ? null : Text.Of(group), id is null ? null : Text.Of(id));
        await using var server = new RawServer(RawAnswer.Http(200));
        using var client = Exchange.ClientOf(server.Url);

        var locking = await Assert.ThrowsAsync<FleetLockInputException>(() => client.LockAsync(group!, id!, TestContext.Current.CancellationToken));
        var unlocking = await Assert.ThrowsAsync<FleetLockInputException>(() => client.UnlockAsync(group!, id!, TestContext.Current.CancellationToken));

        Assert.Equal(setting, locking.Setting);
        Assert.Equal(setting, unlocking.Setting);
        Assert.Empty(server.Requests);
    }
}
