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
