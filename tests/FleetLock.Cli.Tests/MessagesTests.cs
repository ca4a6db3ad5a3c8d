using System.Net.Sockets;
using System.Text.RegularExpressions;
using FleetLock.TestKit;

namespace FleetLock.Cli.Tests;

/// <summary>
/// What the command line writes to standard error, as a file in <c>tests/messages</c> has it. What it says of a bad command line is in
/// <see cref="BadUsageTests"/>.
/// </summary>
public sealed class MessagesTests : IDisposable
{
    private const string Full = """{"kind":"failed_lock_semaphore_full","value":"all 1 semaphore slots currently locked"}""";

    private static readonly RawAnswer Granted = RawAnswer.Http(200);
    private static readonly RawAnswer Half = RawAnswer.Of("HTTP/1.1 409 Conflict\r\nContent-Length: 100\r\n\r\n{").ThenSilence();

    private readonly Ctl _ctl = new();
    private readonly MessageFile _messages = new("fleetlockctl");

    public MessagesTests() => Machine.RequireUnix();

    public void Dispose() => _ctl.Dispose();

    [Fact]
    public async Task The_messages_are_those_of_the_file()
    {
        _messages.Hide(_ctl.Folder, "FOLDER").Hide(_ctl.Id, "ID");
        _messages.Hide(new SocketException((int)SocketError.ConnectionRefused).Message, "{connection refused}");
        await AddAnswersAsync();
        await AddRunsAsync();
        await AddLocalAsync();
        _messages.Verify();
    }

    private async Task AddAnswersAsync()
    {
        foreach (var command in new[] { "recursive-lock", "unlock-if-held" })
        {
            await AddAsync("a full group", [RawAnswer.Http(409, Full)], command);
            await AddAsync("202", [RawAnswer.Http(202)], command);
            await AddAsync("a refusal", [RawAnswer.Http(400, """{"kind":"unknown_group","value":"no such group"}""")], command);
            await AddAsync("a gateway's 502", [RawAnswer.Http(502, "<html>")], command);
            await AddAsync("404", [RawAnswer.Http(404, "<html>")], command);
            await AddAsync("a URL with a wrong path", [RawAnswer.Http(404, """{"kind":"not_found","value":"there is nothing at '/v1/v1/pre-reboot'"}""")], command);
            await AddAsync("a login page", [RawAnswer.Http(200, "<html>", "Content-Type: text/html")], command);
            await AddAsync("a redirect", [RawAnswer.Http(302, "", "Location: /login")], command);
            await AddAsync("what is not HTTP", [RawAnswer.Of("SSH-2.0-OpenSSH_9.2p1\r\n").ThenClose()], command);
            await AddAsync("a lost connection", [RawAnswer.Close], command);
            await AddTimedOutAsync("silence", RawAnswer.Never, "no", command);
            await AddTimedOutAsync("half an answer", Half, "409", command);
        }

        await AddAsync("404", [RawAnswer.Http(404)], "status");
        await AddAsync("401", [RawAnswer.Http(401)], "status");
        await AddAsync("no such group", [RawAnswer.Http(200, """{"groups":[]}""")], "status", "-g", "workers");
        await AddAsync(
            "not held",
            [RawAnswer.Http(404, """{"kind":"not_held","value":"no such holder"}""")],
            ["force-release", "-g", "workers", "--id", "node1", "--reason", "dead"]);
        await AddAsync("404", [RawAnswer.Http(404)], "set-slots", "-g", "workers", "2");

        using var nobody = new ClosedPort();
        _messages.Hide(nobody.Address, "HOST:PORT");
        foreach (var command in new[] { "recursive-lock", "status" })
            await AddAsync($"{command}, nobody listens", command, "-u", nobody.Url);
        await AddAsync("recursive-lock, without a server", "recursive-lock");
    }

    private async Task AddRunsAsync()
    {
        string[] touch = ["--", "touch", "ran"];
        await AddAsync("a slot", [Granted], ["run", "-i", _ctl.Id, "--", "true"]);
        await AddAsync("a full group", [RawAnswer.Http(409, Full)], ["run", "-i", _ctl.Id, .. touch]);
        await AddTimedOutAsync("silence", RawAnswer.Never, "no", ["run", .. touch]);
        await AddAsync("a command that fails", [Granted], ["run", "-i", _ctl.Id, "--keep-on-failure", "--", "sh", "-c", "exit 7"]);
        await AddAsync("a refused release", [Granted, RawAnswer.Http(401)], ["run", "-i", _ctl.Id, "--", "true"]);
        await AddAsync("no such command", [Granted], ["run", "-i", _ctl.Id, "--", "no-such-command-of-fleetlock"]);
    }

    private async Task AddLocalAsync()
    {
        await AddAsync("run --embedded", "run", "--embedded", "-i", _ctl.Id, "--", "true");
        _ctl.Write("text.db", "no database");
        await AddAsync("serve, a data file that is none", "serve", "--listen", "http://127.0.0.1:0", "--data", "text.db");
        _ctl.Write("server.json", """{"lisen":"http://127.0.0.1:0"}""");
        await AddAsync("serve, a mistake in the configuration file", "serve", "--config", "server.json");
        using var listener = new TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        _messages.Hide(listener.LocalEndpoint.ToString()!, "HOST:PORT");
        await AddAsync("serve, a port in use", "serve", "--listen", $"http://{listener.LocalEndpoint}", "--data", ":memory:");

        var settings = _ctl.Write("settings.json", "{\n  \"grupp\": \"workers\"\n}");
        _ctl.Variables["FLEETLOCK_CONFIG"] = settings;
        await AddAsync("config, a mistake in the file", "config");
        _ctl.Variables["FLEETLOCK_CONFIG"] = _ctl.PathOf("missing.json");
        await AddAsync("config, a file that is not there", "config");
    }

    private async Task AddAsync(string answer, RawAnswer[] script, params string[] line)
    {
        await using var server = new RawServer(script);
        string[] id = line[0] is "recursive-lock" or "unlock-if-held" ? ["-i", "node1"] : [];
        _messages.Hide(server.Url, "URL").Hide($"127.0.0.1:{server.Port}", "HOST:PORT");
        await AddAsync($"{line[0]}, {answer}", [line[0], "-u", server.Url, .. id, .. line[1..]]);
    }

    /// <summary>The same of an answer that does not come or does not end, with a time-out that is long enough for what there is of it.</summary>
    private async Task AddTimedOutAsync(string answer, RawAnswer half, string isThere, params string[] line)
    {
        await using var server = new RawServer(half);
        _messages.Hide(server.Url, "URL").Hide($"127.0.0.1:{server.Port}", "HOST:PORT");
        var late = await TestTimeout.LongEnoughAsync(
            seconds => _ctl.RunAsync([line[0], "-u", server.Url, "-i", _ctl.Id, "--timeout", $"{seconds}", .. line[1..]]),
            late => server.Requests.Count > 0 && late.Errors.Contains(isThere, StringComparison.Ordinal));
        _messages.Add($"{line[0]}, {answer}", Regex.Replace(late.Errors, @"(?<= within )\d+(?= s)", "N"));
    }

    private async Task AddAsync(string situation, params string[] line)
    {
        // What one run leaves is not the next one's.
        _ctl.Variables[RunFolder.Variable] = _ctl.PathOf("runs-" + Guid.NewGuid());
        _messages.Add(situation, (await _ctl.RunAsync(line)).Errors);
    }
}
