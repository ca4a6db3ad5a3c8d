using FleetLock.TestKit;
namespace FleetLock.Server.Tests;

public sealed class EtcdOptionsTests
{
    private const string Secret = "correct horse";

    private static readonly EtcdStoreOptions Good = new() { Endpoints = [new Uri("http://one:2379"), new Uri("http://two:2379/")] };

    [Fact]
    public void The_text_names_the_endpoints_and_never_the_password()
    {
        var text = (Good with { User = "fleetlock", Password = Secret }).ToString();

        Assert.Contains("http://one:2379, http://two:2379", text, StringComparison.Ordinal);
        Assert.DoesNotContain("horse", text, StringComparison.Ordinal);
    }

    [Fact]
    public void The_store_is_described_by_its_endpoints() =>
        Assert.Equal("etcd at http://one:2379, http://two:2379", new EtcdStore(Good with { User = "fleetlock", Password = Secret }).Description);

    [Theory]
    [InlineData("ftp://one:2379")]
    [InlineData("one:2379")]
    [InlineData("/one")]
    [InlineData("http://one:2379/v3")]
    [InlineData("http://one:2379/?a=b")]
    [InlineData("http://one:2379/#a")]
    [InlineData("http://fleetlock:" + Secret + "@one:2379")]
    public void An_endpoint_of_another_form_is_refused_and_no_password_is_shown(string endpoint)
    {
        var refusal = Refusal(Etcd.Options(new Uri(endpoint, UriKind.RelativeOrAbsolute)));

        Assert.Contains("one", refusal, StringComparison.Ordinal);
        Assert.DoesNotContain("horse", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void What_contradicts_itself_is_refused()
    {
        var secure = Etcd.Options(new Uri("https://one:2379"));
        var messages = new MessageFile("server-etcd");

        Add("no endpoint", Etcd.Options());
        Add("http and https", Etcd.Options([.. Good.Endpoints, .. secure.Endpoints]));
        Add("http with a certificate", Good with { CaCertificatePath = "ca.pem" });
        Add("a key without a certificate", secure with { KeyPath = "key.pem" });
        Add("a user without a password", Good with { User = "fleetlock" });
        Add("a password without a user", Good with { Password = Secret });
        Add("a time-out of 0", Good with { Timeout = TimeSpan.Zero });
        messages.Verify();

        void Add(string situation, EtcdStoreOptions options) => messages.Add(situation, Refusal(options));
    }

    [Fact]
    public void A_certificate_that_is_not_there_is_named()
    {
        var secure = Etcd.Options(new Uri("https://one:2379"));

        Assert.Contains("/none/ca.pem", Refusal(secure with { CaCertificatePath = "/none/ca.pem" }), StringComparison.Ordinal);
        Assert.Contains("/none/key.pem", Refusal(secure with { CertificatePath = "/none/one.pem", KeyPath = "/none/key.pem" }), StringComparison.Ordinal);
    }

    private static string Refusal(EtcdStoreOptions options) => Assert.Throws<FleetLockInputException>(() => new EtcdStore(options)).Message;
}
