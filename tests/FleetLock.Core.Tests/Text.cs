using System.Text.RegularExpressions;

namespace FleetLock.Core.Tests;

internal static class Text
{
    /// <summary>Text from a form with <c>\u0000</c> escapes. Rows keep this form: half a surrogate pair does not survive in a test's name.</summary>
    internal static string Of(string escaped) => Regex.Unescape(escaped);
}
