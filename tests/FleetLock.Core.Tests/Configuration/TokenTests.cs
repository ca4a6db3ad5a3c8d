namespace FleetLock.Core.Tests;

/// <summary>Where the token comes from: the nearest place that has one; and that it is never shown.</summary>
[Trait("Lane", "Fast")]
public sealed class TokenTests
{
    private const string Secret = "s3cr3t";

    private readonly FileSystem _files = new FileSystem().With("/p", "of-given-file\n").With("/e", " of-environments-file\r\n").With("/f", "of-files-file");

    /// <summary>Token and token file of the caller, of the environment, the token file of the configuration file, and which one is in force.</summary>
    public static readonly TheoryData<string?, string?, string?, string?, string?, string?> Places = new()
    {
        { null, null, null, null, null, null },
        { null, null, null, null, "/f", "of-files-file" },
        { null, null, null, "/e", "/f", "of-environments-file" },
        { null, null, "env", null, "/f", "env" },
        { null, null, "env", "/e", "/f", "env" },
        { null, "/p", "env", "/e", "/f", "of-given-file" },
        { null, "/p", null, "/e", "/f", "of-given-file" },
        { "given", null, "env", "/e", "/f", "given" },
        { "given", "/p", "env", "/e", "/f", "given" },
        { "given", null, null, "/e", null, "given" },
    };

    public static readonly TheoryData<string> BadTokens = ["", " ", "s3cr3t and more", "s3cr3t\nX-Smuggled: true", "s3cr3t\0", "s3cr3tü", "\u001bs3cr3t"];

    [Theory]
    [MemberData(nameof(Places))]
    public void The_nearest_one_is_in_force(string? token, string? tokenFile, string? variable, string? variableOfFile, string? fileOfFile, string? expected)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The paths are those of Unix.");
        if (variable is not null)
            _files.Variables["FLEETLOCK_TOKEN"] = variable;
        if (variableOfFile is not null)
            _files.Variables["FLEETLOCK_TOKEN_FILE"] = variableOfFile;
        if (fileOfFile is not null)
            _files.With(FileSystem.MachineFile, $$"""{"tokenFile":"{{fileOfFile}}"}""");

        Assert.Equal(expected, TokenOf(new FleetLockSettings { Token = token, TokenFile = tokenFile }));
    }

    [Theory]
    [InlineData("/absent")]
    [InlineData("/unreadable")]
    [InlineData("")]
    public void A_token_file_that_cannot_be_read_is_an_error_and_does_not_fall_through(string path)
    {
        _files.With(FileSystem.MachineFile, """{"tokenFile":"/f"}""");

        var fault = Assert.Throws<FleetLockInputException>(() => TokenOf(new FleetLockSettings { TokenFile = path }));

        Assert.Equal("token", fault.Setting);
        Assert.Contains(path, fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(BadTokens))]
    public void A_token_that_no_header_can_carry_is_refused_and_not_shown(string token)
    {
        _files.With("/bad", token);

        var given = Assert.Throws<FleetLockInputException>(() => TokenOf(new FleetLockSettings { Token = token }));
        var ofFile = Assert.Throws<FleetLockInputException>(() => TokenOf(new FleetLockSettings { TokenFile = "/bad" }));

        Assert.Equal(("token", "token"), (given.Setting, ofFile.Setting));
        Assert.DoesNotContain(Secret, given.ToString() + ofFile, StringComparison.Ordinal);
        Assert.Contains("/bad", ofFile.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://user:s3cr3t@fleet.example/base")]
    [InlineData("http://s3cr3t@fleet.example")]
    [InlineData("user:s3cr3t@fleet.example")]
    [InlineData("http://user:s3cr3t@")]
    [InlineData("http+unix://user:s3cr3t@%2Frun%2Ff.sock")]
    [InlineData("http://user:s3cr3t@a@fleet.example")]
    public void Neither_the_token_nor_the_urls_password_is_shown(string url)
    {
        var all = _files.Resolve(new FleetLockSettings { Url = url, Token = Secret }).All();

        Assert.Equal("set", all.Single(setting => setting.Name == SettingName.Token).Shown);
        Assert.DoesNotContain(Secret, string.Join('\n', all), StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, string.Concat(all.Select(setting => setting.Shown)), StringComparison.Ordinal);
    }

    private string? TokenOf(FleetLockSettings given) => _files.Resolve(given with { Url = "http://fleet.example" }).RequireClientOptions().Token;
}
