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
        var gap = false;
        for (var i = 0; i < text.Length && clean.Length <= maxLength; i++)
        {
            if (!IsPrintableAt(text, i) || char.IsWhiteSpace(text[i]))
            {
                gap = clean.Length > 0;
                continue;
            }

            if (gap)
                clean.Append(' ');
            clean.Append(text[i]);
            gap = false;
        }

        if (clean.Length > maxLength)
        {
            // Not in the middle of a surrogate pair.
            clean.Length = maxLength > 1 && char.IsHighSurrogate(clean[maxLength - 2]) ? maxLength - 2 : maxLength - 1;
            clean.Append('…');
        }

        return clean.ToString();
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

        // The second half of a pair is what the first is; half a pair has the category of a surrogate.
        var start = index > 0 && char.IsSurrogatePair(text, index - 1) ? index - 1 : index;
        return CharUnicodeInfo.GetUnicodeCategory(text, start) is not (UnicodeCategory.Control
            or UnicodeCategory.Format
            or UnicodeCategory.LineSeparator
            or UnicodeCategory.ParagraphSeparator
            or UnicodeCategory.Surrogate);
    }
}
