using System.Globalization;
using System.Text;

namespace FleetLock;

/// <summary>Makes text from elsewhere safe for a terminal, a log and a table.</summary>
public static class TerminalText
{
    /// <summary>
    /// Strips what could steer a terminal or hide text: control characters (escape sequences begin with one), line separators,
    /// format characters (bidirectional overrides) and lone surrogates. A run of them, or of white space, becomes one space.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="maxLength">The most characters to keep; a longer text ends in an ellipsis.</param>
    /// <returns>The cleaned text, without spaces at its ends.</returns>
    public static string Clean(string text, int maxLength = 500)
    {
        var clean = new StringBuilder(System.Math.Min(text.Length, maxLength));
        for (var i = 0; i < text.Length && clean.Length <= maxLength; i++)
        {
            if (IsPrintableAt(text, i) && !char.IsWhiteSpace(text[i]))
                clean.Append(text[i]);
            else if (clean.Length > 0 && clean[clean.Length - 1] != ' ')
                clean.Append(' ');
        }

        if (clean.Length > maxLength)
        {
            // Not in the middle of a surrogate pair.
            var keep = char.IsHighSurrogate(clean[maxLength - 2]) ? maxLength - 2 : maxLength - 1;
            clean.Length = keep;
            clean.Append('…');
        }

        return clean.ToString().Trim();
    }

    /// <summary>Tells whether a text has none of the characters that <see cref="Clean"/> strips. Spaces are printable.</summary>
    /// <param name="text">The text.</param>
    /// <returns>True when every character may be shown as it is.</returns>
    public static bool IsPrintable(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (!IsPrintableAt(text, i))
                return false;
        }

        return true;
    }

    private static bool IsPrintableAt(string text, int index)
    {
        var c = text[index];
        if (c is >= ' ' and <= '~')
            return true;

        return CharUnicodeInfo.GetUnicodeCategory(c) switch
        {
            UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator => false,
            UnicodeCategory.Surrogate => IsInPair(text, index),
            _ => true,
        };
    }

    private static bool IsInPair(string text, int index) => char.IsHighSurrogate(text[index])
        ? index + 1 < text.Length && char.IsLowSurrogate(text[index + 1])
        : index > 0 && char.IsHighSurrogate(text[index - 1]);
}
