using System.Security.Cryptography.X509Certificates;
using FleetLock.TestKit;

namespace FleetLock.Cli.Tests;

/// <summary>Whose certificate is accepted, and whose is shown: against a TLS server with certificates that no machine trusts.</summary>
public sealed class TlsTests : IDisposable
{
    private const string Warning = "Warning: the server's certificate is not checked";

    private readonly Ctl _ctl = new();
    private readonly TestAuthority _authority = new();

    public void Dispose()
    {
        _ctl.Dispose();
        _authority.Dispose();
    }

    [Theory]
    [InlineData("recursive-lock")]
    [InlineData("unlock-if-held")]
    [InlineData("run")]
    public async Task A_server_of_the_named_authority_is_accepted(string command)
    {
        using var certificate = _authority.Issue("127.0.0.1");
        await using var server = new RawServer(certificate, RawAnswer.Http(200));

        var granted = await RunAsync(command, server.Url, "--ca-certificate", _ctl.Write("ca.pem", _authority.Pem));

        Assert.Equal(0, granted.ExitCode);
        Assert.DoesNotContain("Warning", granted.Errors, StringComparison.Ordinal);
        Assert.NotEmpty(server.Requests);
    }

    [Theory]
    [InlineData("FLEETLOCK_CA_CERTIFICATE_PATH")]
    [InlineData("configuration file")]
    public async Task The_authority_can_be_named_elsewhere(string place)
    {
        using var certificate = _authority.Issue("127.0.0.1");
        await using var server = new RawServer(certificate, RawAnswer.Http(200));
        var file = _ctl.Write("ca.pem", _authority.Pem);
        if (place == "configuration file")
            _ctl.Write("fleetlock/config.json", $$"""{ "caCertificatePath": "{{file}}" }""");
        else
            _ctl.Variables[place] = file;

        Assert.Equal(0, (await RunAsync("recursive-lock", server.Url)).ExitCode);
    }

    [Theory]
    [InlineData("no option")]
    [InlineData("another authority")]
    [InlineData("expired")]
    [InlineData("another name")]
    public async Task Any_other_certificate_is_refused_and_nothing_is_sent(string fault)
    {
        using var another = new TestAuthority();
        using var certificate = _authority.Issue(fault == "another name" ? "fleetlock.example.net" : "127.0.0.1", -20, fault == "expired" ? -10 : 30);
        await using var server = new RawServer(certificate, RawAnswer.Http(200));
        var file = _ctl.Write("ca.pem", fault == "another authority" ? another.Pem : _authority.Pem);
        string[] options = fault == "no option" ? [] : ["--ca-certificate", file];

        var refused = await RunAsync("run", server.Url, options);
        var sick = await RunAsync("test", server.Url, options);
        var status = await RunAsync("status", server.Url, options);

        Assert.Equal((69, ""), (refused.ExitCode, refused.Output));
        Assert.Contains($"127.0.0.1:{server.Port}", refused.ErrorLines[^1], StringComparison.Ordinal);
        Assert.False(File.Exists(_ctl.PathOf("ran")));
        Assert.Equal(1, sick.ExitCode);
        Assert.Contains(sick.OutputLines, line => line.StartsWith("FAILED  TLS ", StringComparison.Ordinal));
        Assert.DoesNotContain("Protocol", sick.Output, StringComparison.Ordinal);
        Assert.Equal(69, status.ExitCode);
        Assert.Empty(server.Requests);
    }

    [Theory]
    [InlineData("recursive-lock")]
    [InlineData("unlock-if-held")]
    [InlineData("run")]
    [InlineData("status")]
    [InlineData("test")]
    public async Task A_check_that_is_skipped_is_warned_of_each_time(string command)
    {
        using var certificate = _authority.Issue("fleetlock.example.net", -20, -10);
        await using var server = new RawServer(certificate, RawAnswer.Http(200));

        for (var time = 0; time < 2; time++)
        {
            var finished = await RunAsync(command, server.Url, "--skip-certificate-check");

            Assert.StartsWith(Warning, finished.ErrorLines[0], StringComparison.Ordinal);
            Assert.Single(finished.ErrorLines, line => line.StartsWith(Warning, StringComparison.Ordinal));
            Assert.DoesNotContain("Warning", finished.Output, StringComparison.Ordinal);
        }

        Assert.NotEmpty(server.Requests);
    }

    [Fact]
    public async Task The_doctor_tells_of_the_certificate()
    {
        using var certificate = _authority.Issue("127.0.0.1");
        await using var server = new RawServer(certificate, RawAnswer.Http(400, """{"kind":"missing_fleetlock_header","value":"no header"}"""), RawAnswer.Http(404));

        var healthy = await RunAsync("test", server.Url, "--ca-certificate", _ctl.Write("ca.pem", _authority.Pem));

        Assert.Equal((0, ""), (healthy.ExitCode, healthy.Errors));
        Assert.Contains(healthy.OutputLines, line => line.StartsWith("ok      TLS ", StringComparison.Ordinal) && line.Contains(" days left", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("pem")]
    [InlineData("pfx")]
    public async Task A_certificate_of_the_clients_is_shown_to_a_server_that_asks_for_it(string form)
    {
        await using var server = StartMutual();
        var authority = _ctl.Write("ca.pem", _authority.Pem);

        var granted = await RunAsync("recursive-lock", server.Url, "--ca-certificate", authority, "--certificate", WriteClientCertificate(form));
        Assert.Equal((0, ""), (granted.ExitCode, granted.Errors));

        var refused = await RunAsync("recursive-lock", server.Url, "--ca-certificate", authority);
        Assert.Equal((69, ""), (refused.ExitCode, refused.Output));
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task The_doctor_shows_the_certificate_too_and_fails_without_it()
    {
        await using var server = StartMutual();
        var authority = _ctl.Write("ca.pem", _authority.Pem);

        var healthy = await RunAsync("test", server.Url, "--ca-certificate", authority, "--certificate", WriteClientCertificate("pem"));
        Assert.Equal(0, healthy.ExitCode);

        var sick = await RunAsync("test", server.Url, "--ca-certificate", authority);
        Assert.Equal(1, sick.ExitCode);
    }

    [Fact]
    public async Task The_doctor_gives_up_on_a_handshake_that_does_not_end()
    {
        await using var server = new RawServer(RawAnswer.Never);

        var sick = await TestTimeout.LongEnoughAsync(
            seconds => RunAsync("test", $"https://127.0.0.1:{server.Port}", "--timeout", $"{seconds}"),
            sick => sick.Output.Contains("TLS", StringComparison.Ordinal));

        Assert.Equal(1, sick.ExitCode);
        Assert.Contains(sick.OutputLines, line => line.StartsWith("FAILED  TLS ", StringComparison.Ordinal) && line.Contains($"127.0.0.1:{server.Port}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_signal_ends_the_doctors_handshake()
    {
        Machine.RequireUnix();
        await using var server = new RawServer(RawAnswer.Never);
        var test = _ctl.Start("test", "-u", $"https://127.0.0.1:{server.Port}", "-i", "node1");
        await test.Output.LineAsync("accepts connections");

        await test.SignalAsync("TERM");

        Assert.Equal(130, (await test.FinishAsync()).ExitCode);
    }

    [Theory]
    [InlineData("no key")]
    [InlineData("no certificate")]
    public async Task A_file_that_is_no_certificate_with_its_key_is_named(string fault)
    {
        using var certificate = _authority.Issue("node1");
        var file = _ctl.Write("own.pem", fault == "no key" ? certificate.ExportCertificatePem() : "not a certificate");

        var refused = await RunAsync("recursive-lock", "https://127.0.0.1:1", "--certificate", file);

        Assert.Equal((64, ""), (refused.ExitCode, refused.Output));
        Assert.Contains(file, Assert.Single(refused.ErrorLines), StringComparison.Ordinal);
    }

    private RawServer StartMutual() => new(
        request => request.Line.StartsWith("POST /v1/pre-reboot", StringComparison.Ordinal)
            ? RawAnswer.Http(200)
            : RawAnswer.Http(400, """{"kind":"missing_fleetlock_header","value":"no header"}"""),
        TestAuthority.AskingForCertificates(_authority.Issue("127.0.0.1"), shown => shown?.Subject == "CN=node1"));

    private string WriteClientCertificate(string form)
    {
        using var certificate = _authority.Issue("node1");
        if (form == "pem")
            return _ctl.Write("own.pem", certificate.ExportCertificatePem() + "\n" + certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        File.WriteAllBytes(_ctl.PathOf("own.pfx"), certificate.Export(X509ContentType.Pkcs12));
        return _ctl.PathOf("own.pfx");
    }

    private Task<Finished> RunAsync(string command, string url, params string[] options) =>
        _ctl.RunAsync([command, "-u", url, "-i", _ctl.Id, .. options, .. command == "run" ? new[] { "--", "touch", "ran" } : []]);
}
