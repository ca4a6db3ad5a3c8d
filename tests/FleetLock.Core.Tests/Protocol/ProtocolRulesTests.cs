namespace FleetLock.Core.Tests;

/// <summary>The rules for groups and ids; a refusal names the value and can itself be shown.</summary>
[Trait("Lane", "Fast")]
public sealed class ProtocolRulesTests
{
    public static readonly TheoryData<string?, string> BadGroups = new()
    {
        { null, "" },
        { "", "" },
        { " ", "''" },
        { "under_score", "'under_score'" },
        { "two words", "'two words'" },
        { "a/b", "'a/b'" },
        { "größe", "'größe'" },
        { "группа", "'группа'" },
        { "١٢", "'١٢'" },
        { @"workers\n", "'workers'" },
        { @"\nworkers", "'workers'" },
        { @"work\u0000ers", "'work ers'" },
        { @"\u001b[31mred", "'[31mred'" },
        { @"\u202eevil", "'evil'" },
        { @"\ud800", "''" },
        { "*", "'*'" },
        { "${HOME}", "'${HOME}'" },
    };

    public static readonly TheoryData<string> GoodGroups = ["default", "a", "A.b-C.9", ".", "-", "..", "0", new string('g', 300)];

    public static readonly TheoryData<string?, string> BadIds = new()
    {
        { null, "" },
        { "", "" },
        { " ", "" },
        { "     ", "" },
        { @"\u00a0\u3000", "" },
        { @"\t", "" },
        { @"id\n", "'id'" },
        { @"a\u0000b", "'a b'" },
        { @"a\u001b[31mb", "'a [31mb'" },
        { @"a\u007fb", "'a b'" },
        { @"a\u0085b", "'a b'" },
        { @"a\u009bb", "'a b'" },
        { @"a\u2028b", "'a b'" },
        { @"a\u2029b", "'a b'" },
        { @"a\u202eb", "'a b'" },
        { @"a\u2066b", "'a b'" },
        { @"a\ufeffb", "'a b'" },
        { @"a\ud800", "'a'" },
        { @"\udc00b", "'b'" },
    };

    public static readonly TheoryData<string> GoodIds =
        ["a", "35ba2101ae3f4d45b96e9c51f461bbff", "node 1", " a", "größe", "漢字", @"\ud83d\ude80", "a/b?c#d", @"""quoted\\""", "under_score"];

    [Theory]
    [MemberData(nameof(BadGroups))]
    public void A_bad_group_is_refused_and_shown(string? escaped, string shown)
    {
        var fault = ProtocolRules.FaultOfGroup(Unescape(escaped));

        AssertSays(fault, shown);
        var thrown = Assert.Throws<FleetLockInputException>(() => ProtocolRules.RequireGroup(Unescape(escaped)));
        Assert.Equal("group", thrown.Setting);
    }

    [Theory]
    [MemberData(nameof(GoodGroups))]
    public void A_good_group_passes_unchanged(string group)
    {
        Assert.Null(ProtocolRules.FaultOfGroup(group));
        Assert.Same(group, ProtocolRules.RequireGroup(group));
    }

    [Theory]
    [MemberData(nameof(BadIds))]
    public void A_bad_id_is_refused_and_shown(string? escaped, string shown)
    {
        var fault = ProtocolRules.FaultOfId(Unescape(escaped));

        AssertSays(fault, shown);
        var thrown = Assert.Throws<FleetLockInputException>(() => ProtocolRules.RequireId(Unescape(escaped)));
        Assert.Equal("id", thrown.Setting);
    }

    [Theory]
    [MemberData(nameof(GoodIds))]
    public void A_good_id_passes_unchanged(string escaped)
    {
        var id = Text.Of(escaped);

        Assert.Null(ProtocolRules.FaultOfId(id));
        Assert.Same(id, ProtocolRules.RequireId(id));
    }

    [Fact]
    public void An_id_may_have_255_characters_and_no_more()
    {
        Assert.Null(ProtocolRules.FaultOfId(new string('a', 255)));
        AssertSays(ProtocolRules.FaultOfId(new string('a', 256)), "256");
    }

    [Fact]
    public void A_long_value_is_shown_in_short()
    {
        Assert.InRange(ProtocolRules.FaultOfId(new string('a', 100_000))!.Length, 1, 200);
        Assert.InRange(ProtocolRules.FaultOfGroup(new string('_', 100_000))!.Length, 1, 200);
    }

    private static string? Unescape(string? escaped) => escaped is null ? null : Text.Of(escaped);

    private static void AssertSays(string? fault, string shown)
    {
        Assert.NotNull(fault);
        Assert.Contains(shown, fault, StringComparison.Ordinal);
        Assert.True(TerminalText.IsPrintable(fault), fault);
    }
}
