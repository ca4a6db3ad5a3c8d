using System.Collections.Concurrent;
using FleetLock.TestKit;

namespace FleetLock.Cli.Tests;

/// <summary>A command line that is not good ends with 64 before anything is sent or started, and says which value breaks which rule.</summary>
public sealed class BadUsageTests(BadUsageTests.Runs runs) : IClassFixture<BadUsageTests.Runs>, IDisposable
{
    private static readonly string TooLong = new('x', 256);

    private readonly Ctl _ctl = new();

    /// <summary>
    /// The words after the program's name, and what the message names: the value or the option, and the limits. "URL" is a server that must not be asked.
    /// </summary>
    public static readonly TheoryData<string[], string[]> BadLines = new()
    {
        { ["recursive-lock", "-u", "URL", "-g", "my_group"], ["'my_group'"] },
        { ["recursive-lock", "-u", "URL", "-g", ""], ["group"] },
        { ["recursive-lock", "-u", "URL", "-i", ""], ["id", "255"] },
        { ["recursive-lock", "-u", "URL", "-i", "   "], ["'   '"] },
        { ["recursive-lock", "-u", "URL", "-i", TooLong], ["256", "255"] },
        { ["recursive-lock", "-u", "URL", "-i", "a\u001b[31mb"], ["'a [31mb'", "255"] },
        { ["unlock-if-held", "-u", "URL", "-g", "a b"], ["'a b'"] },
        { ["unlock-if-held", "-u", "URL", "-i", ""], ["id", "255"] },
        { ["recursive-lock", "-u", "fleetlock.example.net"], ["'fleetlock.example.net'"] },
        { ["recursive-lock", "-u", "ftp://fleetlock.example.net"], ["'ftp://fleetlock.example.net'"] },
        { ["recursive-lock", "-u", "URL?team=a"], ["query"] },
        { ["recursive-lock", "-u", "URL#top"], ["fragment"] },
        { ["recursive-lock", "-u", ""], ["URL"] },
        { ["recursive-lock", "-u"], ["'-u'"] },
        { ["recursive-lock", "-u", "URL", "--force"], ["'--force'"] },
        { ["recursive-lock", "-u", "URL", "workers"], ["'workers'"] },
        { ["lock", "-u", "URL"], ["'lock'", "'recursive-lock'"] },
        { ["reboot"], ["'reboot'"] },
        { ["--force"], ["'--force'"] },
        { ["recursive-lock", "-u", "URL", "--timeout", "-1"], ["'-1'", "--timeout", "2073600"] },
        { ["recursive-lock", "-u", "URL", "--timeout", "soon"], ["'soon'", "--timeout"] },
        { ["recursive-lock", "-u", "URL", "--proxy", "proxy.example.net:3128"], ["--proxy"] },
        { ["recursive-lock", "-u", "URL", "--proxy", "socks5://proxy.example.net"], ["--proxy"] },
        { ["recursive-lock", "-u", "URL", "--header", "X-Team"], ["--header"] },
        { ["recursive-lock", "-u", "URL", "--header", ": value"], ["--header"] },
        { ["recursive-lock", "-u", "URL", "--header", "X Team: value"], ["'X Team'"] },
        { ["recursive-lock", "-u", "URL", "--header", "X-Team: a\u0001b"], ["'X-Team'"] },
        { ["recursive-lock", "-u", "URL", "--header", "Fleet-Lock-Protocol: false"], ["'Fleet-Lock-Protocol'"] },
        { ["recursive-lock", "-u", "URL", "--header", "Authorization: Bearer x"], ["'Authorization'"] },
        { ["unlock-if-held", "-u", "URL", "--header", "host: other.example.net"], ["'host'"] },
        { ["status", "-u", "URL", "--header", "Prefer: wait=1"], ["'Prefer'"] },
        { ["run", "-u", "URL", "--header", "Content-Length: 1", "--", "touch", "ran"], ["'Content-Length'"] },
        { ["recursive-lock", "-u", "URL", "--token-file", "missing.txt"], ["missing.txt"] },
        { ["recursive-lock", "-u", "URL", "--ca-certificate", "missing.pem"], ["missing.pem"] },
        { ["recursive-lock", "-u", "URL", "--certificate", "missing.pem"], ["missing.pem"] },
        { ["recursive-lock", "-u", "http+unix://run/fleetlock.sock"], ["'http+unix://run/fleetlock.sock'", "http+unix://%2Fpath%2Fof%2Fsocket"] },
        { ["-u", "URL"], [] },
        { ["run", "-u", "URL"], ["'run'"] },
        { ["run", "-u", "URL", "--"], ["'run'"] },
        { ["run", "-u", "URL", "--wiat", "touch", "ran"], ["'--wiat'", "--"] },
        { ["run", "-u", "URL", "-i"], ["'-i'"] },
        { ["run", "-u", "URL", "-i", "--", "touch", "ran"], ["'-i'"] },
        { ["run", "-u", "URL", "--data", "x.db", "--", "touch", "ran"], ["--data"] },
        { ["run", "-u", "URL", "--slots", "2", "--", "touch", "ran"], ["--slots"] },
        { ["run", "-u", "URL", "--embedded", "--", "touch", "ran"], ["--url"] },
        { ["-u", "URL", "run", "--embedded", "--", "touch", "ran"], ["--url"] },
        { ["run", "-u", "URL", "-g", "a/b", "--", "touch", "ran"], ["'a/b'"] },
        { ["run", "-u", "URL", "-i", "", "--", "touch", "ran"], ["id", "255"] },
        { ["run", "-u", "URL", "--wait-timeout", "-1", "--", "touch", "ran"], ["--wait-timeout", "2073600"] },
        { ["run", "-u", "URL", "--wait-timeout", "NaN", "--", "touch", "ran"], ["--wait-timeout", "2073600"] },
        { ["run", "-u", "URL", "--wait-timeout", "soon", "--", "touch", "ran"], ["'soon'", "--wait-timeout"] },
        { ["run", "-u", "URL", "--wait", "--retry-interval", "0", "--", "touch", "ran"], ["'0'", "--retry-interval", "2073600"] },
        { ["recursive-lock", "-u", "URL", "--user", "me"], ["--user", "FLEETLOCK_PASSWORD"] },
        { ["set-slots", "-u", "URL", "five"], ["'five'", "SLOTS"] },
        { ["run", "-u", "URL", "--wait", "--retry-interval", "soon", "--", "touch", "ran"], ["'soon'", "--retry-interval"] },
        { ["run", "-u", "URL", "--", ""], ["command"] },
        { ["run", "--embedded", "--slots", "0", "--", "touch", "ran"], ["--slots", "100000"] },
        { ["run", "--embedded", "--slots", "two", "--", "touch", "ran"], ["'two'", "--slots"] },
        { ["run", "--embedded", "--data", "", "--", "touch", "ran"], ["--data"] },
        { ["run", "--embedded", "--data", ":memory:", "--", "touch", "ran"], [":memory:", "--data"] },
        { ["serve", "--group", "workers"], ["'workers'"] },
        { ["serve", "--group", "workers=many"], ["'workers=many'", "100000"] },
        { ["serve", "--group", "workers=-1"], ["'workers=-1'", "100000"] },
        { ["serve", "--group", "workers=100001"], ["100001", "100000"] },
        { ["serve", "--group", "my_group=1"], ["'my_group'"] },
        { ["serve", "--group", "=1"], ["group"] },
        { ["serve", "--group", "workers=1", "--group", "workers=2"], ["'workers'"] },
        { ["serve", "--listen", "3333"], ["'3333'"] },
        { ["serve", "--listen", "https://127.0.0.1:0"], ["'https://127.0.0.1:0'"] },
        { ["serve", "--listen", "http://127.0.0.1:0/path"], ["'http://127.0.0.1:0/path'"] },
        { ["serve", "--data", ""], ["--data"] },
        { ["serve", "--config", ""], ["--config"] },
        { ["serve", "--config", "missing.json"], ["missing.json"] },
        { ["serve", "--data", "a.db", "--etcd", "http://127.0.0.1:1"], ["--data", "--etcd"] },
        { ["serve", "--etcd", "127.0.0.1:2379"], ["--etcd", "'127.0.0.1:2379'"] },
        { ["serve", "--etcd-user", "root"], ["--etcd"] },
        { ["serve", "--etcd", "http://127.0.0.1:1", "--etcd-user", "root"], ["user", "password"] },
        { ["serve", "--etcd", "http://127.0.0.1:1", "--etcd-timeout", "0"], ["--etcd-timeout", "300"] },
        { ["serve", "--tls-cert", "own.pem"], ["http://127.0.0.1:3333"] },
        { ["serve", "--tls-key", "own.pem"], ["--tls-cert"] },
        { ["serve", "--listen", "https://127.0.0.1:0", "--tls-cert", "missing.pem"], ["missing.pem"] },
        { ["serve", "--listen", "https://127.0.0.1:0", "--tls-cert", "a.pem", "--client-cert", "require"], ["--client-cert", "--client-ca"] },
        { ["serve", "--listen", "https://127.0.0.1:0", "--tls-cert", "a.pem", "--client-cert", "maybe"], ["--client-cert", "'maybe'"] },
        { ["serve", "--token", "secret"], ["--token"] },
        { ["serve", "--token", "web:root:0000000000000000000000000000000000000000000000000000000000000000"], ["'root'", "observer"] },
        { ["serve", "--token", "web:node:secret"], ["--token"] },
        { ["serve", "--max-connections", "0"], ["--max-connections", "1000000"] },
        { ["serve", "--max-connections", "many"], ["'many'", "--max-connections"] },
        { ["serve", "--log", "xml"], ["--log", "'xml'"] },
        { ["token", "--role", "admin"], ["--name"] },
        { ["token", "--name", "web", "--role", "root"], ["'root'"] },
        { ["token", "--name", ""], ["name", "255"] },
        { ["token", "--name", "web", "--role", "admin", "--group", "workers"], ["admin", "node"] },
        { ["status", "-u", "URL", "-o", "xml"], ["'xml'"] },
        { ["status", "-u", "URL", "-g", "a_b"], ["'a_b'"] },
        { ["status", "-u", "ftp://fleetlock.example.net"], ["'ftp://fleetlock.example.net'"] },
        { ["test", "-u", "URL", "-o", "xml"], ["'xml'"] },
        { ["config", "-u", "URL", "-o", "xml"], ["'xml'"] },
        { ["id", "--machine-id", "1234"], ["'1234'"] },
        { ["id", "--machine-id", "00000000000000000000000000000000"], ["machine-id(5)"] },
        { ["id", "--machine-id", ""], ["machine id"] },
        { ["id", "--application-id", "zincati"], ["'zincati'"] },
        { ["id", "--raw", "--application-id", "de35106b6ec24688b63afddaa156679b"], ["--application-id"] },
    };

    public void Dispose() => _ctl.Dispose();

    [Theory]
    [MemberData(nameof(BadLines))]
    public async Task A_bad_command_line_names_the_value_and_does_nothing(string[] line, string[] names)
    {
        var refused = await runs.OfAsync(line);

        Assert.True(refused.ExitCode == 64, $"exit code {refused.ExitCode}: {refused.Errors}");
        Assert.All(names, name => Assert.Contains(name, refused.Errors, StringComparison.OrdinalIgnoreCase));
        Assert.StartsWith("Error: ", refused.Errors, StringComparison.Ordinal);
        Assert.Empty(runs.Server.Requests);
        Assert.False(File.Exists(runs.Ctl.PathOf("ran")));
        AssertForPeople(refused);
    }

    [Fact]
    public async Task The_messages_are_those_of_the_file()
    {
        Machine.RequireUnix();
        var messages = new MessageFile("fleetlockctl-usage");
        messages.Hide(runs.Server.Url, "URL").Hide(runs.Ctl.Folder + Path.DirectorySeparatorChar, "FOLDER/").Hide(TooLong, "xxx…");
        foreach (var line in BadLines.Select(row => row.Data.Item1))
        {
            var words = line.Select(word => word is "" || word.Contains(' ', StringComparison.Ordinal) ? $"'{word}'" : word);
            messages.Add("fleetlockctl " + TerminalText.Clean(string.Join(' ', words)), (await runs.OfAsync(line)).Errors);
        }

        messages.Verify();
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

    /// <summary>Runs each command line once, for all tests of this class.</summary>
    public sealed class Runs : IAsyncDisposable
    {
        private readonly ConcurrentDictionary<string, Task<Finished>> _runs = new();

        internal Ctl Ctl { get; } = new();

        internal RawServer Server { get; } = new(RawAnswer.Http(200));

        internal Task<Finished> OfAsync(string[] line) => _runs.GetOrAdd(
            string.Join('\0', line),
            _ => Ctl.RunAsync(line.Select(word => word.Replace("URL", Server.Url, StringComparison.Ordinal))));

        public ValueTask DisposeAsync()
        {
            Ctl.Dispose();
            return Server.DisposeAsync();
        }
    }
}
