using System.Text;
using FleetLock.TestKit;
using static FleetLock.Server.Tests.Sample;
using static FleetLock.Server.Tests.TestServer;

namespace FleetLock.Server.Tests;

/// <summary><c>/metrics</c> over a real socket.</summary>
public sealed class MetricsTests : IAsyncLifetime
{
    private readonly AwayStore _store = new();
    private TestServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await StartAsync(_store, (Group, 2), ("other", 1));

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task It_is_the_text_format_and_says_which_version_it_is()
    {
        var answer = await _server.AskAsync(RawClient.Head("GET /metrics"));

        Assert.Equal((200, "text/plain; version=0.0.4; charset=utf-8"), (answer.Status, answer.Header("Content-Type")));
        Assert.Equal(1, Scrape.Parse(answer.Body)[$"fleetlock_build_info{{version=\"{ServerVersion.Text}\"}}"]);
    }

    [Fact]
    public async Task It_tells_slots_holders_and_the_oldest_holders_age_by_group()
    {
        await _server.LockAsync("a");
        _server.Clock.Advance(TimeSpan.FromSeconds(100));
        await _server.LockAsync("b");
        _server.Clock.Advance(TimeSpan.FromSeconds(20));

        var scrape = await ScrapeAsync();

        Assert.Equal(1, scrape["fleetlock_store_up"]);
        Assert.Equal((2, 2, 120), (scrape["fleetlock_slots{group=\"workers\"}"], scrape["fleetlock_holders{group=\"workers\"}"], scrape["fleetlock_oldest_holder_age_seconds{group=\"workers\"}"]));
        Assert.Equal((1, 0, 0), (scrape["fleetlock_slots{group=\"other\"}"], scrape["fleetlock_holders{group=\"other\"}"], scrape["fleetlock_oldest_holder_age_seconds{group=\"other\"}"]));
    }

    [Fact]
    public async Task The_age_of_a_holder_whose_time_nobody_kept_is_not_made_up()
    {
        var seen = await _store.LoadAsync(Group, TestContext.Current.CancellationToken);
        var airlocks = GroupSemaphore.Restore(2, 2, seen.Semaphore.Holders.Add("a", SlotHolder.Unknown));
        await _store.SaveAsync(Group, seen, airlocks, TestContext.Current.CancellationToken);

        var scrape = await ScrapeAsync();

        Assert.Equal(1, scrape["fleetlock_holders{group=\"workers\"}"]);
        Assert.DoesNotContain("fleetlock_oldest_holder_age_seconds{group=\"workers\"}", scrape.Samples);
    }

    [Fact]
    public async Task It_counts_requests_by_operation_and_outcome()
    {
        await _server.LockAsync("a");
        await _server.LockAsync("a");
        await _server.LockAsync("a", "other");
        await _server.LockAsync("b", "other");
        await _server.LockAsync("b", "nowhere");
        await _server.UnlockAsync("a");
        await _server.UnlockAsync("a");
        await _server.AskAsync(RawClient.Request(SteadyState, [], ProtocolHeader));

        var scrape = await ScrapeAsync();

        Assert.Equal((2, 1, 1, 1), (Requests("lock", "granted"), Requests("lock", "already_held"), Requests("lock", "full"), Requests("lock", "unknown_group")));
        Assert.Equal((1, 1, 1), (Requests("unlock", "released"), Requests("unlock", "not_held"), Requests("unlock", "invalid_body")));
        Assert.Equal(8, scrape.Samples.Where(sample => sample.Key.StartsWith("fleetlock_requests_total", StringComparison.Ordinal)).Sum(sample => sample.Value));

        double Requests(string operation, string outcome) => scrape[$"fleetlock_requests_total{{operation=\"{operation}\",outcome=\"{outcome}\"}}"];
    }

    /// <summary>A rate needs a zero to begin with, and a client cannot make series.</summary>
    [Fact]
    public async Task Every_series_of_requests_is_there_from_the_start()
    {
        var before = await ScrapeAsync();

        await _server.AskAsync(RawClient.Request(PreReboot, []));
        await _server.AskAsync(RawClient.Request(PreReboot, Encoding.UTF8.GetBytes(new string('x', 20_000)), ProtocolHeader));
        await _server.AskAsync(Request(PreReboot, "my_group", "a"));
        await _server.AskAsync(Request(SteadyState, Group, new string('x', 300)));
        await _server.LockAsync("a", "nowhere");
        await _server.LockAsync("a");
        await _server.UnlockAsync("a");
        _store.Way = AwayStore.Failing;
        await _server.LockAsync("a");
        await _server.UnlockAsync("a");
        _store.Way = Task.CompletedTask;

        Assert.Equal(before.Samples.Keys, (await ScrapeAsync()).Samples.Keys);
    }

    [Fact]
    public async Task Airlocks_names_tell_the_same()
    {
        await _server.LockAsync("a");
        await _server.LockAsync("a");
        await _server.UnlockAsync("b");

        var scrape = await ScrapeAsync();

        Assert.Equal((2, 2, 1), (scrape["airlock_config_groups"], scrape["airlock_config_semaphore_slots{group=\"workers\"}"], scrape["airlock_config_semaphore_slots{group=\"other\"}"]));
        Assert.Equal((2, 1), (scrape["airlock_database_semaphore_slots{group=\"workers\"}"], scrape["airlock_database_semaphore_lock_holders{group=\"workers\"}"]));
        Assert.Equal((2, 1), (scrape["airlock_v1_pre_reboot_incoming_requests_total"], scrape["airlock_v1_steady_state_incoming_requests_total"]));
    }

    [Fact]
    public async Task When_the_store_is_away_the_counters_are_still_told()
    {
        await _server.LockAsync("a");
        _store.Way = AwayStore.Failing;
        await _server.LockAsync("b");

        var scrape = await ScrapeAsync();

        Assert.Equal((0, 1), (scrape["fleetlock_store_up"], scrape["fleetlock_requests_total{operation=\"lock\",outcome=\"granted\"}"]));
        Assert.Equal(1, scrape["fleetlock_requests_total{operation=\"lock\",outcome=\"store_unavailable\"}"]);
        Assert.Equal(2, scrape["fleetlock_store_failures_total"]);
        Assert.DoesNotContain(scrape.Samples.Keys, series => series.StartsWith("fleetlock_slots", StringComparison.Ordinal));

        _store.Way = Task.CompletedTask;
        Assert.Equal(1, (await ScrapeAsync())["fleetlock_store_up"]);
    }

    [Fact]
    public async Task When_the_store_hangs_the_counters_are_told_after_two_seconds()
    {
        _store.Way = AwayStore.Hanging;

        var answer = await AfterTwoSecondsAsync("GET /metrics");

        Assert.Equal(0, Scrape.Parse(answer.Body)["fleetlock_store_up"]);
    }

    [Fact]
    public async Task When_the_store_hangs_the_server_is_not_ready_and_says_so_after_two_seconds()
    {
        _store.Way = AwayStore.Hanging;

        Answers.AssertRefused(503, "store_unavailable", await AfterTwoSecondsAsync("GET /readyz"));

        _store.Way = Task.CompletedTask;
        Assert.Equal(200, (await _server.AskAsync(RawClient.Head("GET /readyz"))).Status);
    }

    [Theory]
    [InlineData("/healthz")]
    [InlineData("/readyz")]
    public async Task A_HEAD_is_the_GET_without_its_body(string path)
    {
        using var client = await RawClient.ConnectAsync(_server.Address);
        await client.SendAsync(RawClient.Head("HEAD " + path));

        var answer = await client.ReceiveAsync(hasBody: false);

        Assert.Equal((200, "15"), (answer!.Status, answer.Header("Content-Length")));
        Assert.Equal("""{"status":"ok"}""", (await client.AskAsync(RawClient.Head("GET " + path))).Body);
    }

    [Fact]
    public async Task A_forced_release_is_counted()
    {
        await _server.LockAsync("a");
        await _server.AskAsync(RawClient.Head("DELETE /v1/groups/workers/holders/a?reason=gone", ProtocolHeader));
        await _server.AskAsync(RawClient.Head("DELETE /v1/groups/workers/holders/a?reason=gone", ProtocolHeader));

        Assert.Equal(1, (await ScrapeAsync())["fleetlock_forced_releases_total"]);
    }

    private async Task<Scrape> ScrapeAsync()
    {
        var answer = await _server.AskAsync(RawClient.Head("GET /metrics"));
        Assert.Equal(200, answer.Status);
        return Scrape.Parse(answer.Body);
    }

    /// <summary>Asks, and lets the server's clock run until there is an answer, which there is not before.</summary>
    private async Task<RawResponse> AfterTwoSecondsAsync(string line)
    {
        var calls = _store.Calls;
        var answer = _server.AskAsync(RawClient.Head(line));
        while (_store.Calls == calls)
            await Task.Delay(1, TestContext.Current.CancellationToken);
        Assert.False(answer.IsCompleted);
        while (!answer.IsCompleted)
        {
            _server.Clock.Advance(SharedRead<int>.Limit);
            await Task.WhenAny(answer, Task.Delay(10, TestContext.Current.CancellationToken));
        }

        return await answer;
    }
}
