using FleetLock.TestKit;

namespace FleetLock.Cli.Tests;

/// <summary>A command line that is not good ends with 64 before anything is sent or started, and says which value breaks which rule.</summary>
public sealed class BadUsageTests : IDisposable
{
    private static readonly string TooLong = new('x', 256);

    private readonly Ctl _ctl = new();

    /// <summary>The words after the program's name, the value as the message shows it, and the rule. "URL" is a server that must not be asked.</summary>
    public static readonly TheoryData<string[], string, string> BadLines = new()
    {
        { ["recursive-lock", "-u", "URL", "-g", "my_group"], "'my_group'", "a-z, A-Z, 0-9, '.' and '-'" },
        { ["recursive-lock", "-u", "URL", "-g", ""], "the group is empty", "at least one of a-z, A-Z, 0-9, '.' and '-'" },
        { ["recursive-lock", "-u", "URL", "-i", ""], "the id is empty", "1 to 255 printable characters" },
        { ["recursive-lock", "-u", "URL", "-i", "   "], "'   '", "nothing but spaces" },
        { ["recursive-lock", "-u", "URL", "-i", TooLong], "xxx…' has 256 characters", "1 to 255" },
        { ["recursive-lock", "-u", "URL", "-i", "a\u001b[31mb"], "'a [31mb'", "1 to 255 printable characters" },
        { ["unlock-if-held", "-u", "URL", "-g", "a b"], "'a b'", "a-z, A-Z, 0-9, '.' and '-'" },
        { ["unlock-if-held", "-u", "URL", "-i", ""], "the id is empty", "1 to 255 printable characters" },
        { ["recursive-lock", "-u", "fleetlock.example.net"], "'fleetlock.example.net'", "http:// or https://" },
        { ["recursive-lock", "-u", "ftp://fleetlock.example.net"], "'ftp://fleetlock.example.net'", "http:// or https://" },
        { ["recursive-lock", "-u", "URL?team=a"], "query", "a base address has none" },
        { ["recursive-lock", "-u", "URL#top"], "fragment", "a base address has none" },
        { ["recursive-lock", "-u", ""], "the URL is empty", "https://fleetlock.example.net" },
        { ["recursive-lock", "-u"], "'-u'", "argument missing" },
        { ["recursive-lock", "-u", "URL", "--force"], "'--force'", "unrecognized" },
        { ["recursive-lock", "-u", "URL", "workers"], "'workers'", "unrecognized" },
        { ["lock", "-u", "URL"], "'lock'", "unrecognized" },
        { ["recursive-lock", "-u", "URL", "--timeout", "-1"], "'-1'", "a whole number of seconds" },
        { ["recursive-lock", "-u", "URL", "--timeout", "soon"], "'soon'", "--timeout" },
        { ["recursive-lock", "-u", "URL", "--proxy", "proxy.example.net:3128"], "--proxy", "http://HOST:PORT" },
        { ["recursive-lock", "-u", "URL", "--proxy", "socks5://proxy.example.net"], "--proxy", "http://HOST:PORT" },
        { ["recursive-lock", "-u", "URL", "--header", "X-Team"], "--header", "NAME: VALUE" },
        { ["recursive-lock", "-u", "URL", "--header", ": value"], "--header", "NAME: VALUE" },
        { ["recursive-lock", "-u", "URL", "--header", "X Team: value"], "'X Team'", "not a good one" },
        { ["recursive-lock", "-u", "URL", "--header", "X-Team: a\u0001b"], "'X-Team'", "printable ASCII" },
        { ["recursive-lock", "-u", "URL", "--header", "Fleet-Lock-Protocol: false"], "'Fleet-Lock-Protocol'", "cannot be set" },
        { ["recursive-lock", "-u", "URL", "--header", "Authorization: Bearer x"], "'Authorization'", "cannot be set" },
        { ["unlock-if-held", "-u", "URL", "--header", "host: other.example.net"], "'host'", "cannot be set" },
        { ["status", "-u", "URL", "--header", "Prefer: wait=1"], "'Prefer'", "cannot be set" },
        { ["run", "-u", "URL", "--header", "Content-Length: 1", "--", "touch", "ran"], "'Content-Length'", "cannot be set" },
        { ["recursive-lock", "-u", "URL", "--token-file", "missing.txt"], "missing.txt", "cannot be read" },
        { ["recursive-lock", "-u", "URL", "--ca-certificate", "missing.pem"], "missing.pem", "cannot be used" },
        { ["recursive-lock", "-u", "URL", "--certificate", "missing.pem"], "missing.pem", "cannot be used" },
        { ["recursive-lock", "-u", "http+unix://run/fleetlock.sock"], "'http+unix://run/fleetlock.sock'", "http+unix://%2Fpath%2Fof%2Fsocket" },
        { ["-u", "URL"], "", "command was not provided" },
        { ["run", "-u", "URL"], "'run'", "argument missing" },
        { ["run", "-u", "URL", "--"], "'run'", "argument missing" },
        { ["run", "-u", "URL", "--data", "x.db", "--", "touch", "ran"], "--data", "with --embedded only" },
        { ["run", "-u", "URL", "--slots", "2", "--", "touch", "ran"], "--slots", "with --embedded only" },
        { ["run", "-u", "URL", "--embedded", "--", "touch", "ran"], "--url", "do not go together" },
        { ["-u", "URL", "run", "--embedded", "--", "touch", "ran"], "--url", "do not go together" },
        { ["run", "-u", "URL", "-g", "a/b", "--", "touch", "ran"], "'a/b'", "a-z, A-Z, 0-9, '.' and '-'" },
        { ["run", "-u", "URL", "-i", "", "--", "touch", "ran"], "the id is empty", "1 to 255 printable characters" },
        { ["run", "-u", "URL", "--wait-timeout", "-1", "--", "touch", "ran"], "--wait-timeout is -1", "0 to 2073600 seconds" },
        { ["run", "-u", "URL", "--wait-timeout", "NaN", "--", "touch", "ran"], "--wait-timeout is NaN", "0 to 2073600 seconds" },
        { ["run", "-u", "URL", "--wait-timeout", "soon", "--", "touch", "ran"], "'soon'", "--wait-timeout" },
        { ["run", "-u", "URL", "--wait", "--retry-interval", "0", "--", "touch", "ran"], "'0'", "from 1 to" },
        { ["run", "-u", "URL", "--wait", "--retry-interval", "soon", "--", "touch", "ran"], "'soon'", "--retry-interval" },
        { ["run", "-u", "URL", "--", ""], "empty", "command" },
        { ["run", "--embedded", "--slots", "0", "--", "touch", "ran"], "--slots is 0", "1 to 100000" },
        { ["run", "--embedded", "--slots", "two", "--", "touch", "ran"], "'two'", "--slots" },
        { ["run", "--embedded", "--data", "", "--", "touch", "ran"], "--data", "empty" },
        { ["run", "--embedded", "--data", ":memory:", "--", "touch", "ran"], ":memory:", "--data" },
        { ["serve", "--group", "workers"], "'workers'", "NAME=SLOTS" },
        { ["serve", "--group", "workers=many"], "'workers=many'", "a whole number from 0 to 100000" },
        { ["serve", "--group", "workers=-1"], "'workers=-1'", "a whole number from 0 to 100000" },
        { ["serve", "--group", "workers=100001"], "100001", "0 to 100000" },
        { ["serve", "--group", "my_group=1"], "'my_group'", "a-z, A-Z, 0-9, '.' and '-'" },
        { ["serve", "--group", "=1"], "the group is empty", "at least one of" },
        { ["serve", "--group", "workers=1", "--group", "workers=2"], "'workers'", "given twice" },
        { ["serve", "--listen", "3333"], "'3333'", "http://ADDRESS:PORT" },
        { ["serve", "--listen", "https://127.0.0.1:0"], "'https://127.0.0.1:0'", "http://ADDRESS:PORT" },
        { ["serve", "--listen", "http://127.0.0.1:0/path"], "'http://127.0.0.1:0/path'", "http://ADDRESS:PORT" },
        { ["serve", "--data", ""], "--data", "empty" },
        { ["serve", "--config", ""], "--config", "empty" },
        { ["serve", "--config", "missing.json"], "missing.json", "cannot be read" },
        { ["serve", "--data", "a.db", "--etcd", "http://127.0.0.1:1"], "--data and --etcd", "do not go together" },
        { ["serve", "--etcd", "127.0.0.1:2379"], "--etcd: '127.0.0.1:2379'", "http://HOST:PORT" },
        { ["serve", "--etcd-user", "root"], "--etcd", "without an endpoint" },
        { ["serve", "--etcd", "http://127.0.0.1:1", "--etcd-user", "root"], "user", "password" },
        { ["serve", "--etcd", "http://127.0.0.1:1", "--etcd-timeout", "0"], "--etcd-timeout is 0", "1 to 300" },
        { ["serve", "--tls-cert", "own.pem"], "http://127.0.0.1:3333", "https://" },
        { ["serve", "--tls-key", "own.pem"], "--tls-cert", "without a certificate" },
        { ["serve", "--listen", "https://127.0.0.1:0", "--tls-cert", "missing.pem"], "missing.pem", "cannot be used" },
        { ["serve", "--listen", "https://127.0.0.1:0", "--tls-cert", "a.pem", "--client-cert", "require"], "--client-cert", "--client-ca" },
        { ["serve", "--listen", "https://127.0.0.1:0", "--tls-cert", "a.pem", "--client-cert", "maybe"], "--client-cert is 'maybe'", "none, allow or require" },
        { ["serve", "--token", "secret"], "--token", "NAME:ROLE:SHA256" },
        { ["serve", "--token", "web:root:0000000000000000000000000000000000000000000000000000000000000000"], "'root'", "node, observer or admin" },
        { ["serve", "--token", "web:node:secret"], "--token", "64 hexadecimal digits" },
        { ["serve", "--max-connections", "0"], "--max-connections is 0", "1 to 1000000" },
        { ["serve", "--max-connections", "many"], "'many'", "--max-connections" },
        { ["serve", "--log", "xml"], "--log is 'xml'", "text or json" },
        { ["token", "--role", "admin"], "--name", "required" },
        { ["token", "--name", "web", "--role", "root"], "'root'", "'admin'" },
        { ["token", "--name", ""], "the token.name", "1 to 255 printable characters" },
        { ["token", "--name", "web", "--role", "admin", "--group", "workers"], "the role admin", "for the role node" },
        { ["status", "-u", "URL", "-o", "xml"], "'xml'", "'json'" },
        { ["status", "-u", "URL", "-g", "a_b"], "'a_b'", "a-z, A-Z, 0-9, '.' and '-'" },
        { ["status", "-u", "ftp://fleetlock.example.net"], "'ftp://fleetlock.example.net'", "http:// or https://" },
        { ["test", "-u", "URL", "-o", "xml"], "'xml'", "'json'" },
        { ["config", "-u", "URL", "-o", "xml"], "'xml'", "'json'" },
        { ["id", "--machine-id", "1234"], "'1234'", "32 hexadecimal digits" },
        { ["id", "--machine-id", "00000000000000000000000000000000"], "all zeros", "machine-id(5)" },
        { ["id", "--machine-id", ""], "machine id", "empty" },
        { ["id", "--application-id", "zincati"], "'zincati'", "32 hexadecimal digits" },
        { ["id", "--raw", "--application-id", "de35106b6ec24688b63afddaa156679b"], "--application-id", "do not go together" },
    };

    public void Dispose() => _ctl.Dispose();

    [Theory]
    [MemberData(nameof(BadLines))]
    public async Task A_bad_command_line_names_the_value_and_the_rule_and_does_nothing(string[] line, string value, string rule)
    {
        await using var server = new RawServer(RawAnswer.Http(200));

        var refused = await _ctl.RunAsync(line.Select(word => word.Replace("URL", server.Url, StringComparison.Ordinal)));

        Assert.True(refused.ExitCode == 64, $"exit code {refused.ExitCode}: {refused.Errors}");
        Assert.Contains(value, refused.Errors, StringComparison.OrdinalIgnoreCase);
        Assert.Contains(rule, refused.Errors, StringComparison.OrdinalIgnoreCase);
        Assert.StartsWith("Error: ", refused.Errors, StringComparison.Ordinal);
        Assert.Empty(server.Requests);
        Assert.False(File.Exists(_ctl.PathOf("ran")));
        AssertForPeople(refused);
    }

    [Theory]
    [InlineData("recursive-lock", "--\u001b[31m")]
    [InlineData("\u001b[31m")]
    [InlineData("serve", "--group", "\u001b[31m")]
    public async Task What_the_message_quotes_cannot_steer_the_terminal(params string[] line)
    {
        var refused = await _ctl.RunAsync(line);

        Assert.Equal(64, refused.ExitCode);
        Assert.DoesNotContain('\u001b', refused.Errors);
    }

    [Fact]
    public async Task A_bad_value_is_not_replaced_by_the_environments()
    {
        await using var server = new RawServer(RawAnswer.Http(200));
        _ctl.Variables["FLEETLOCK_URL"] = server.Url;
        _ctl.Variables["FLEETLOCK_GROUP"] = "workers";
        _ctl.Variables["FLEETLOCK_ID"] = "node1";

        Assert.Equal(64, (await _ctl.RunAsync("recursive-lock", "-i", "")).ExitCode);
        Assert.Equal(64, (await _ctl.RunAsync("recursive-lock", "-g", "")).ExitCode);
        Assert.Equal(64, (await _ctl.RunAsync("recursive-lock", "-u", "")).ExitCode);

        Assert.Empty(server.Requests);
    }

    private static void AssertForPeople(Finished refused)
    {
        Assert.Equal("", refused.Output);
        Assert.DoesNotContain("Usage:", refused.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("System.", refused.Errors, StringComparison.Ordinal);
        Assert.InRange(refused.ErrorLines.Length, 1, 4);
    }
}
