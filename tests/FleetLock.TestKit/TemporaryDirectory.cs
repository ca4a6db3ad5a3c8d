namespace FleetLock.TestKit;

/// <summary>A folder of one test's own, gone when the test ends.</summary>
public sealed class TemporaryDirectory : IDisposable
{
    public string FullName { get; } = Directory.CreateTempSubdirectory("fleetlock-test-").FullName;

    public string File(string name) => Path.Combine(FullName, name);

    public void Dispose() => Directory.Delete(FullName, recursive: true);
}
