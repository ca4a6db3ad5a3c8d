using System.Text;

namespace FleetLock.Core.Tests;

/// <summary>The configuration files: which are read, whose value is in force, and what is wrong with them, by file, line and member.</summary>
[Trait("Lane", "Fast")]
public sealed class ConfigurationFileTests
{
    private const string Whole = """
        {
          // Comments, and a comma at the end, are welcome.
          "url": "https://of-file.example",
          "group": "of-file", /* and so on */
          "id": "id-of-file",
          "applicationId": "de35106b6ec24688b63afddaa156679b",
          "tokenFile": "/run/token",
          "caCertificatePath": "/run/ca.pem",
          "certificatePath": "/run/own.pem",
          "timeoutSec": 7,
          "retryIntervalSec": 9,
        }
        """;

    private readonly FileSystem _files = new();

    /// <summary>What is wrong with a file, the line that the error names, and the member.</summary>
    public static readonly TheoryData<string, int, string> Faults = new()
    {
        { "{\n\n  \"uri\": \"x\"\n}", 3, "'uri'" },
        { "{ \"Url\": \"x\" }", 1, "'Url'" },
        { "{ \"token\": \"s3cr3t\" }", 1, "'token'" },
        { "{ \"\\u001b[31m\": 1 }", 1, "'[31m'" },
        { "{\n  \"url\": 1\n}", 2, "'url'" },
        { "{\n  \"url\": null\n}", 2, "'url'" },
        { "{\n  \"url\": { \"a\": 1 }\n}", 2, "'url'" },
        { "{\n  \"group\": [\"a\"]\n}", 2, "'group'" },
        { "{\n  \"id\": true\n}", 2, "'id'" },
        { "{\n  \"group\":\n    false\n}", 3, "'group'" },
        { "{ \"timeoutSec\": \"7\" }", 1, "'timeoutSec'" },
        { "{ \"timeoutSec\": 1.5 }", 1, "'timeoutSec'" },
        { "{ \"timeoutSec\": 99999999999 }", 1, "'timeoutSec'" },
        { "{ \"retryIntervalSec\": null }", 1, "'retryIntervalSec'" },
        { "{\n  \"url\": \"a\",\n  \"url\": \"b\"\n}", 3, "'url'" },
        { "[]", 1, "" },
        { "\n\n\"url\"", 3, "" },
        { "null", 1, "" },
        { "", 1, "" },
        { "   \n", 2, "" },
        { "{", 1, "" },
        { "{\n  \"url\": \"a\"\n  \"group\": \"b\"\n}", 3, "" },
        { "{ \"url\": \"a\" }\n{}", 2, "" },
        { "url = a", 1, "" },
        { "{ 'url': 'a' }", 1, "" },
        { "{\n  \"group\": \"\\ud800\"\n}", 2, "'group'" },
    };

    public static readonly TheoryData<string> BadNumbers = ["-1", "2073601", "", "ten", "1.5", " 7", "+7", "99999999999"];

    public ConfigurationFileTests() => Assert.SkipWhen(OperatingSystem.IsWindows(), "The paths are those of Unix.");

    [Fact]
    public void Every_member_is_read_and_says_its_file_and_line()
    {
        var all = _files.With(FileSystem.MachineFile, Whole).Resolve().All();

        Assert.Equal(
            [
                "Url = https://of-file.example (/etc/fleetlock/config.json:3)",
                "Group = of-file (/etc/fleetlock/config.json:4)",
                "Id = id-of-file (/etc/fleetlock/config.json:5)",
                "ApplicationId = de35106b6ec24688b63afddaa156679b (/etc/fleetlock/config.json:6)",
                "TokenFile = /run/token (/etc/fleetlock/config.json:7)",
                "CaCertificatePath = /run/ca.pem (/etc/fleetlock/config.json:8)",
                "CertificatePath = /run/own.pem (/etc/fleetlock/config.json:9)",
                "TimeoutSec = 7 (/etc/fleetlock/config.json:10)",
                "RetryIntervalSec = 9 (/etc/fleetlock/config.json:11)",
            ],
            all.Select(setting => setting.ToString()));
    }

    [Fact]
    public void Parameter_then_environment_then_the_users_file_then_the_machines_then_the_default()
    {
        _files.With(FileSystem.UserFile, """{"url":"u","group":"u","id":"u"}""").With(FileSystem.MachineFile, """{"url":"m","group":"m","id":"m","timeoutSec":5}""");
        _files.Variables["FLEETLOCK_URL"] = "e";
        _files.Variables["FLEETLOCK_GROUP"] = "e";

        var all = _files.Resolve(new FleetLockSettings { Url = "p" }).All();

        Assert.Equal(
            [
                "Url = p (parameter)",
                "Group = e (FLEETLOCK_GROUP)",
                $"Id = u ({FileSystem.UserFile}:1)",
                $"TimeoutSec = 5 ({FileSystem.MachineFile}:1)",
                "RetryIntervalSec = 30 (default)",
            ],
            all.Select(setting => setting.ToString()));
    }

    [Fact]
    public void Without_anything_the_defaults_are_in_force() => Assert.Equal(
        [
            "Url = - (not set)",
            "Group = default (default)",
            "Id = 35ba2101ae3f4d45b96e9c51f461bbff (derived from /etc/machine-id)",
            "TimeoutSec = 100 (default)",
            "RetryIntervalSec = 30 (default)",
        ],
        _files.Resolve().All().Select(setting => setting.ToString()));

    [Fact]
    public void The_users_folder_is_that_of_XDG_where_it_is_set()
    {
        _files.Variables["XDG_CONFIG_HOME"] = "/xdg";

        _files.With("/xdg/fleetlock/config.json", """{"group":"x"}""").With(FileSystem.UserFile, """{"group":"u"}""");

        Assert.Equal(new Setting(SettingName.Group, "x", "/xdg/fleetlock/config.json:1"), _files.Resolve().Group);
    }

    [Fact]
    public void A_named_file_is_the_only_one()
    {
        _files.Variables["FLEETLOCK_CONFIG"] = "/here.json";
        _files.With("/here.json", """{"group":"h"}""").With(FileSystem.MachineFile, """{"url":"m"}""");

        var configuration = _files.Resolve();

        Assert.Equal(("h", null), (configuration.Group.Value, configuration.Url.Value));
        Assert.Equal(["/here.json"], _files.Asked);
    }

    [Theory]
    [InlineData("/absent.json")]
    [InlineData("/unreadable")]
    public void A_named_file_must_be_there(string path)
    {
        _files.Variables["FLEETLOCK_CONFIG"] = path;

        AssertFault(path);
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public void What_is_wrong_is_named_by_file_line_and_member(string text, int line, string member)
    {
        _files.With(FileSystem.MachineFile, text);

        AssertFault($"{FileSystem.MachineFile}:{line}:", member);
    }

    [Fact]
    public void Bytes_that_are_not_UTF_8_are_named_by_file_line_and_member()
    {
        _files.Files[FileSystem.MachineFile] = Encoding.Latin1.GetBytes("{\n  \"url\": \"http://gr\u00f6\u00dfe\"\n}");

        AssertFault($"{FileSystem.MachineFile}:2:", "'url'");
    }

    [Fact]
    public void A_byte_order_mark_as_Windows_writes_it_is_no_fault()
    {
        _files.With(FileSystem.MachineFile, "\ufeff{\n\"group\": \"a\" }").With("/run/token", "\ufeffa-token\r\n");

        var configuration = _files.Resolve(new FleetLockSettings { Url = "http://127.0.0.1", TokenFile = "/run/token" });

        Assert.Equal(new Setting(SettingName.Group, "a", FileSystem.MachineFile + ":2"), configuration.Group);
        Assert.Equal("a-token", configuration.RequireClientOptions().Token);
    }

    [Fact]
    public void A_value_that_is_given_does_not_make_up_for_a_bad_file()
    {
        _files.With(FileSystem.MachineFile, """{"url":1}""");

        Assert.Throws<FleetLockInputException>(() => _files.Resolve(new FleetLockSettings { Url = "http://127.0.0.1" }));
    }

    [Fact]
    public void A_time_out_of_0_is_none()
    {
        Assert.Equal(System.Threading.Timeout.InfiniteTimeSpan, _files.Resolve(new FleetLockSettings { TimeoutSec = "0" }).RequireTimeout());
        Assert.Equal(TimeSpan.FromDays(24), _files.Resolve(new FleetLockSettings { TimeoutSec = "2073600" }).RequireTimeout());
        Assert.Equal(TimeSpan.FromSeconds(100), _files.Resolve().RequireTimeout());
        Assert.Equal(TimeSpan.FromSeconds(30), _files.Resolve().RequireRetryInterval());
        Assert.Throws<FleetLockInputException>(() => _files.Resolve(new FleetLockSettings { RetryIntervalSec = "0" }).RequireRetryInterval());
    }

    [Theory]
    [MemberData(nameof(BadNumbers))]
    public void A_bad_number_of_seconds_is_refused_and_says_where_it_came_from(string seconds)
    {
        var given = new FleetLockSettings { TimeoutSec = seconds, RetryIntervalSec = seconds };

        Assert.Contains("(parameter)", Assert.Throws<FleetLockInputException>(() => _files.Resolve(given).RequireTimeout()).Message, StringComparison.Ordinal);
        Assert.Contains("(parameter)", Assert.Throws<FleetLockInputException>(() => _files.Resolve(given).RequireRetryInterval()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_negative_number_in_a_file_is_refused_with_its_line()
    {
        var configuration = _files.With(FileSystem.MachineFile, "{\n\"timeoutSec\": -5 }").Resolve();

        Assert.Contains(FileSystem.MachineFile + ":2", Assert.Throws<FleetLockInputException>(() => configuration.RequireTimeout()).Message, StringComparison.Ordinal);
    }

    private void AssertFault(string place, string member = "")
    {
        var fault = Assert.Throws<FleetLockInputException>(() => _files.Resolve());
        Assert.Equal("configuration", fault.Setting);
        Assert.Contains(place, fault.Message, StringComparison.Ordinal);
        Assert.Contains(member, fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cr3t", fault.ToString(), StringComparison.Ordinal);
        Assert.True(TerminalText.IsPrintable(fault.Message));
    }
}
