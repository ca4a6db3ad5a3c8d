namespace FleetLock.Server.Tests;

/// <summary>
/// Two servers that nothing of a whole class of tests may change: on one "node" holds a slot, and a bad unlock is not to release it; on the
/// other it holds none, and a bad lock is not to take one.
/// </summary>
public sealed class UntouchedServers : IAsyncLifetime
{
    internal const string Id = "node";

    private TestServer _free = null!;
    private TestServer _held = null!;
    private string _before = null!;

    public async ValueTask InitializeAsync()
    {
        _free = await TestServer.StartAsync(new MemoryStore(), (Sample.Group, 1));
        _held = await TestServer.StartAsync(new MemoryStore(), (Sample.Group, 1));
        await _held.LockAsync(Id);
        _before = await StateAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _free.DisposeAsync();
        await _held.DisposeAsync();
    }

    /// <summary>Each server with the request line that would change it.</summary>
    internal (TestServer Server, string Line)[] Targets => [(_free, TestServer.PreReboot), (_held, TestServer.SteadyState)];

    /// <summary>No slot was touched, and both still answer.</summary>
    internal async Task AssertUntouchedAsync() => Assert.Equal(_before, await StateAsync());

    private async Task<string> StateAsync() => await _free.GroupsAsync() + await _held.GroupsAsync();
}
