using System.Text;
using System.Text.Json;
using FleetLock.TestKit;

namespace FleetLock.Core.Tests;

/// <summary>Rule 3: the exact bytes of a request, as Zincati sends them.</summary>
public sealed class RequestBytesTests
{
    public static readonly TheoryData<string> UnusualIds = [@"a""b", @"back\\slash", "a+b<c>&'d'", "größe", "サーバー", @"\ud83d\ude80", "with space"];

    [Theory]
    [InlineData(FleetLockOperation.Lock, "POST /v1/pre-reboot HTTP/1.1")]
    [InlineData(FleetLockOperation.Unlock, "POST /v1/steady-state HTTP/1.1")]
    public async Task A_request_is_the_protocols_line_and_body_and_no_more_headers_than_needed(FleetLockOperation operation, string line)
    {
        await using var server = new RawServer(RawAnswer.Http(200));
        using var client = Exchange.ClientOf(server.Url);

        await client.SendAsync(operation);

        var request = Assert.Single(server.Requests);
        Assert.Equal(line, request.Line);

        // No Content-Type, no Transfer-Encoding, no Expect: there are servers that take none of them.
        string[] grant = operation == FleetLockOperation.Lock ? ["FleetLock-Grant"] : [];
        Assert.Equal(["Content-Length", .. grant, "Host", "User-Agent", "fleet-lock-protocol"], request.HeaderNames.Order(System.StringComparer.Ordinal));
        Assert.Equal("true", request.Header("fleet-lock-protocol"));
        Assert.Equal($"127.0.0.1:{server.Port}", request.Header("Host"));
        Assert.Matches(@"^FleetLock/\d+\.\d+\.\d+$", request.Header("User-Agent"));
        Assert.Equal("""{"client_params":{"id":"35ba2101ae3f4d45b96e9c51f461bbff","group":"workers"}}""", request.Body);
        Assert.Equal(request.Body.Length.ToString(System.Globalization.CultureInfo.InvariantCulture), request.Header("Content-Length"));
    }

    [Fact]
    public async Task A_second_lock_differs_in_its_grant_id_alone()
    {
        await using var server = new RawServer(RawAnswer.Http(200));
        using var client = Exchange.ClientOf(server.Url);

        await client.SendAsync(FleetLockOperation.Lock);
        await client.SendAsync(FleetLockOperation.Lock);

        Assert.Equal(2, server.Requests.Count);
        var (first, second) = (server.Requests[0].Header("FleetLock-Grant")!, server.Requests[1].Header("FleetLock-Grant")!);
        Assert.True(GrantId.IsValid(first) && GrantId.IsValid(second));
        Assert.NotEqual(first, second);
        Assert.Equal(server.Requests[0].Head.Replace(first, second, StringComparison.Ordinal), server.Requests[1].Head);
        Assert.Equal(server.Requests[0].Body, server.Requests[1].Body);
    }

    [Theory]
    [MemberData(nameof(UnusualIds))]
    public async Task An_unusual_id_arrives_as_it_was_given(string escaped)
    {
        var id = Text.Of(escaped);
        await using var server = new RawServer(RawAnswer.Http(200));
        using var client = Exchange.ClientOf(server.Url);

        await client.LockAsync("workers", id, TestContext.Current.CancellationToken);

        var request = Assert.Single(server.Requests);
        using var body = JsonDocument.Parse(request.Body);
        Assert.Equal(id, body.RootElement.GetProperty("client_params").GetProperty("id").GetString());
        Assert.Equal(Encoding.UTF8.GetByteCount(request.Body), int.Parse(request.Header("Content-Length")!, System.Globalization.CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task The_result_names_what_was_asked()
    {
        await using var server = new RawServer(RawAnswer.Http(200));
        using var client = Exchange.ClientOf(server.Url);

        var result = await client.UnlockAsync("a.group-1", "An-Id", TestContext.Current.CancellationToken);

        Assert.Equal(FleetLockOperation.Unlock, result.Operation);
        Assert.Equal("a.group-1", result.Group);
        Assert.Equal("An-Id", result.Id);
        Assert.Equal(server.Url, result.Server);
    }
}
