using FleetLock.TestKit;

namespace FleetLock.Core.Tests;

/// <summary>Rule 2: redirects are off. A followed one turns the POST into a GET, and a login page's 200 into a grant.</summary>
public sealed class RedirectTests
{
    public static readonly MatrixTheoryData<FleetLockOperation, int, string> Redirects = new(
        Exchange.Operations,
        [300, 301, 302, 303, 307, 308],
        ["Location: /login", "Location: /v1/pre-reboot", "Refresh: 0; url=/login"]);

    [Theory]
    [MemberData(nameof(Redirects))]
    public async Task A_redirect_is_never_followed(FleetLockOperation operation, int status, string header)
    {
        await using var server = new RawServer(RawAnswer.Http(status, "", header), RawAnswer.Http(200));
        using var client = Exchange.ClientOf(server.Url);

        var result = await client.SendAsync(operation);

        Assert.Equal(FleetLockStatus.ProtocolError, result.Status);
        Assert.Equal(status, result.HttpStatus);
        Assert.Equal($"generic_http_{status}", result.Kind);
        Assert.StartsWith("POST ", Assert.Single(server.Requests).Line, System.StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(FleetLockOperation.Lock)]
    [InlineData(FleetLockOperation.Unlock)]
    public async Task A_redirect_to_another_server_is_never_followed(FleetLockOperation operation)
    {
        await using var other = new RawServer(RawAnswer.Http(200));
        await using var server = new RawServer(RawAnswer.Http(307, "", $"Location: {other.Url}/v1/pre-reboot"));
        using var client = Exchange.ClientOf(server.Url);

        var result = await client.SendAsync(operation);

        Assert.Equal(FleetLockStatus.ProtocolError, result.Status);
        Assert.Empty(other.Requests);
    }
}
