using System.Net;
using System.Net.Sockets;
using System.Text;
using FleetLock.TestKit;

namespace FleetLock.Core.Tests;

/// <summary>Rule 4: user information in the base address becomes Basic authentication and is never shown.</summary>
public sealed class CredentialsTests
{
    private const string Secret = "s3cr3t";

    public static readonly TheoryData<string, string> UserInformation = new()
    {
        { "user:s3cr3t", "user:s3cr3t" },
        { "user:p%40ss%3Aword", "user:p@ss:word" },
        { "us%2Fer:a:b", "us/er:a:b" },
        { "user", "user:" },
        { ":s3cr3t", ":s3cr3t" },
        { "gr%C3%B6%C3%9Fe:s3cr3t", "größe:s3cr3t" },
    };

    public static readonly TheoryData<string> RefusedUrls =
    [
        "http://user:s3cr3t@fleet.example/?query",
        "http://user:s3cr3t@fleet.example/#fragment",
        "ftp://user:s3cr3t@fleet.example",
        "user:s3cr3t@fleet.example",
        "http://user:s3cr3t@fleet.example:99999",
        "http://user:s3cr3t@",
        "http://user:s3cr3t?x@fleet.example",
        "http://user:s3cr3t#x@fleet.example",
    ];

    [Theory]
    [MemberData(nameof(UserInformation))]
    public async Task User_information_is_sent_as_Basic(string userInformation, string plain)
    {
        await using var server = new RawServer(RawAnswer.Http(200));
        using var client = Exchange.ClientOf($"http://{userInformation}@127.0.0.1:{server.Port}/base");

        await client.SendAsync(FleetLockOperation.Lock);

        var request = Assert.Single(server.Requests);
        Assert.Equal("Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(plain)), request.Header("Authorization"));
        Assert.Equal("POST /base/v1/pre-reboot HTTP/1.1", request.Line);
        Assert.Equal($"127.0.0.1:{server.Port}", request.Header("Host"));
    }

    [Fact]
    public async Task Without_user_information_no_credentials_are_sent_even_when_asked_for()
    {
        await using var server = new RawServer(RawAnswer.Http(401, "", "WWW-Authenticate: Basic realm=\"fleet\""));
        using var client = Exchange.ClientOf(server.Url);

        var result = await client.SendAsync(FleetLockOperation.Lock);

        Assert.Equal(FleetLockStatus.Refused, result.Status);
        Assert.Null(Assert.Single(server.Requests).Header("Authorization"));
    }

    [Theory]
    [InlineData(200)]
    [InlineData(302)]
    [InlineData(401)]
    [InlineData(500)]
    public async Task A_result_does_not_show_the_password(int status)
    {
        await using var server = new RawServer(RawAnswer.Http(status));
        using var client = Exchange.ClientOf($"http://user:{Secret}@127.0.0.1:{server.Port}");

        var result = await client.SendAsync(FleetLockOperation.Lock);

        AssertHidden(result.ToString());
        AssertHidden(result.Server);
        AssertHidden(client.Server.ToString());
        AssertHidden(client.Server.Uri.OriginalString);
        AssertHidden(Advice.For(result));
        if (!result.IsSuccess)
            AssertHidden(new FleetLockException(result).ToString());
    }

    [Fact]
    public async Task A_transport_failure_does_not_show_the_password()
    {
        using var unlistened = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        unlistened.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        using var client = Exchange.ClientOf($"http://user:{Secret}@127.0.0.1:{((IPEndPoint)unlistened.LocalEndPoint!).Port}");

        AssertHidden((await client.SendAsync(FleetLockOperation.Lock)).ToString());
        AssertHidden((await Assert.ThrowsAsync<FleetGroupsException>(() => client.GetGroupsAsync(TestContext.Current.CancellationToken))).ToString());
    }

    [Fact]
    public void Neither_the_address_nor_the_options_show_the_password()
    {
        var options = new FleetLockClientOptions { Server = ServerAddress.Parse($"https://user:{Secret}@fleet.example/base") };

        Assert.Equal("https://fleet.example/base", options.Server.ToString());
        Assert.Equal("https://fleet.example/base", options.Server.Uri.AbsoluteUri);
        AssertHidden(options.Server.Uri.OriginalString);
        AssertHidden(options.Server.Endpoint("v1/pre-reboot").OriginalString);
        AssertHidden(options.ToString());
    }

    [Theory]
    [MemberData(nameof(RefusedUrls))]
    public void A_refused_url_does_not_show_its_password(string url) =>
        AssertHidden(Assert.Throws<FleetLockInputException>(() => ServerAddress.Parse(url)).ToString());

    private static void AssertHidden(string text)
    {
        Assert.DoesNotContain(Secret, text, StringComparison.Ordinal);
        Assert.DoesNotContain(Convert.ToBase64String(Encoding.UTF8.GetBytes("user:" + Secret)), text, StringComparison.Ordinal);
    }
}
