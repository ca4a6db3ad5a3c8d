using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.RegularExpressions;
using FleetLock.TestKit;

namespace FleetLock.Cli.Tests;

/// <summary><c>serve --config</c> and <c>token</c>: a server that is told by a file what it is, from start to restart.</summary>
public sealed class ServeConfigTests : IDisposable
{
    private readonly Ctl _ctl = new();

    public void Dispose() => _ctl.Dispose();

    [Fact]
    public async Task The_file_says_what_the_options_say()
    {
        _ctl.Write("etc/server.json", """{"listen":"http://127.0.0.1:0","groups":{"workers":2,"controllers":1},"data":"my.db"}""");

        var server = _ctl.Start("serve", "--config", "etc/server.json");

        Assert.Matches(
            $@"^Listening on http://127\.0\.0\.1:\d+ \(groups: workers=2, controllers=1; data: {Regex.Escape(_ctl.PathOf("etc/my.db"))}\)\.$",
            await server.Output.LineAsync("Listening"));
    }

    [Fact]
    public async Task An_option_counts_before_the_file()
    {
        _ctl.Write("server.json", """{"listen":"http://192.0.2.1:0","groups":{"workers":2},"data":"my.db"}""");

        var server = _ctl.Start("serve", "--config", "server.json", "--listen", "http://127.0.0.1:0", "--listen", "http://[::1]:0", "--group", "others=1", "--data", ":memory:");

        Assert.Matches(@"^Listening on http://127\.0\.0\.1:\d+, http://\[::1\]:\d+ .*others=1", await server.Output.LineAsync("Listening"));
    }

    [Theory]
    [InlineData("""{"lisen":"http://127.0.0.1:0"}""", "'lisen'")]
    [InlineData("""{"limits":{"maxConnections":0}}""", "'limits.maxConnections'")]
    [InlineData("{", ":1:")]
    public async Task A_file_that_is_not_good_is_one_line_and_64(string json, string named)
    {
        _ctl.Write("server.json", json);

        var refused = await _ctl.RunAsync("serve", "--config", "server.json");

        var line = Assert.Single(refused.ErrorLines);
        Assert.StartsWith("Error: " + _ctl.PathOf("server.json"), line, StringComparison.Ordinal);
        Assert.Contains(named, line, StringComparison.Ordinal);
        Assert.Equal((64, ""), (refused.ExitCode, refused.Output));
        Assert.Single(Directory.EnumerateFileSystemEntries(_ctl.Folder));
    }

    [Fact]
    public async Task A_hangup_reads_the_file_again_and_no_holder_is_lost()
    {
        Machine.RequireUnix();
        _ctl.Write("server.json", """{"listen":"http://127.0.0.1:0","groups":{"default":1},"data":"my.db"}""");
        var server = _ctl.Start("serve", "--config", "server.json");
        var url = await UrlAsync(server);
        Assert.Equal(0, await LockAsync(url, "a"));
        Assert.Equal(75, await LockAsync(url, "b"));

        _ctl.Write("server.json", """{"listen":"http://127.0.0.1:0","groups":{"default":2},"data":"my.db"}""");
        await server.SignalAsync("HUP");
        await server.Errors.LineAsync("read again and in force");

        Assert.Equal(0, await LockAsync(url, "b"));
        Assert.Equal(75, await LockAsync(url, "c"));
        Assert.Equal(0, await LockAsync(url, "a"));

        await server.SignalAsync("TERM");
        Assert.Equal(0, (await server.EndAsync()).ExitCode);
    }

    [Fact]
    public async Task An_edited_file_is_noticed_and_a_broken_one_is_told_of()
    {
        _ctl.Write("server.json", """{"listen":"http://127.0.0.1:0","groups":{"default":1},"data":":memory:"}""");
        var server = _ctl.Start("serve", "--config", "server.json");
        var url = await UrlAsync(server);

        _ctl.Write("server.json", "{");
        await server.Errors.LineAsync(_ctl.PathOf("server.json"));
        Assert.Equal(0, await LockAsync(url, "a"));

        _ctl.Write("server.json", """{"listen":"http://127.0.0.1:0","groups":{"default":2},"data":":memory:"}""");
        await server.Errors.LineAsync("read again and in force");
        Assert.Equal(0, await LockAsync(url, "b"));
    }

    [Fact]
    public async Task Without_a_file_a_hangup_ends_it()
    {
        Machine.RequireUnix();
        var server = _ctl.Start("serve", "--listen", "http://127.0.0.1:0", "--data", ":memory:");
        await server.Output.LineAsync("Listening");

        await server.SignalAsync("HUP");

        Assert.Equal(0, (await server.EndAsync()).ExitCode);
    }

    [Fact]
    public async Task A_token_that_was_made_is_taken_with_TLS_and_its_restriction()
    {
        using var authority = new TestAuthority();
        using var certificate = authority.Issue("127.0.0.1");
        _ctl.Write("own.pem", certificate.ExportCertificatePem() + "\n" + certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        var ca = _ctl.Write("ca.pem", authority.Pem);
        var made = await _ctl.RunAsync("token", "--name", "node1", "--own-id-only");
        _ctl.Write("server.json", $$"""
            {"listen":"https://127.0.0.1:0","data":":memory:","tls":{"certificate":"own.pem"},"tokens":[{{made.OutputLines[1]}}]}
            """);
        var token = _ctl.Write("token.txt", made.OutputLines[0]);

        var server = _ctl.Start("serve", "--config", "server.json");
        var url = await UrlAsync(server);

        Assert.StartsWith("https://", url, StringComparison.Ordinal);
        Assert.Equal(0, (await _ctl.RunAsync("recursive-lock", "-u", url, "-i", "node1", "--ca-certificate", ca, "--token-file", token)).ExitCode);
        var other = await _ctl.RunAsync("recursive-lock", "-u", url, "-i", "node2", "--ca-certificate", ca, "--token-file", token);
        var nobody = await _ctl.RunAsync("recursive-lock", "-u", url, "-i", "node1", "--ca-certificate", ca);
        Assert.Equal((77, 77), (other.ExitCode, nobody.ExitCode));
        Assert.Contains("ownIdOnly", other.Errors, StringComparison.Ordinal);
        Assert.Contains("(unauthorized)", nobody.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain(made.OutputLines[0], server.Output.Text + server.Errors.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_may_be_given_as_an_option()
    {
        var made = await _ctl.RunAsync("token", "--name", "ops:1", "--role", "admin");
        using var entry = JsonDocument.Parse(made.OutputLines[1]);
        _ctl.Variables["FLEETLOCK_TOKEN"] = made.OutputLines[0];

        var url = await UrlAsync(_ctl.Start("serve", "--listen", "http://127.0.0.1:0", "--data", ":memory:", "--token", $"ops:1:admin:{entry.RootElement.GetProperty("sha256").GetString()}"));

        Assert.Equal(0, await LockAsync(url, "a"));
        _ctl.Variables.Remove("FLEETLOCK_TOKEN");
        Assert.Equal(77, await LockAsync(url, "a"));
    }

    [Fact]
    public async Task Each_token_is_another_and_its_entry_has_its_hash_and_not_itself()
    {
        var first = await _ctl.RunAsync("token", "--name", "web", "--id", "a", "--id", "b", "--group", "workers");
        var second = await _ctl.RunAsync("token", "--name", "web");

        Assert.Equal((0, "", 2), (first.ExitCode, first.Errors, first.OutputLines.Length));
        Assert.Matches("^[A-Za-z0-9_-]{43}$", first.OutputLines[0]);
        Assert.NotEqual(first.OutputLines[0], second.OutputLines[0]);
        var hash = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.ASCII.GetBytes(first.OutputLines[0])));
        Assert.Equal($$"""{"name":"web","sha256":"{{hash}}","role":"node","ids":["a","b"],"groups":["workers"]}""", first.OutputLines[1]);
    }

    [Fact]
    public async Task On_loopback_it_does_not_warn()
    {
        Machine.RequireUnix();
        var server = _ctl.Start("serve", "--listen", "http://127.0.0.1:0", "--data", ":memory:");
        await server.Output.LineAsync("Listening");
        await server.SignalAsync("TERM");

        Assert.Equal("", (await server.EndAsync()).Errors);
    }

    private static async Task<string> UrlAsync(CtlProcess server) => (await server.Output.LineAsync("Listening")).Split(' ')[2];

    private async Task<int> LockAsync(string url, string id) => (await _ctl.RunAsync("recursive-lock", "-u", url, "-i", id)).ExitCode;
}
