namespace FleetLock.Core.Tests;

/// <summary>Rule 7: text from elsewhere is stripped of what could steer a terminal or hide something.</summary>
[Trait("Lane", "Fast")]
public sealed class TerminalTextTests
{
    public static readonly TheoryData<string, string> Dirty = new()
    {
        { "", "" },
        { "plain text", "plain text" },
        { "größe 漢字", "größe 漢字" },
        { @"\ud83d\ude80 rocket", "\U0001F680 rocket" },
        { "  ends  ", "ends" },
        { "many    spaces", "many spaces" },
        { @"tab\tand\u00a0wide\u3000space", "tab and wide space" },
        { @"\r\nlines\r\n\r\nmore", "lines more" },
        { @"\u001b[2J\u001b]0;title\u0007x", "[2J ]0;title x" },
        { @"bell\u0007null\u0000del\u007fcsi\u009b", "bell null del csi" },
        { @"\u202eevil\u202c\u2066\u2069\u200b\ufeff", "evil" },
        { @"a\u2028b\u2029c\u0085d", "a b c d" },
        { @"a\ud800b\udc00c", "a b c" },
        { @"\udc00\ud800", "" },
        { @"\ud83d\ud83d\ude80\ude80", "\U0001F680" },
        { @"hid\udb40\udc41den tags\udb40\udc7f", "hid den tags" },
    };

    public static readonly TheoryData<string, bool> Printable = new()
    {
        { "", true },
        { " ", true },
        { "~!@#", true },
        { "é漢", true },
        { @"\ud83d\ude80", true },
        { @"\u0000", false },
        { @"\u001b", false },
        { @"\u007f", false },
        { @"\u0080", false },
        { @"\u009b", false },
        { @"\u00ad", false },
        { @"\u200d", false },
        { @"\u202e", false },
        { @"\u2028", false },
        { @"\u2029", false },
        { @"\ufeff", false },
        { @"\ud83d", false },
        { @"\ude80", false },
        { @"\ude80\ud83d", false },
        { @"\ud83d\ud83d\ude80", false },
        { @"\ud83d\ude80\ude80", false },
        { @"\udb40\udc41", false },
    };

    [Theory]
    [MemberData(nameof(Dirty))]
    public void Cleaning_leaves_only_what_may_be_shown(string escaped, string clean)
    {
        Assert.Equal(clean, TerminalText.Clean(Text.Of(escaped)));
        Assert.True(TerminalText.IsPrintable(TerminalText.Clean(Text.Of(escaped))));
    }

    [Theory]
    [MemberData(nameof(Printable))]
    public void Printable_is_what_cleaning_would_leave_alone(string escaped, bool expected) =>
        Assert.Equal(expected, TerminalText.IsPrintable(Text.Of(escaped)));

    [Fact]
    public void Cleaning_any_character_leaves_it_printable() =>
        Assert.All(
            Enumerable.Range(0, 0x10000).Select(c => ((char)c).ToString()).Where(text => !TerminalText.IsPrintable(text)),
            text => Assert.Equal("a b", TerminalText.Clean($"a{text}b")));

    [Theory]
    [InlineData("abcdef", 6, "abcdef")]
    [InlineData("abcdefg", 6, "abcde…")]
    [InlineData("abcdef  \n", 6, "abcdef")]
    [InlineData(@"abcd\ud83d\ude80", 6, "abcd\U0001F680")]
    [InlineData(@"abcd\ud83d\ude80e", 6, "abcd…")]
    [InlineData(@"abc\ud83d\ude80ef", 6, "abc\U0001F680…")]
    [InlineData("abc", 1, "…")]
    public void A_long_text_ends_in_an_ellipsis_and_not_in_half_a_character(string escaped, int maxLength, string expected) =>
        Assert.Equal(expected, TerminalText.Clean(Text.Of(escaped), maxLength));
}
