using FleetLock.TestKit;
using static FleetLock.Server.Tests.Answers;
using static FleetLock.Server.Tests.Sample;
using static FleetLock.Server.Tests.TestServer;

namespace FleetLock.Server.Tests;

/// <summary>What clients hear when the store fails, and when they do not wait for it.</summary>
public sealed class StoreFailureTests : IAsyncLifetime
{
    private readonly StagedStore _store = new();
    private TestServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await StartAsync(_store, (Group, 1), ("other", 1));

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task A_store_that_fails_is_a_503_and_grants_nothing()
    {
        _store.FailNextSave(new SemaphoreStoreException("/secret/path: the disk is full"));

        var answer = await _server.LockAsync("a");

        AssertRefused(503, "store_unavailable", answer);
        Assert.DoesNotContain("secret", answer.Body, StringComparison.Ordinal);
        Assert.Empty(await _server.HoldersAsync());
        AssertDone(await _server.LockAsync("a"));
    }

    [Fact]
    public async Task A_store_that_fails_releases_nothing()
    {
        await _server.LockAsync("a");
        _store.FailNextSave(new SemaphoreStoreException("the disk is full"));

        AssertRefused(503, "store_unavailable", await _server.UnlockAsync("a"));
        Assert.Equal(["a"], await _server.HoldersAsync());
    }

    [Theory]
    [InlineData(PreReboot, null, "unknown")]
    [InlineData(PreReboot, false, "nothing was done")]
    [InlineData(SteadyState, null, "unknown")]
    [InlineData(SteadyState, false, "nothing was done")]
    public async Task The_outcome_is_unknown_only_where_the_save_may_have_been_done(string line, bool? mayHaveSaved, string outcome)
    {
        _store.FailNextSave(new SemaphoreStoreException("away") { MayHaveSaved = mayHaveSaved });

        AssertRefused(503, "store_unavailable", outcome, await _server.AskAsync(Request(line, Group, "a")));
    }

    [Fact]
    public async Task A_lock_of_a_full_group_is_not_granted_by_a_save_that_fails()
    {
        AssertDone(await _server.LockAsync("a"));
        _store.FailNextSave(new SemaphoreStoreException("away"));

        AssertRefused(503, "store_unavailable", "nothing was done", await _server.LockAsync("b"));
    }

    [Theory]
    [InlineData("GET /v1/groups/" + Group)]
    [InlineData("GET /readyz")]
    public async Task A_read_that_fails_has_done_nothing(string line)
    {
        _store.FailNextLoad(new SemaphoreStoreException("away"));

        AssertRefused(503, "store_unavailable", "nothing was done", await _server.AskAsync(RawClient.Head(line)));
    }

    [Fact]
    public async Task A_release_that_does_not_find_its_group_has_done_nothing()
    {
        _store.FailNextLoad(new SemaphoreStoreException("away"));

        AssertRefused(503, "store_unavailable", "nothing was done", await _server.UnlockAsync("a", "retired"));
    }

    [Fact]
    public async Task A_change_of_the_slots_that_cannot_be_shown_is_not_said_to_have_done_nothing()
    {
        _store.FailNextLoad(new SemaphoreStoreException("away"));
        var request = RawClient.Request("PUT /v1/groups/" + Group, """{"slots":5}"""u8.ToArray(), ProtocolHeader);

        AssertRefused(503, "store_unavailable", "unknown", await _server.AskAsync(request));
        Assert.Equal(5, (await _server.GroupAsync()).Slots);
    }

    [Fact]
    public async Task A_slow_store_does_not_keep_another_group_or_the_health_check_waiting()
    {
        var save = _store.HoldNextSave();
        var waiting = _server.LockAsync("a");
        await save.Begun;

        AssertDone(await _server.LockAsync("a", "other"));
        Assert.Equal(200, (await _server.AskAsync(RawClient.Head("GET /healthz"))).Status);
        Assert.Empty(await _server.HoldersAsync());
        save.Release();
        AssertDone(await waiting);
    }

    [Fact]
    public async Task A_stop_answers_what_waits_for_the_store()
    {
        var save = _store.HoldNextSave();
        var waiting = _server.LockAsync("a");
        await save.Begun;
        var stop = _server.DisposeAsync().AsTask();
        save.Release();

        AssertDone(await waiting);
        await stop;
    }
}
