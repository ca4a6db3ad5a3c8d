using FleetLock.TestKit;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using static FleetLock.Server.Tests.CertificateFiles;

namespace FleetLock.Server.Tests;

/// <summary>A configuration file that names another certificate while the server runs.</summary>
public sealed class TlsReloadTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();
    private readonly TestAuthority _authority = new();
    private readonly CapturedLog _log = new();
    private readonly FakeTimeProvider _clock = new(Sample.Since);

    public void Dispose()
    {
        _folder.Dispose();
        _authority.Dispose();
        _log.Dispose();
    }

    [Fact]
    public async Task It_is_taken_over_as_soon_as_it_is_there()
    {
        using var first = _authority.Issue("127.0.0.1");
        using var second = _authority.Issue("127.0.0.1");
        File.WriteAllText(_folder.File("first.pem"), Pem(first));
        Write("first.pem", slots: 1);
        var source = new ServerConfigurationSource(new ServerSettings(), new Dictionary<string, string>(), _folder.File("server.json"));
        var configuration = source.Load();
        var options = configuration.ToOptions(new MemoryStore()) with { Clock = _clock, Logging = logging => logging.AddProvider(_log) };
        await using var server = await FleetLockServer.StartAsync(options, TestContext.Current.CancellationToken);
        await using var watch = ConfigurationWatch.Start(server, options, source, configuration);

        Write("second.pem", slots: 2);
        await LookAsync(watch);
        await LookAsync(watch);
        Assert.Equal(first.Thumbprint, await ShownAsync(server));
        Assert.Contains(_folder.File("second.pem"), Assert.Single(_log.Lines, line => line.Level == LogLevel.Error).Text, StringComparison.Ordinal);

        File.WriteAllText(_folder.File("second.pem"), Pem(second));
        await LookAsync(watch);
        Assert.Equal(second.Thumbprint, await ShownAsync(server));

        // And the new file is the one that is watched.
        Replace(_folder.File("second.pem"), Pem(first));
        await LookAsync(watch);
        Assert.Equal(first.Thumbprint, await ShownAsync(server));
    }

    private void Write(string certificate, int slots) => File.WriteAllText(
        _folder.File("server.json"),
        $$"""{"listen":"https://127.0.0.1:0","groups":{"workers":{{slots}} },"tls":{"certificate":"{{certificate}}"} }""");

    private async Task LookAsync(ConfigurationWatch watch)
    {
        _clock.Advance(ConfigurationWatch.Interval);
        await watch.LookedAsync();
    }

    private static async Task<string> ShownAsync(FleetLockServer server) => (await TlsConnection.ShownCertificateAsync(server.Address)).Thumbprint;
}
