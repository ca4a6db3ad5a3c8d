using System.Net.Sockets;
using FleetLock.TestKit;

namespace FleetLock.Cli.Tests;

/// <summary>A server behind a Unix socket: <c>http+unix://%2Fpath%2Fof%2Fsocket</c>.</summary>
public sealed class UnixSocketTests : IDisposable
{
    private readonly Ctl _ctl = new();

    public UnixSocketTests() => Machine.RequireUnix();

    public void Dispose() => _ctl.Dispose();

    [Theory]
    [InlineData("recursive-lock", "POST /v1/pre-reboot HTTP/1.1")]
    [InlineData("unlock-if-held", "POST /v1/steady-state HTTP/1.1")]
    [InlineData("status", "GET /v1/groups HTTP/1.1")]
    public async Task A_command_asks_the_socket(string command, string line)
    {
        await using var server = Start();

        var finished = await _ctl.RunAsync(command, "-u", server.Url, "-i", "node1");

        Assert.Equal((0, ""), (finished.ExitCode, finished.Errors));
        Assert.Equal(line, Assert.Single(server.Requests).Line);
        Assert.Equal("localhost", server.Requests[0].Header("Host"));
    }

    [Fact]
    public async Task A_run_names_the_socket_by_its_URL()
    {
        await using var server = Start();

        var finished = await _ctl.RunAsync("run", "-u", server.Url, "-i", _ctl.Id, "--", "true");

        Assert.Equal(0, finished.ExitCode);
        Assert.Contains(server.Url, finished.ErrorLines[0], StringComparison.Ordinal);
        Assert.Equal(["POST /v1/pre-reboot HTTP/1.1", "POST /v1/steady-state HTTP/1.1"], server.Requests.Select(request => request.Line));
    }

    [Fact]
    public async Task A_path_after_the_socket_is_kept()
    {
        await using var server = Start();

        Assert.Equal(0, (await _ctl.RunAsync("recursive-lock", "-u", server.Url + "/fleet/", "-i", "node1")).ExitCode);

        Assert.Equal("POST /fleet/v1/pre-reboot HTTP/1.1", Assert.Single(server.Requests).Line);
    }

    [Fact]
    public async Task No_proxy_is_asked_and_the_doctor_does_not_say_so()
    {
        await using var proxy = new RawServer(RawAnswer.Http(200));
        _ctl.Variables["http_proxy"] = _ctl.Variables["HTTP_PROXY"] = proxy.Url;
        await using var server = Start();

        var healthy = await _ctl.RunAsync("test", "-u", server.Url, "-i", "node1");

        Assert.Equal(0, healthy.ExitCode);
        Assert.Empty(proxy.Requests);
        Assert.DoesNotContain("proxy", healthy.Output, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_socket_that_is_not_there_is_named()
    {
        var url = "http+unix://" + Uri.EscapeDataString(_ctl.PathOf("missing.sock"));

        var refused = await _ctl.RunAsync("recursive-lock", "-u", url, "-i", "node1");
        var sick = await _ctl.RunAsync("test", "-u", url, "-i", "node1");

        Assert.Equal((69, ""), (refused.ExitCode, refused.Output));
        Assert.Contains(_ctl.PathOf("missing.sock"), Assert.Single(refused.ErrorLines), StringComparison.Ordinal);
        Assert.Equal(1, sick.ExitCode);
        Assert.Contains(_ctl.PathOf("missing.sock"), sick.Output, StringComparison.Ordinal);
    }

    private RawServer Start() => new(
        request => request switch
        {
            _ when request.Line.StartsWith("GET", StringComparison.Ordinal) => RawAnswer.Http(200, """{"groups":[{"group":"default","slots":1,"free":1,"holders":[]}]}"""),
            _ when request.Header("fleet-lock-protocol") is null => RawAnswer.Http(400, """{"kind":"missing_fleetlock_header","value":"no header"}"""),
            _ => RawAnswer.Http(200),
        },
        at: new UnixDomainSocketEndPoint(_ctl.PathOf("fleetlock.sock")));
}
