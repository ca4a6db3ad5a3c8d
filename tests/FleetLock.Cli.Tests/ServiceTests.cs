using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using FleetLock.TestKit;

namespace FleetLock.Cli.Tests;

/// <summary><c>serve</c> as a service: what it tells systemd, and how it stops.</summary>
public sealed class ServiceTests : IDisposable
{
    private readonly Ctl _ctl = new();

    public void Dispose() => _ctl.Dispose();

    [Fact]
    public Task Systemd_is_told_of_the_start_and_of_the_stop() => AssertToldAsync(_ctl.PathOf("notify"), _ctl.PathOf("notify"));

    [Fact]
    public Task Systemd_is_told_by_an_abstract_address_too()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Abstract addresses are Linux's.");
        var name = $"fleetlock-{Guid.NewGuid():N}";
        return AssertToldAsync("@" + name, "\0" + name);
    }

    [Fact]
    public async Task The_watchdog_hears_of_it_again_and_again()
    {
        Machine.RequireUnix();
        using var systemd = Listen(_ctl.PathOf("notify"));
        (_ctl.Variables["NOTIFY_SOCKET"], _ctl.Variables["WATCHDOG_USEC"]) = (_ctl.PathOf("notify"), "200000");
        _ctl.Start("serve", "--listen", "http://127.0.0.1:0", "--data", ":memory:");

        Assert.StartsWith("READY=1", await ReceiveAsync(systemd), StringComparison.Ordinal);
        Assert.Equal(["WATCHDOG=1", "WATCHDOG=1"], [await ReceiveAsync(systemd), await ReceiveAsync(systemd)]);
    }

    [Fact]
    public async Task The_watchdog_of_another_process_is_none_of_its_business()
    {
        Machine.RequireUnix();
        using var systemd = Listen(_ctl.PathOf("notify"));
        (_ctl.Variables["NOTIFY_SOCKET"], _ctl.Variables["WATCHDOG_USEC"], _ctl.Variables["WATCHDOG_PID"]) = (_ctl.PathOf("notify"), "1000", "1");
        var server = _ctl.Start("serve", "--listen", "http://127.0.0.1:0", "--data", ":memory:");
        Assert.StartsWith("READY=1", await ReceiveAsync(systemd), StringComparison.Ordinal);

        await server.SignalAsync("TERM");

        Assert.StartsWith("STOPPING=1", await ReceiveAsync(systemd), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_cannot_start_is_never_ready()
    {
        Machine.RequireUnix();
        using var systemd = Listen(_ctl.PathOf("notify"));
        _ctl.Variables["NOTIFY_SOCKET"] = _ctl.PathOf("notify");

        Assert.Equal(69, (await _ctl.RunAsync("serve", "--listen", "http://192.0.2.1:0", "--data", ":memory:")).ExitCode);
        Assert.Equal(0, systemd.Available);
    }

    [Fact]
    public async Task A_notice_that_nobody_takes_is_one_line_and_no_end()
    {
        Machine.RequireUnix();
        _ctl.Variables["NOTIFY_SOCKET"] = _ctl.PathOf("nobody");
        var server = _ctl.Start("serve", "--listen", "http://127.0.0.1:0", "--data", ":memory:");
        await server.Errors.LineAsync("systemd cannot be told of READY=1");

        await server.SignalAsync("TERM");

        Assert.Equal(0, (await server.EndAsync()).ExitCode);
    }

    [Fact]
    public async Task A_stop_answers_a_request_that_is_held_at_once()
    {
        Machine.RequireUnix();
        var server = _ctl.Start("serve", "--listen", "http://127.0.0.1:0", "--data", ":memory:");
        var address = new Uri((await server.Output.LineAsync("Listening")).Split(' ')[2]);
        await RawClient.AskAsync(address, Lock("holder"));
        var held = RawClient.AskAsync(address, Lock("other", "Prefer: wait=3600"));
        while (!(await RawClient.AskAsync(address, RawClient.Head("GET /v1/groups"))).Body.Contains("\"waiting\":1", StringComparison.Ordinal))
            await Task.Delay(10, TestContext.Current.CancellationToken);

        await server.SignalAsync("TERM");

        var answer = await held.WaitAsync(TestTimeout.Hang, TestContext.Current.CancellationToken);
        Assert.Equal(503, answer.Status);
        Assert.Contains("shutting_down", answer.Body, StringComparison.Ordinal);
        Assert.Equal(0, (await server.EndAsync()).ExitCode);
    }

    [Fact]
    public async Task The_unit_file_is_one_that_systemd_takes()
    {
        const string Verifier = "/usr/bin/systemd-analyze";
        Assert.SkipUnless(File.Exists(Verifier), $"There is no {Verifier}.");
        var text = File.ReadAllText(Repository.PathOf("docs", "service", "fleetlock.service"));
        Assert.Contains("ExecStart=/usr/local/bin/fleetlockctl serve ", text, StringComparison.Ordinal);

        // The verifier wants the program to be there.
        var program = _ctl.WriteScript("fleetlockctl", "#!/bin/sh\n");
        var unit = _ctl.Write("fleetlock.service", text.Replace("/usr/local/bin/fleetlockctl", program, StringComparison.Ordinal));
        Assert.Equal((0, ""), await VerifyAsync(unit));

        File.AppendAllText(unit, "\n[Service]\nNoSuchSetting=yes\n");
        Assert.Contains("NoSuchSetting", (await VerifyAsync(unit)).Says, StringComparison.Ordinal);

        static async Task<(int ExitCode, string Says)> VerifyAsync(string unit)
        {
            using var verifier = Process.Start(new ProcessStartInfo(Verifier, ["verify", "--man=no", unit]) { RedirectStandardError = true })!;
            var says = await verifier.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            await verifier.WaitForExitAsync(TestContext.Current.CancellationToken);
            return (verifier.ExitCode, says);
        }
    }

    [Fact]
    public async Task What_the_unit_file_starts_is_what_the_command_line_takes()
    {
        Machine.RequireUnix();
        var start = File.ReadLines(Repository.PathOf("docs", "service", "fleetlock.service")).Single(line => line.StartsWith("ExecStart=", StringComparison.Ordinal));
        var arguments = start.Split(' ')[1..].Select(argument => argument.Replace(":3333", ":0", StringComparison.Ordinal));
        var server = _ctl.Start([.. arguments, "--data", ":memory:"]);

        Assert.Contains("default=1", await server.Output.LineAsync("Listening"), StringComparison.Ordinal);
    }

    private async Task AssertToldAsync(string variable, string path)
    {
        Machine.RequireUnix();
        using var systemd = Listen(path);
        _ctl.Variables["NOTIFY_SOCKET"] = variable;
        var server = _ctl.Start("serve", "--listen", "http://127.0.0.1:0", "--data", ":memory:");
        var address = (await server.Output.LineAsync("Listening")).Split(' ')[2];

        Assert.Equal($"READY=1\nSTATUS=Listening on {address}.", await ReceiveAsync(systemd));
        await server.SignalAsync("TERM");
        Assert.Equal("STOPPING=1\nSTATUS=Stopping.", await ReceiveAsync(systemd));
        var end = await server.EndAsync();
        Assert.Equal((0, ""), (end.ExitCode, end.Errors));
    }

    private static Socket Listen(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        return socket;
    }

    private static async Task<string> ReceiveAsync(Socket socket)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TestTimeout.Hang);
        var buffer = new byte[1024];
        return Encoding.UTF8.GetString(buffer, 0, await socket.ReceiveAsync(buffer, SocketFlags.None, limit.Token));
    }

    private static byte[] Lock(string id, params IEnumerable<string> headers) =>
        RawClient.Request("POST /v1/pre-reboot", WireFormat.WriteRequest("default", id), ["fleet-lock-protocol: true", .. headers]);
}
