using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using FleetLock.TestKit;
using static FleetLock.Server.Tests.Sample;

namespace FleetLock.Server.Tests;

/// <summary>TLS with client certificates, and etcd's users.</summary>
public sealed class EtcdSecurityTests : IDisposable
{
    private const string Password = "correct horse";

    private readonly TemporaryDirectory _folder = new();
    private readonly TestAuthority _authority = new();

    public EtcdSecurityTests() => Etcd.SkipWithout();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _authority.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Etcd_with_TLS_takes_a_client_certificate_as_PEM_with_a_key_file_as_one_PEM_and_as_PFX()
    {
        await using var etcd = await StartTlsAsync();
        using var certificate = _authority.Issue("client");
        var (pem, key) = (certificate.ExportCertificatePem(), KeyOf(certificate));
        var trusting = Etcd.Options(etcd.Endpoint) with { CaCertificatePath = Write("ca.pem", _authority.Pem) };

        EtcdStoreOptions[] ways =
        [
            trusting with { CertificatePath = Write("client.pem", pem), KeyPath = Write("client.key", key) },
            trusting with { CertificatePath = Write("both.pem", pem + "\n" + key) },
            trusting with { CertificatePath = WritePfx("client.pfx", certificate) },
        ];
        var seen = StoredSemaphore.None;
        foreach (var way in ways)
        {
            await using var store = await Etcd.OpenAsync(way);
            var (isSaved, current) = await store.SaveAsync(Group, seen, Held(1, "a"), Token);
            Assert.True(isSaved);
            seen = current;
        }
    }

    [Fact]
    public async Task Without_the_right_certificates_there_is_no_connection()
    {
        await using var etcd = await StartTlsAsync();
        using var stranger = new TestAuthority("Another authority");
        using var certificate = _authority.Issue("client");
        using var strangers = stranger.Issue("client");
        var shown = Etcd.Options(etcd.Endpoint) with { CertificatePath = WritePfx("client.pfx", certificate) };
        var trusted = Etcd.Options(etcd.Endpoint) with { CaCertificatePath = Write("ca.pem", _authority.Pem) };

        EtcdStoreOptions[] ways =
        [
            shown,
            shown with { CaCertificatePath = Write("stranger.pem", stranger.Pem) },
            trusted,
            trusted with { CertificatePath = WritePfx("stranger.pfx", strangers) },
        ];
        foreach (var way in ways)
        {
            await using var store = await Etcd.OpenAsync(way);
            var fault = await Assert.ThrowsAsync<SemaphoreStoreException>(() => store.LoadAllAsync(Token));
            Assert.StartsWith($"etcd at {etcd.Endpoint.GetLeftPart(UriPartial.Authority)} ", fault.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_user_with_a_password_may_and_others_may_not()
    {
        await using var etcd = await StartWithUsersAsync();
        var options = Etcd.Options(etcd.Endpoint);

        await using var store = await Etcd.OpenAsync(options with { User = "fleetlock", Password = Password });
        Assert.True((await store.SaveAsync(Group, StoredSemaphore.None, Held(1, "a"), Token)).IsSaved);
        Assert.Equal([Group], (await store.LoadAllAsync(Token)).Semaphores.Keys);

        await AssertRefusedAsync(options, "user name is empty");
        await AssertRefusedAsync(options with { User = "fleetlock", Password = "wrong" }, "invalid user ID or password");
        await AssertRefusedAsync(options with { User = "nobody", Password = Password }, "invalid user ID or password");
        await AssertRefusedAsync(options with { User = "guest", Password = Password }, "permission denied");
    }

    [Fact]
    public async Task A_token_that_etcd_has_forgotten_is_renewed()
    {
        await using var etcd = await StartWithUsersAsync();
        await using var store = await Etcd.OpenAsync(Etcd.Options(etcd.Endpoint) with { User = "fleetlock", Password = Password });
        var seen = (await store.SaveAsync(Group, StoredSemaphore.None, Held(1, "a"), Token)).Current;
        await ForgetTokensAsync(etcd);

        var saved = await store.SaveAsync(Group, seen, Held(1), Token);
        Assert.True(saved.IsSaved);
        await ForgetTokensAsync(etcd);
        Assert.Equal(saved.Current.Revision, (await store.LoadAsync(Group, Token)).Revision);
    }

    [Fact]
    public async Task A_watch_begins_anew_after_its_token_was_forgotten()
    {
        await using var etcd = await StartWithUsersAsync();
        using var way = new TcpRelay(etcd.Endpoint);
        await using var store = await Etcd.OpenAsync(Etcd.Options(way.Endpoint) with { User = "fleetlock", Password = Password });
        await using var other = await Etcd.OpenAsync(Etcd.Options(etcd.Endpoint) with { User = "fleetlock", Password = Password });
        var seen = (await other.SaveAsync(Group, StoredSemaphore.None, Held(1, "a"), Token)).Current;
        await store.LoadAllAsync(Token);
        var told = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        store.Changed += _ => told.TrySetResult();

        way.Cut();
        await ForgetTokensAsync(etcd);
        way.Mend();

        await other.SaveAsync(Group, seen, Held(1), Token);
        await told.Task.WaitAsync(TestTimeout.Hang, Token);
    }

    [Fact]
    public async Task A_user_that_etcd_does_not_ask_for_does_no_harm()
    {
        await using var etcd = await EtcdProcess.StartAsync();
        await using var store = await Etcd.OpenAsync(Etcd.Options(etcd.Endpoint) with { User = "fleetlock", Password = Password });

        Assert.True((await store.SaveAsync(Group, StoredSemaphore.None, Held(1, "a"), Token)).IsSaved);
    }

    private static async Task AssertRefusedAsync(EtcdStoreOptions options, string reason)
    {
        await using var store = await Etcd.OpenAsync(options);
        foreach (var use in new Func<Task>[] { () => store.LoadAsync(Group, Token), () => store.SaveAsync(Group, StoredSemaphore.None, Held(1, "b"), Token) })
        {
            var fault = await Assert.ThrowsAsync<SemaphoreStoreException>(use);
            Assert.Contains("etcdserver: ", fault.Message, StringComparison.Ordinal);
            Assert.Contains(reason, fault.Message, StringComparison.Ordinal);
        }
    }

    private Task<EtcdProcess> StartTlsAsync()
    {
        using var certificate = _authority.Issue("127.0.0.1");
        return EtcdProcess.StartAsync(
            new UriBuilder(EtcdProcess.FreeEndpoint()) { Scheme = Uri.UriSchemeHttps }.Uri,
            "--cert-file", Write("server.pem", certificate.ExportCertificatePem()),
            "--key-file", Write("server.key", KeyOf(certificate)),
            "--trusted-ca-file", Write("trusted.pem", _authority.Pem),
            "--client-cert-auth");
    }

    /// <summary>An etcd with the users <c>fleetlock</c>, who may use the groups' keys, and <c>guest</c>, who may nothing.</summary>
    private static async Task<EtcdProcess> StartWithUsersAsync()
    {
        var etcd = await EtcdProcess.StartAsync();
        const string first = "com.coreos.airlock/groups/", end = "com.coreos.airlock/groups0";
        await PostAsync("user/add", $$"""{"name":"root","password":"{{Password}}"}""");
        await PostAsync("user/add", $$"""{"name":"fleetlock","password":"{{Password}}"}""");
        await PostAsync("user/add", $$"""{"name":"guest","password":"{{Password}}"}""");
        await PostAsync("role/add", """{"name":"root"}""");
        await PostAsync("role/add", """{"name":"fleetlock"}""");
        await PostAsync("role/grant", $$"""{"name":"fleetlock","perm":{"permType":"READWRITE","key":"{{Base64(first)}}","range_end":"{{Base64(end)}}"} }""");
        await PostAsync("user/grant", """{"user":"root","role":"root"}""");
        await PostAsync("user/grant", """{"user":"fleetlock","role":"fleetlock"}""");
        await PostAsync("enable", "{}");
        return etcd;

        async Task PostAsync(string path, string body) => (await etcd.PostAsync("v3/auth/" + path, body)).Dispose();
    }

    /// <summary>etcd forgets the tokens of a user whose password changes.</summary>
    private static async Task ForgetTokensAsync(EtcdProcess etcd)
    {
        using var root = await etcd.PostAsync("v3/auth/authenticate", $$"""{"name":"root","password":"{{Password}}"}""");
        var token = root.RootElement.GetProperty("token").GetString();
        (await etcd.PostAsync("v3/auth/user/changepw", $$"""{"name":"fleetlock","password":"{{Password}}"}""", token)).Dispose();
    }

    private string Write(string name, string text)
    {
        File.WriteAllText(_folder.File(name), text);
        return _folder.File(name);
    }

    private string WritePfx(string name, X509Certificate2 certificate)
    {
        File.WriteAllBytes(_folder.File(name), certificate.Export(X509ContentType.Pkcs12));
        return _folder.File(name);
    }

    private static string KeyOf(X509Certificate2 certificate)
    {
        using var key = certificate.GetECDsaPrivateKey()!;

        // An EC key marked as one, which every etcd reads.
        return PemEncoding.WriteString("EC PRIVATE KEY", key.ExportECPrivateKey());
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
