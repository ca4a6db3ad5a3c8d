using FleetLock.TestKit;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using static FleetLock.Server.Tests.Answers;
using static FleetLock.Server.Tests.Sample;

namespace FleetLock.Server.Tests;

/// <summary>A configuration file that is edited while the server runs.</summary>
public sealed class ReloadTests : IAsyncLifetime
{
    private const string Start = """{"listen":"http://127.0.0.1:0","groups":{"workers":1},"data":":memory:"}""";

    private readonly TemporaryDirectory _folder = new();
    private readonly CapturedLog _log = new();
    private readonly FakeTimeProvider _clock = new(Since);
    private FleetLockServer _server = null!;
    private ConfigurationWatch _watch = null!;

    private string File => _folder.File("server.json");

    public async ValueTask InitializeAsync()
    {
        Write(Start);
        var source = new ServerConfigurationSource(new ServerSettings(), new Dictionary<string, string>(), File);
        var configuration = source.Load();
        var options = configuration.ToOptions(configuration.CreateStore(() => "")) with { Clock = _clock, Logging = logging => logging.AddProvider(_log) };
        _server = await FleetLockServer.StartAsync(options, TestContext.Current.CancellationToken);
        _watch = ConfigurationWatch.Start(_server, options, source, configuration);
    }

    public async ValueTask DisposeAsync()
    {
        await _watch.DisposeAsync();
        await _server.DisposeAsync();
        _folder.Dispose();
        _log.Dispose();
    }

    [Fact]
    public async Task Slots_change_and_the_holder_stays()
    {
        AssertDone(await LockAsync("a"));
        AssertRefused(409, "failed_lock_semaphore_full", "1", await LockAsync("b"));

        await EditAsync(Start.Replace(":1}", ":2}", StringComparison.Ordinal));

        AssertDone(await LockAsync("b"));
        AssertRefused(409, "failed_lock_semaphore_full", "2", await LockAsync("c"));
        AssertDone(await LockAsync("a"));
    }

    [Fact]
    public async Task Fewer_slots_than_holders_lose_no_holder()
    {
        await EditAsync(Start.Replace(":1}", ":2}", StringComparison.Ordinal));
        AssertDone(await LockAsync("a"));
        AssertDone(await LockAsync("b"));

        await EditAsync(Start);

        AssertDone(await LockAsync("a"));
        AssertDone(await LockAsync("b"));
        AssertRefused(409, "failed_lock_semaphore_full", await LockAsync("c"));
    }

    [Fact]
    public async Task A_group_comes_and_a_group_that_goes_can_still_be_released()
    {
        AssertDone(await LockAsync("a"));

        await EditAsync(Start.Replace("workers", "others", StringComparison.Ordinal));

        AssertDone(await LockAsync("a", "others"));
        AssertRefused(400, "unknown_group", "workers", await LockAsync("b"));
        AssertDone(await AskAsync(TestServer.Request(TestServer.SteadyState, Group, "a")));
    }

    [Fact]
    public async Task What_an_operator_has_set_stays_until_the_file_says_another_number()
    {
        await AskAsync(RawClient.Request("PUT /v1/groups/workers", """{"slots":3}"""u8.ToArray(), TestServer.ProtocolHeader));

        await EditAsync(Start.Replace("{\"workers\"", "{\"others\":1,\"workers\"", StringComparison.Ordinal));
        Assert.Contains("\"slots\":3", (await AskAsync(RawClient.Head("GET /v1/groups/workers"))).Body, StringComparison.Ordinal);

        await EditAsync(Start.Replace(":1}", ":2}", StringComparison.Ordinal));
        Assert.Contains("\"slots\":2", (await AskAsync(RawClient.Head("GET /v1/groups/workers"))).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tokens_come_and_go()
    {
        var token = $$"""{"name":"node","role":"node","sha256":"{{Credential.HashOf("secret")}}"}""";
        await EditAsync(Start.Replace("{\"listen\"", $"{{\"tokens\":[{token}],\"listen\"", StringComparison.Ordinal));
        AssertRefused(401, "unauthorized", await LockAsync("a"));
        AssertDone(await LockAsync("a", headers: "Authorization: Bearer secret"));

        await EditAsync(Start);
        AssertDone(await LockAsync("a"));
    }

    [Fact]
    public async Task Limits_change()
    {
        await EditAsync(Start.Replace("{\"listen\"", "{\"limits\":{\"requestsPerMinutePerAddress\":1,\"maxWaitSeconds\":0},\"listen\"", StringComparison.Ordinal));

        AssertDone(await LockAsync("a", headers: "Prefer: wait=60"));
        AssertRefused(429, "too_many_requests", await LockAsync("a"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("""{"groups":{"workers":-1}}""")]
    [InlineData("""{"grups":{"workers":1}}""")]
    [InlineData("""{"listen":"https://127.0.0.1:0"}""")]
    [InlineData(null)]
    public async Task A_file_that_is_not_good_changes_nothing_and_is_told_of_once(string? json)
    {
        AssertDone(await LockAsync("a"));
        if (json is null)
            System.IO.File.Delete(File);
        else
            Write(json);

        for (var i = 0; i < 3; i++)
            await LookAsync();

        AssertDone(await LockAsync("a"));
        AssertRefused(409, "failed_lock_semaphore_full", "1", await LockAsync("b"));
        _log.AssertHas(LogLevel.Error, nameof(TrustLog.ConfigurationKept), File);

        await EditAsync(Start.Replace(":1}", ":2}", StringComparison.Ordinal));
        AssertDone(await LockAsync("b"));
    }

    [Theory]
    [InlineData("\"data\":\":memory:\"", "\"data\":\"other.db\"", "data")]
    [InlineData("http://127.0.0.1:0", "http://127.0.0.1:3333", "listen")]
    [InlineData("{\"listen\"", "{\"log\":\"json\",\"listen\"", "log")]
    [InlineData("{\"listen\"", "{\"limits\":{\"maxConnections\":7},\"listen\"", "limits.maxConnections")]
    [InlineData(",\"data\":\":memory:\"", ",\"etcd\":{\"endpoints\":\"http://127.0.0.1:1\"}", "data, etcd")]
    public async Task What_takes_a_restart_is_told_of_once_and_the_rest_is_taken_over(string old, string replacement, string members)
    {
        var edited = Start.Replace(old, replacement, StringComparison.Ordinal);
        await EditAsync(edited.Replace(":1}", ":2}", StringComparison.Ordinal));
        await EditAsync(edited.Replace(":1}", ":3}", StringComparison.Ordinal));

        _log.AssertHas(LogLevel.Warning, nameof(TrustLog.RestartNeeded), members);
        AssertDone(await LockAsync("a"));
        AssertDone(await LockAsync("b"));
        AssertDone(await LockAsync("c"));
        AssertRefused(409, "failed_lock_semaphore_full", "3", await LockAsync("d"));
    }

    [Fact]
    public async Task A_file_that_has_not_changed_is_not_taken_over_again()
    {
        System.IO.File.SetLastWriteTimeUtc(File, DateTime.UtcNow.AddHours(1));
        for (var i = 0; i < 3; i++)
            await LookAsync();

        Assert.DoesNotContain(_log.Lines, line => line.Event is nameof(TrustLog.ConfigurationReloaded) or nameof(TrustLog.ConfigurationKept));
    }

    [Fact]
    public async Task A_reload_that_is_asked_for_reads_it_all_the_same()
    {
        await _watch.ReloadAsync();

        _log.AssertHas(LogLevel.Information, nameof(TrustLog.ConfigurationReloaded), File);
    }

    [Fact]
    public async Task Options_that_break_a_rule_change_nothing()
    {
        var options = TestServer.Options(new MemoryStore(), (Group, 2));

        await Assert.ThrowsAsync<FleetLockInputException>(() => ReconfigureAsync(options with { Groups = new Dictionary<string, int> { [Group] = -1 } }));
        await Assert.ThrowsAsync<FleetLockInputException>(() => ReconfigureAsync(options with { Credentials = [new Credential("a", Role.Node) { Sha256 = "x" }] }));

        AssertDone(await LockAsync("a"));
        AssertRefused(409, "failed_lock_semaphore_full", "1", await LockAsync("b"));
    }

    private async Task ReconfigureAsync(FleetLockServerOptions options) => await _server.ReconfigureAsync(options);

    private void Write(string json)
    {
        System.IO.File.WriteAllText(File + ".new", json);
        System.IO.File.Move(File + ".new", File, overwrite: true);
    }

    private async Task EditAsync(string json)
    {
        Write(json);
        await LookAsync();
    }

    /// <summary>Lets the watch look, and waits until it has looked.</summary>
    private async Task LookAsync()
    {
        _clock.Advance(ConfigurationWatch.Interval);
        await _watch.LookedAsync();
    }

    private Task<RawResponse> LockAsync(string id, string group = Group, params string[] headers) =>
        AskAsync(RawClient.Request(TestServer.PreReboot, WireFormat.WriteRequest(group, id), [TestServer.ProtocolHeader, .. headers]));

    private Task<RawResponse> AskAsync(byte[] request) => RawClient.AskAsync(_server.Address, request);
}
