using System.Text.Json;
using FleetLock.TestKit;

namespace FleetLock.Cli.Tests;

/// <summary><c>config</c> says which value is in force and where it came from, and no secret.</summary>
public sealed class ConfigCommandTests : IDisposable
{
    private const string UserFile = "fleetlock/config.json";

    private readonly Ctl _ctl = new();

    public static readonly TheoryData<string, int, string> BadFiles = new()
    {
        { "{\n  \"url\": 5\n}", 2, "'url'" },
        { "{\n  \"grupp\": \"workers\"\n}", 2, "'grupp'" },
        { "{\n  \"Url\": \"http://a\"\n}", 2, "'Url'" },
        { "{\n  \"token\": \"hunter2\"\n}", 2, "'token'" },
        { "{\n  \"id\": \"a\",\n  \"timeoutSec\": \"soon\"\n}", 3, "'timeoutSec'" },
        { "{\n  \"retryIntervalSec\": 1.5\n}", 2, "'retryIntervalSec'" },
        { "{\n  \"id\": null\n}", 2, "'id'" },
        { "{\n  \"id\": \"a\",\n  \"id\": \"b\"\n}", 3, "'id'" },
        { "{\n  \"id\": \"a\"\n  \"group\": \"b\"\n}", 3, "" },
        { "{\n  \"id\": \"a\"\n", 3, "" },
        { "[]", 1, "" },
        { "", 1, "" },
    };

    public void Dispose() => _ctl.Dispose();

    [Fact]
    public async Task Without_any_setting_the_defaults_are_shown()
    {
        var id = Machine.RequireNodeId();

        var config = await _ctl.RunAsync("config");

        Assert.Equal((0, ""), (config.ExitCode, config.Errors));
        Assert.Collection(
            config.OutputLines,
            line => Assert.Matches("^Url +- +not set$", line),
            line => Assert.Matches("^Group +default +default$", line),
            line => Assert.Matches($"^Id +{id} +derived from /etc/machine-id$", line),
            line => Assert.Matches("^TimeoutSec +100 +default$", line),
            line => Assert.Matches("^RetryIntervalSec +30 +default$", line));
    }

    [Fact]
    public async Task Each_value_is_the_nearest_ones_and_says_where_it_came_from()
    {
        _ctl.Variables["FLEETLOCK_CONFIG"] = _ctl.Write("named.json", """
            {
              // The whole fleet's.
              "url": "http://of-file.example.net",
              "group": "of-file",
              "id": "of-file",
              "timeoutSec": 7,
            }
            """);
        _ctl.Variables["FLEETLOCK_URL"] = "http://of-environment.example.net";
        _ctl.Variables["FLEETLOCK_GROUP"] = "of-environment";

        Assert.Equal(
            [
                ("Url", "http://of-option.example.net", "parameter"),
                ("Group", "of-environment", "FLEETLOCK_GROUP"),
                ("Id", "of-file", _ctl.PathOf("named.json") + ":5"),
                ("TimeoutSec", "7", _ctl.PathOf("named.json") + ":6"),
                ("RetryIntervalSec", "30", "default"),
            ],
            await SettingsAsync("-u", "http://of-option.example.net"));
    }

    [Fact]
    public async Task The_users_file_counts_when_no_file_is_named()
    {
        var file = _ctl.Write(UserFile, """
            {
              "url": "http://of-user.example.net", "group": "of-user", "id": "of-user",
              "tokenFile": "token.txt", "caCertificatePath": "ca.pem", "certificatePath": "own.pem",
              "retryIntervalSec": 5
            }
            """);

        Assert.Equal(
            [
                ("Url", "http://of-user.example.net", file + ":2"),
                ("Group", "of-user", file + ":2"),
                ("Id", "of-user", file + ":2"),
                ("TokenFile", "token.txt", file + ":3"),
                ("CaCertificatePath", "ca.pem", file + ":3"),
                ("CertificatePath", "own.pem", file + ":3"),
                ("TimeoutSec", "100", "default"),
                ("RetryIntervalSec", "5", file + ":4"),
            ],
            await SettingsAsync());
    }

    [Fact]
    public async Task The_users_file_does_not_count_beside_one_that_is_named()
    {
        _ctl.Write(UserFile, """{ "group": "of-user", "retryIntervalSec": 5 }""");
        _ctl.Variables["FLEETLOCK_CONFIG"] = _ctl.Write("named.json", """{ "id": "of-file" }""");

        var settings = await SettingsAsync();

        Assert.Contains(("Group", "default", "default"), settings);
        Assert.Contains(("RetryIntervalSec", "30", "default"), settings);
    }

    [Fact]
    public async Task Every_variable_and_every_option_is_shown_by_its_own_name()
    {
        foreach (var name in new[] { "GROUP", "ID", "APPLICATION_ID", "TOKEN_FILE", "CA_CERTIFICATE_PATH", "CERTIFICATE_PATH" })
            _ctl.Variables["FLEETLOCK_" + name] = "x";
        foreach (var name in new[] { "TIMEOUT_SEC", "RETRY_INTERVAL_SEC" })
            _ctl.Variables["FLEETLOCK_" + name] = "7";
        _ctl.Variables["FLEETLOCK_URL"] = "http://x";

        Assert.Equal(
            ["FLEETLOCK_URL", "FLEETLOCK_GROUP", "FLEETLOCK_ID", "FLEETLOCK_APPLICATION_ID", "FLEETLOCK_TOKEN_FILE", "FLEETLOCK_CA_CERTIFICATE_PATH", "FLEETLOCK_CERTIFICATE_PATH", "FLEETLOCK_TIMEOUT_SEC", "FLEETLOCK_RETRY_INTERVAL_SEC"],
            (await SettingsAsync()).Select(setting => setting.Source));

        Assert.Equal(
            [("TokenFile", "t"), ("CaCertificatePath", "a"), ("CertificatePath", "c"), ("TimeoutSec", "9")],
            (await SettingsAsync("--token-file", "t", "--ca-certificate", "a", "--certificate", "c", "--timeout", "9"))
                .Where(setting => setting.Source == "parameter").Select(setting => (setting.Name, setting.Value)));
    }

    [Theory]
    [InlineData("table")]
    [InlineData("json")]
    public async Task Secrets_are_only_set_and_a_URL_has_no_password(string format)
    {
        _ctl.Variables["FLEETLOCK_TOKEN"] = "token-hunter2";
        _ctl.Variables["FLEETLOCK_PASSWORD"] = "password-hunter2";

        var config = await _ctl.RunAsync(
            "config", "-u", "http://operator:url-hunter2@fleetlock.example.net", "--user", "operator:user-hunter2", "--header", "X-Key: header-hunter2", "-o", format);

        Assert.Equal((0, ""), (config.ExitCode, config.Errors));
        Assert.DoesNotContain("hunter2", config.Output, StringComparison.Ordinal);
        Assert.Matches(format == "table" ? "(?m)^Token +set +FLEETLOCK_TOKEN$" : """{"name":"Token","value":"set","source":"FLEETLOCK_TOKEN"}""", config.Output);
        Assert.Contains("http://fleetlock.example.net", config.Output, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(BadFiles))]
    public async Task What_is_wrong_in_a_file_is_named_with_file_and_line_and_nobody_is_asked(string text, int line, string named)
    {
        await using var server = new RawServer(RawAnswer.Http(200));
        var file = _ctl.Write(UserFile, text);

        foreach (var command in new[] { "config", "recursive-lock" })
        {
            var refused = await _ctl.RunAsync(command, "-u", server.Url, "-g", "workers", "-i", "node1");

            Assert.Equal((64, ""), (refused.ExitCode, refused.Output));
            var message = Assert.Single(refused.ErrorLines);
            Assert.StartsWith($"Error: {file}:{line}: ", message, StringComparison.Ordinal);
            Assert.Contains(named, message, StringComparison.Ordinal);
            Assert.DoesNotContain("hunter2", message, StringComparison.Ordinal);
        }

        Assert.Empty(server.Requests);
    }

    [Theory]
    [InlineData("config", 64)]
    [InlineData("recursive-lock", 64)]
    [InlineData("status", 64)]
    [InlineData("run", 64)]
    [InlineData("test", 1)]
    public async Task A_named_file_that_is_not_there_is_not_passed_over(string command, int exitCode)
    {
        _ctl.Variables["FLEETLOCK_CONFIG"] = _ctl.PathOf("missing.json");
        await using var server = new RawServer(RawAnswer.Http(200));

        var refused = await _ctl.RunAsync([command, "-u", server.Url, "-i", _ctl.Id, .. command == "run" ? new[] { "--", "touch", "ran" } : []]);

        Assert.Equal(exitCode, refused.ExitCode);
        Assert.Contains(_ctl.PathOf("missing.json"), refused.Errors + refused.Output, StringComparison.Ordinal);
        Assert.Empty(server.Requests);
    }

    [Theory]
    [InlineData("FLEETLOCK_URL", "fleet.example", "'fleet.example'")]
    [InlineData("FLEETLOCK_GROUP", "b d", "'b d'")]
    [InlineData("FLEETLOCK_ID", " ", "' '")]
    [InlineData("FLEETLOCK_TIMEOUT_SEC", "soon", "'soon'")]
    [InlineData("FLEETLOCK_RETRY_INTERVAL_SEC", "0", "'0'")]
    public async Task An_invalid_value_is_listed_with_its_source_and_is_an_error(string variable, string value, string named)
    {
        _ctl.Variables[variable] = value;

        var config = await _ctl.RunAsync("config");

        Assert.Equal(64, config.ExitCode);
        Assert.Contains(config.OutputLines, line => line.EndsWith(' ' + variable, StringComparison.Ordinal));
        Assert.Contains(named, Assert.Single(config.ErrorLines), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("FLEETLOCK_TIMEOUT_SEC", "soon", "FLEETLOCK_TIMEOUT_SEC")]
    [InlineData("FLEETLOCK_TOKEN", "hunter2 hunter2", "FLEETLOCK_TOKEN")]
    [InlineData("FLEETLOCK_TOKEN_FILE", "missing.txt", "missing.txt (FLEETLOCK_TOKEN_FILE)")]
    [InlineData("FLEETLOCK_CERTIFICATE_PATH", "missing.pem", "missing.pem")]
    public async Task A_bad_value_of_the_environment_is_not_passed_over_and_says_where_it_came_from(string variable, string value, string said)
    {
        _ctl.Variables[variable] = value;
        await using var server = new RawServer(RawAnswer.Http(200));

        var refused = await _ctl.RunAsync("recursive-lock", "-u", server.Url, "-i", "node1");

        Assert.Equal((64, ""), (refused.ExitCode, refused.Output));
        Assert.Contains(said, Assert.Single(refused.ErrorLines), StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", refused.Errors, StringComparison.Ordinal);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task The_file_is_what_the_other_commands_go_by_too()
    {
        await using var server = await ServerProcess.StartListeningAsync("--listen", "http://127.0.0.1:0", "--group", "workers=1", "--data", ":memory:");
        _ctl.Write(UserFile, $$"""{ "url": "{{server.Url()}}", "group": "workers", "id": "of-file" }""");

        Assert.Equal(0, (await _ctl.RunAsync("recursive-lock")).ExitCode);
        Assert.Equal(["of-file"], await server.HoldersAsync("workers"));
        Assert.Equal(0, (await _ctl.RunAsync("test")).ExitCode);
        Assert.Contains("of-file", (await _ctl.RunAsync("status")).Output, StringComparison.Ordinal);
        Assert.Equal(0, (await _ctl.RunAsync("unlock-if-held")).ExitCode);
        Assert.Empty(await server.HoldersAsync("workers"));
    }

    private async Task<(string Name, string? Value, string Source)[]> SettingsAsync(params string[] options)
    {
        var config = await _ctl.RunAsync(["config", "-o", "json", .. options]);
        Assert.Equal((0, ""), (config.ExitCode, config.Errors));
        using var json = JsonDocument.Parse(config.Output);
        return [.. json.RootElement.EnumerateArray()
            .Select(setting => (setting.GetProperty("name").GetString()!, setting.GetProperty("value").GetString(), setting.GetProperty("source").GetString()!))
            .Where(setting => setting.Item3 != "not set" && !setting.Item3.StartsWith("derived", StringComparison.Ordinal))];
    }
}
