using FleetLock.TestKit;

namespace FleetLock.Core.Tests;

/// <summary>Rule 4: the base address is normalised to exactly one slash before <c>v1/…</c>, or refused.</summary>
public sealed class ServerAddressTests
{
    public static readonly TheoryData<string, string> Bases = new()
    {
        { "http://fleet.example", "http://fleet.example/v1/pre-reboot" },
        { "http://fleet.example/", "http://fleet.example/v1/pre-reboot" },
        { "http://fleet.example///", "http://fleet.example/v1/pre-reboot" },
        { "http://fleet.example/base", "http://fleet.example/base/v1/pre-reboot" },
        { "http://fleet.example/base/", "http://fleet.example/base/v1/pre-reboot" },
        { "http://fleet.example/base//", "http://fleet.example/base/v1/pre-reboot" },
        { "http://fleet.example/a/b.c/d", "http://fleet.example/a/b.c/d/v1/pre-reboot" },
        { "http://fleet.example/a%20b", "http://fleet.example/a%20b/v1/pre-reboot" },
        { "http://fleet.example:8080/base", "http://fleet.example:8080/base/v1/pre-reboot" },
        { "HTTPS://Fleet.Example:443", "https://fleet.example/v1/pre-reboot" },
        { "https://[::1]:3333", "https://[::1]:3333/v1/pre-reboot" },
        { "  http://fleet.example \t", "http://fleet.example/v1/pre-reboot" },
    };

    public static readonly TheoryData<string?, string> Refused = new()
    {
        { null, "" },
        { "", "" },
        { "   ", "" },
        { "fleet.example", "'fleet.example'" },
        { "fleet.example:8080", "'fleet.example:8080'" },
        { "/v1/pre-reboot", "'/v1/pre-reboot'" },
        { "ftp://fleet.example", "'ftp://fleet.example'" },
        { "file:///etc/passwd", "" },
        { "javascript:alert(1)", "" },
        { "http://", "'http://'" },
        { "https://two words.example", "'https://two words.example'" },
        { "http://fleet.example:99999", "'http://fleet.example:99999'" },
        { "http://fleet.example?", "" },
        { "http://fleet.example/?a=b", "'http://fleet.example/'" },
        { "http://fleet.example/base?a", "'http://fleet.example/base'" },
        { "http://fleet.example#", "" },
        { "http://fleet.example/#top", "'http://fleet.example/'" },
    };

    public static readonly TheoryData<string, string> PathsOnTheWire = new()
    {
        { "", "/v1/pre-reboot" },
        { "/", "/v1/pre-reboot" },
        { "//", "/v1/pre-reboot" },
        { "/base", "/base/v1/pre-reboot" },
        { "/base/", "/base/v1/pre-reboot" },
        { "/a/b///", "/a/b/v1/pre-reboot" },
    };

    [Theory]
    [MemberData(nameof(Bases))]
    public void A_base_address_gets_exactly_one_slash_and_loses_no_segment(string text, string endpoint) =>
        Assert.Equal(endpoint, ServerAddress.Parse(text).Endpoint(FleetLockProtocol.PreRebootPath).AbsoluteUri);

    [Theory]
    [MemberData(nameof(PathsOnTheWire))]
    public async Task The_path_on_the_wire_has_exactly_one_slash_before_v1(string path, string expected)
    {
        await using var server = new RawServer(RawAnswer.Http(200));
        using var client = Exchange.ClientOf(server.Url + path);

        await client.SendAsync(FleetLockOperation.Lock);

        Assert.Equal($"POST {expected} HTTP/1.1", Assert.Single(server.Requests).Line);
    }

    [Theory]
    [MemberData(nameof(Refused))]
    public void A_text_that_is_no_base_address_is_refused_by_name(string? text, string shown)
    {
        var fault = Assert.Throws<FleetLockInputException>(() => new FleetLockClient(text!));

        Assert.Equal("url", fault.Setting);
        Assert.Contains(shown, fault.Message, System.StringComparison.Ordinal);
        Assert.True(TerminalText.IsPrintable(fault.Message), fault.Message);
    }

    [Fact]
    public void Escape_sequences_in_a_bad_url_do_not_reach_the_terminal()
    {
        var fault = Assert.Throws<FleetLockInputException>(() => ServerAddress.Parse("\u001b[31mred\u202e"));

        Assert.True(TerminalText.IsPrintable(fault.Message), fault.Message);
    }

    [Fact]
    public void Addresses_that_lead_to_the_same_endpoints_are_equal()
    {
        var address = ServerAddress.Parse("http://fleet.example/base");

        Assert.Equal(address, ServerAddress.Parse("http://Fleet.Example:80/base//"));
        Assert.Equal(address.GetHashCode(), ServerAddress.Parse("http://fleet.example/base/").GetHashCode());
        Assert.NotEqual(address, ServerAddress.Parse("http://fleet.example/Base"));
        Assert.NotEqual(address, ServerAddress.Parse("https://fleet.example/base"));
        Assert.NotEqual(address, ServerAddress.Parse("http://user@fleet.example/base"));
    }
}
