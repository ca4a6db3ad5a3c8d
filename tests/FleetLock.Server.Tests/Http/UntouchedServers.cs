using Microsoft.Extensions.Logging;

namespace FleetLock.Server.Tests;

/// <summary>
/// Two servers that nothing of a whole class of tests may change: on one "node" holds a slot, and a bad unlock is not to release it; on the
/// other it holds none, and a bad lock is not to take one.
/// </summary>
public sealed class UntouchedServers : IAsyncLifetime
{
    internal const string Id = "node";

    private readonly CapturedLog _log = new();
    private TestServer _free = null!;
    private TestServer _held = null!;
    private string _before = null!;

    public async ValueTask InitializeAsync()
    {
        _free = await StartAsync();
        _held = await StartAsync();
        await _held.LockAsync(Id);
        _before = await StateAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _free.DisposeAsync();
        await _held.DisposeAsync();

        // Also of requests whose answer nobody waited for.
        Assert.DoesNotContain(_log.Lines, line => line.Level >= LogLevel.Error);
        _log.Dispose();
    }

    /// <summary>Each server with the request line that would change it.</summary>
    internal (TestServer Server, string Line)[] Targets => [(_free, TestServer.PreReboot), (_held, TestServer.SteadyState)];

    /// <summary>No slot was touched, and both still answer.</summary>
    internal async Task AssertUntouchedAsync() => Assert.Equal(_before, await StateAsync());

    private Task<TestServer> StartAsync() =>
        TestServer.StartAsync(TestServer.Options(new MemoryStore(), (Sample.Group, 1)) with { Logging = logging => logging.AddProvider(_log) });

    private async Task<string> StateAsync() => await _free.GroupsAsync() + await _held.GroupsAsync();
}
