using System.Globalization;
using Microsoft.Extensions.Primitives;

namespace FleetLock.Server;

/// <summary>The <c>wait</c> preference of a request (RFC 7240, section 4.3). Pure.</summary>
internal static class WaitPreference
{
    /// <summary>Reads how long the client is ready to wait.</summary>
    /// <param name="headers">The <c>Prefer</c> headers.</param>
    /// <returns>The whole seconds of the first <c>wait</c>; 0 when there is none, or it is not a number: preferences that are not understood are passed over (section 2).</returns>
    internal static int ReadSeconds(StringValues headers)
    {
        foreach (var header in headers)
        {
            foreach (var preference in (header ?? "").Split(','))
            {
                // Parameters of a preference follow a semicolon; wait has none.
                var parts = preference.Split(';')[0].Split('=', 2);
                if (!parts[0].Trim().Equals(FleetLockProtocol.WaitPreference, StringComparison.OrdinalIgnoreCase))
                    continue;
                var value = parts.Length == 2 ? parts[1].Trim().Trim('"') : "";
                if (int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
                    return seconds;

                // More than can be counted is as long as possible.
                return value.Length > 0 && value.All(char.IsAsciiDigit) ? int.MaxValue : 0;
            }
        }

        return 0;
    }

    /// <summary>The value of <c>Preference-Applied</c>.</summary>
    /// <param name="wait">How long the server was ready to hold the request.</param>
    /// <returns>The value.</returns>
    internal static string Applied(TimeSpan wait) => string.Create(CultureInfo.InvariantCulture, $"{FleetLockProtocol.WaitPreference}={(int)wait.TotalSeconds}");
}
