using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using FleetLock.TestKit;

namespace FleetLock.Server.Tests;

/// <summary>The configuration file: what it says, and what is wrong with it.</summary>
[Trait("Lane", "Fast")]
public sealed class ServerSettingsFileTests : IDisposable
{
    private const string Hash = "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef";

    private readonly TemporaryDirectory _folder = new();

    /// <summary>A file's JSON, and what the message names: the line or the member, the value, the limits.</summary>
    public static readonly TheoryData<string, string[]> BadFiles = new()
    {
        { "", [":1:"] },
        { "{\n\"groups\": {", [":2:"] },
        { "{} {}", [":1:"] },
        { "{ // a comment\n}", [] },
        { "[]", [] },
        { "null", [] },
        { """{"lisen":"x"}""", ["'lisen'", "listen, groups, data, allowNetworkFilesystem, etcd, tls, tokens, clientCertificates, limits, log"] },
        { """{"Listen":"x"}""", ["'Listen'"] },
        { """{"tls":{"certificat":"x"}}""", ["'tls.certificat'", "certificate, key, passwordFile, clientCa, clientCertificate"] },
        { """{"tokens":[{"name":"a"},{"password":"x"}]}""", ["'tokens[1].password'", "name, sha256, role, ids, groups, ownIdOnly"] },
        { """{"\u001b[31m":1}""", [] },
        { """{"data":"a","data":"b"}""", ["'data'"] },
        { """{"groups":{"a":1,"a":2}}""", ["'groups.a'"] },
        { """{"tls":{"key":"a","key":"b"}}""", ["'tls.key'"] },
        { """{"data":null}""", ["'data'"] },
        { """{"data":1}""", ["'data'"] },
        { """{"data":""}""", ["'data'"] },
        { """{"data":"\ud800"}""", [":1:"] },
        { """{"\ud800":"a"}""", [] },
        { """{"listen":1}""", ["'listen'"] },
        { """{"listen":["http://127.0.0.1:1",1]}""", ["'listen'"] },
        { """{"listen":[]}""", ["'listen'"] },
        { """{"listen":"3333"}""", ["'listen'", "'3333'"] },
        { """{"listen":"http://localhost:1"}""", ["'http://localhost:1'"] },
        { """{"listen":"https://127.0.0.1:1"}""", ["'https://127.0.0.1:1'", "tls.certificate"] },
        { """{"groups":[]}""", ["'groups'"] },
        { """{"groups":{}}""", ["'groups'"] },
        { """{"groups":{"a":"1"}}""", ["'groups.a'"] },
        { """{"groups":{"a":1.5}}""", ["'groups.a'"] },
        { """{"groups":{"a":99999999999}}""", ["'groups.a'"] },
        { """{"groups":{"a":-1}}""", ["'groups'", "'a'", "-1", "100000"] },
        { """{"groups":{"a":100001}}""", ["'groups'", "'a'", "100001", "100000"] },
        { """{"groups":{"a_b":1}}""", ["'groups'", "'a_b'"] },
        { """{"data":"a.db","etcd":{"endpoints":"http://127.0.0.1:1"}}""", ["'data'", "'etcd'"] },
        { """{"etcd":{}}""", ["etcd.endpoints"] },
        { """{"etcd":{"endpoints":[]}}""", ["'etcd.endpoints'"] },
        { """{"etcd":{"endpoints":"127.0.0.1:2379"}}""", ["'etcd.endpoints'", "'127.0.0.1:2379'"] },
        { """{"etcd":{"endpoints":"http://user:secret@127.0.0.1:2379"}}""", ["'etcd.endpoints'"] },
        { """{"etcd":{"endpoints":"http://127.0.0.1:2379","user":"root"}}""", ["user", "password"] },
        { """{"etcd":{"endpoints":"https://127.0.0.1:2379","key":"key.pem"}}""", ["key", "certificate"] },
        { """{"etcd":{"endpoints":"http://127.0.0.1:2379","timeoutSeconds":0}}""", ["'etcd.timeoutSeconds'", "300"] },
        { """{"tls":{}}""", ["tls.certificate"] },
        { """{"tls":{"certificate":"a.pem"}}""", ["http://127.0.0.1:3333"] },
        { """{"listen":"https://127.0.0.1:1","tls":{"certificate":"a.pem","clientCertificate":"maybe"}}""", ["'tls.clientCertificate'", "'maybe'", "none", "allow", "require"] },
        { """{"listen":"https://127.0.0.1:1","tls":{"certificate":"a.pem","clientCertificate":"require"}}""", ["tls.clientCertificate", "tls.clientCa"] },
        { """{"clientCertificates":[{"name":"*","role":"node"}]}""", ["clientCertificates", "tls.clientCa"] },
        { """{"tokens":{}}""", ["'tokens'"] },
        { """{"tokens":[1]}""", ["'tokens[0]'"] },
        { """{"tokens":[{"role":"node","sha256":"HASH"}]}""", ["'tokens[0].name'", "255"] },
        { """{"tokens":[{"name":"a","sha256":"HASH"}]}""", ["'tokens[0]'", "node", "observer", "admin"] },
        { """{"tokens":[{"name":"a","role":"root","sha256":"HASH"}]}""", ["'tokens[0]'", "'root'", "node", "observer", "admin"] },
        { """{"tokens":[{"name":"a","role":"node"}]}""", ["'tokens[0]'"] },
        { """{"tokens":[{"name":"a","role":"node","sha256":"hunter2"}]}""", ["'tokens[0].sha256'"] },
        { """{"tokens":[{"name":"a","role":"node","sha256":"HASH"},{"name":"b","role":"admin","sha256":"HASH"}]}""", ["'tokens[1].sha256'"] },
        { """{"tokens":[{"name":"a","role":"observer","sha256":"HASH","groups":"workers"}]}""", ["'tokens[0]'"] },
        { """{"tokens":[{"name":"a","role":"admin","sha256":"HASH","ownIdOnly":false}]}""", ["'tokens[0]'"] },
        { """{"tokens":[{"name":"a","role":"node","sha256":"HASH","ownIdOnly":"yes"}]}""", ["'tokens[0].ownIdOnly'"] },
        { """{"tokens":[{"name":"a","role":"node","sha256":"HASH","groups":"a_b"}]}""", ["'tokens[0].groups'", "'a_b'"] },
        { """{"tokens":[{"name":"a","role":"node","sha256":"HASH","ids":[""]}]}""", ["'tokens[0].ids'", "255"] },
        { """{"limits":{"maxConnections":0}}""", ["'limits.maxConnections'", "1000000"] },
        { """{"limits":{"headerTimeoutSeconds":0}}""", ["'limits.headerTimeoutSeconds'", "86400"] },
        { """{"limits":{"bodyTimeoutSeconds":1}}""", ["'limits.bodyTimeoutSeconds'", "86400"] },
        { """{"limits":{"requestsPerMinutePerAddress":0}}""", ["'limits.requestsPerMinutePerAddress'", "1000000000"] },
        { """{"limits":{"maxWaitSeconds":-1}}""", ["'limits.maxWaitSeconds'", "-1", "86400"] },
        { """{"log":"xml"}""", ["'log'", "'xml'", "text", "json"] },
    };

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(BadFiles))]
    public void An_error_names_the_file_the_member_and_the_value(string json, string[] names)
    {
        var message = Refusal(json);

        Assert.StartsWith(_folder.File("server.json"), message, StringComparison.Ordinal);
        Assert.All(names, name => Assert.Contains(name, message, StringComparison.Ordinal));
        Assert.DoesNotContain(message, char.IsControl);
        Assert.DoesNotContain("System.", message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_messages_are_those_of_the_file()
    {
        var messages = new MessageFile("server-configuration").Hide(_folder.File("server.json"), "server.json").Hide(Hash, "HASH");
        foreach (var json in BadFiles.Select(row => row.Data.Item1))
            messages.Add(json.Length == 0 ? "(an empty file)" : TerminalText.Clean(json), Regex.Replace(Refusal(json), "(?<=not valid JSON: ).*", "…"));
        messages.Verify();
    }

    [Fact]
    public void A_file_that_is_not_there_is_named()
    {
        var source = new ServerConfigurationSource(new ServerSettings(), new Dictionary<string, string>(), _folder.File("none.json"));

        Assert.Contains(_folder.File("none.json"), Assert.Throws<FleetLockInputException>(source.Load).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_empty_object_is_what_no_file_is()
    {
        var configuration = Load("{}");

        Assert.Equal([FleetLockServerOptions.DefaultListen], configuration.Listen);
        Assert.Equal(new Dictionary<string, int> { ["default"] = 1 }, configuration.Groups);
        Assert.Null(configuration.Data);
        Assert.Null(configuration.Etcd);
        Assert.Null(configuration.Tls);
        Assert.Empty(configuration.Credentials);
        Assert.Equal(new ServerLimits(), configuration.Limits);
        Assert.Equal("text", configuration.Log);
    }

    [Fact]
    public void Every_member_is_taken_and_a_relative_path_is_of_the_files_folder()
    {
        var configuration = Load($$"""
            {
              "listen": ["https://0.0.0.0:3333", "http://127.0.0.1:3334"],
              "groups": { "workers": 3, "controllers": 0 },
              "data": "state/fleetlock.db",
              "tls": { "certificate": "tls/own.pem", "key": "/run/key.pem", "passwordFile": "password", "clientCa": "ca.pem", "clientCertificate": "require" },
              "tokens": [{ "name": "web", "sha256": "{{Hash}}", "role": "node", "ids": "a", "groups": ["workers", "other"], "ownIdOnly": true }],
              "clientCertificates": [{ "name": "*", "role": "observer" }],
              "limits": { "maxConnections": 5, "headerTimeoutSeconds": 6, "bodyTimeoutSeconds": 7, "requestsPerMinutePerAddress": 8, "maxWaitSeconds": 9 },
              "log": "json"
            }
            """);

        Assert.Equal(["https://0.0.0.0:3333/", "http://127.0.0.1:3334/"], configuration.Listen.Select(listen => listen.ToString()));
        Assert.Equal(new Dictionary<string, int> { ["workers"] = 3, ["controllers"] = 0 }, configuration.Groups);
        Assert.Equal(_folder.File("state/fleetlock.db"), configuration.Data);
        Assert.Equal(
            new TlsOptions(_folder.File("tls/own.pem"))
            {
                KeyPath = Path.GetFullPath("/run/key.pem"),
                PasswordPath = _folder.File("password"),
                ClientAuthoritiesPath = _folder.File("ca.pem"),
                RequireClientCertificate = true,
            },
            configuration.Tls);
        Assert.Collection(
            configuration.Credentials,
            token =>
            {
                Assert.Equal(("web", Role.Node, Hash, true), (token.Name, token.Role, token.Sha256, token.OwnIdOnly));
                Assert.Equal(["a"], token.Ids);
                Assert.Equal(["workers", "other"], token.Groups);
            },
            certificate => Assert.Equal(new Credential("*", Role.Observer), certificate));
        Assert.Equal(
            new ServerLimits { MaxConnections = 5, HeaderTimeout = TimeSpan.FromSeconds(6), BodyTimeout = TimeSpan.FromSeconds(7), RequestsPerMinutePerAddress = 8 },
            configuration.Limits);
        Assert.Equal(TimeSpan.FromSeconds(9), configuration.MaxWait);
        Assert.Equal("json", configuration.Log);
    }

    [Fact]
    public void Every_member_of_etcd_is_taken()
    {
        var configuration = Load("""
            { "etcd": { "endpoints": ["https://a:2379", "https://b:2379"], "caCertificate": "ca.pem", "certificate": "own.pem", "key": "key.pem",
                        "user": "fleetlock", "passwordFile": "password", "timeoutSeconds": 7 } }
            """);

        var etcd = configuration.Etcd!;
        Assert.Equal(["https://a:2379/", "https://b:2379/"], etcd.Endpoints.Select(endpoint => endpoint.ToString()));
        Assert.Equal((_folder.File("ca.pem"), _folder.File("own.pem"), _folder.File("key.pem")), (etcd.CaCertificatePath, etcd.CertificatePath, etcd.KeyPath));
        Assert.Equal(("fleetlock", _folder.File("password"), TimeSpan.FromSeconds(7)), (etcd.User, configuration.EtcdPasswordFile, etcd.Timeout));
    }

    [Fact]
    public void Memory_is_no_file() => Assert.Equal(":memory:", Load("""{"data":":memory:"}""").Data);

    [Fact]
    public void A_mark_at_the_beginning_is_passed_over() => Assert.Equal(":memory:", Load("\uFEFF{\"data\":\":memory:\"}").Data);

    [Fact]
    public void Client_authorities_alone_allow_certificates()
    {
        var tls = Load("""{"listen":"https://127.0.0.1:1","tls":{"certificate":"a.pem","clientCa":"ca.pem"}}""").Tls!;

        Assert.Equal((_folder.File("ca.pem"), false), (tls.ClientAuthoritiesPath, tls.RequireClientCertificate));
    }

    [Fact]
    public void Certificates_that_are_not_asked_for_are_not_checked() =>
        Assert.Null(Load("""{"listen":"https://127.0.0.1:1","tls":{"certificate":"a.pem","clientCa":"ca.pem","clientCertificate":"none"}}""").Tls!.ClientAuthoritiesPath);

    [Fact]
    public void The_command_line_counts_before_the_file_member_by_member()
    {
        const string File = """{"groups":{"a":1},"log":"json","limits":{"maxConnections":5,"maxWaitSeconds":9},"data":"a.db"}""";
        var configuration = Load(File, new ServerSettings
        {
            Groups = new Dictionary<string, int> { ["b"] = 2 },
            Limits = new LimitSettings { MaxConnections = 6 },
        });

        Assert.Equal(new Dictionary<string, int> { ["b"] = 2 }, configuration.Groups);
        Assert.Equal((6, TimeSpan.FromSeconds(9)), (configuration.Limits.MaxConnections, configuration.MaxWait));
        Assert.Equal(("json", _folder.File("a.db")), (configuration.Log, configuration.Data));
    }

    [Fact]
    public void The_command_lines_store_takes_the_place_of_the_files()
    {
        var etcd = new EtcdSettings { Endpoints = ["http://127.0.0.1:2379"] };

        var toEtcd = Load("""{"data":"a.db"}""", new ServerSettings { Etcd = etcd });
        var toFile = Load("""{"etcd":{"endpoints":"http://127.0.0.1:2379"}}""", new ServerSettings { Data = "b.db" });

        Assert.Equal((null, "http://127.0.0.1:2379/"), (toEtcd.Data, Assert.Single(toEtcd.Etcd!.Endpoints).ToString()));
        Assert.Equal(("b.db", null), (toFile.Data, toFile.Etcd));
    }

    [Fact]
    public void A_certificate_of_the_command_line_does_not_take_the_files_key()
    {
        const string File = """{"listen":"https://127.0.0.1:1","tls":{"certificate":"a.pem","key":"a.key","clientCa":"ca.pem"}}""";

        var tls = Load(File, new ServerSettings { Tls = new TlsSettings { Certificate = "b.pfx" } }).Tls!;

        Assert.Equal(("b.pfx", null, _folder.File("ca.pem")), (tls.CertificatePath, tls.KeyPath, tls.ClientAuthoritiesPath));
    }

    [Fact]
    public void A_bad_value_of_the_command_line_is_named_as_its_option()
    {
        var options = new Dictionary<string, string> { ["limits.maxConnections"] = "--max-connections", ["tokens"] = "--token" };

        var limit = Assert.Throws<FleetLockInputException>(() => new ServerConfigurationSource(new ServerSettings { Limits = new LimitSettings { MaxConnections = 0 } }, options, null));
        var token = Assert.Throws<FleetLockInputException>(() => new ServerConfigurationSource(new ServerSettings { Tokens = [new CredentialSettings { Name = "a", Role = "node", Sha256 = "x" }] }, options, null));

        Assert.StartsWith("--max-connections ", limit.Message, StringComparison.Ordinal);
        Assert.StartsWith("--token ", token.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_written_as_JSON_can_be_read_back()
    {
        var entry = new CredentialSettings { Name = "a", Role = "node", Sha256 = Hash, Groups = ["workers"], OwnIdOnly = true };

        var json = JsonSerializer.Serialize(entry, ServerSettingsJson.Default.CredentialSettings);

        Assert.Equal(["workers"], Assert.Single(Load($$"""{"tokens":[{{json}}]}""").Credentials).Groups);
    }

    private string Refusal(string json) =>
        Assert.Throws<FleetLockInputException>(() => { Load(json.Replace("HASH", Hash, StringComparison.Ordinal)); }).Message;

    private ServerConfiguration Load(string json, ServerSettings? given = null)
    {
        File.WriteAllBytes(_folder.File("server.json"), Encoding.UTF8.GetBytes(json));
        return new ServerConfigurationSource(given ?? new ServerSettings(), new Dictionary<string, string>(), _folder.File("server.json")).Load();
    }
}
