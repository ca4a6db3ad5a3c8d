using System.Security.Cryptography;

namespace FleetLock;

/// <summary>
/// Grant ids: 128 random bits as 32 lower-case hexadecimal digits, scoped to a group and a node id. A client makes one for each lock
/// operation, with all its waits and retries, so that client and server can tell this grant from any other of the same node id.
/// </summary>
public static class GrantId
{
    private const int Length = 32;
    private const string Digits = "0123456789abcdef";

    // The system's random numbers for a few dozen grants: for one at a time they cost a server more than deciding about it.
    [ThreadStatic]
    private static byte[]? s_random;

    [ThreadStatic]
    private static int s_unused;

    /// <summary>Makes a grant id.</summary>
    /// <returns>32 lower-case hexadecimal digits.</returns>
    public static string Create()
    {
        var random = s_random ??= new byte[32 * Length / 2];
        if (s_unused == 0)
        {
            using var generator = RandomNumberGenerator.Create();
            generator.GetBytes(random);
            s_unused = random.Length;
        }

        var digits = new char[Length];
        for (var i = 0; i < Length; i += 2)
        {
            var value = random[--s_unused];
            (digits[i], digits[i + 1]) = (Digits[value >> 4], Digits[value & 15]);
        }

        return new string(digits);
    }

    /// <summary>Checks the form of a grant id.</summary>
    /// <param name="value">The grant id.</param>
    /// <returns>Whether it is 32 lower-case hexadecimal digits.</returns>
    public static bool IsValid(string? value)
    {
        if (value is not { Length: Length })
            return false;
        foreach (var c in value)
        {
            if (c is not ((>= '0' and <= '9') or (>= 'a' and <= 'f')))
                return false;
        }

        return true;
    }

    /// <summary>Returns the grant id if it is valid.</summary>
    /// <param name="value">The grant id.</param>
    /// <returns>The same grant id.</returns>
    /// <exception cref="FleetLockInputException">It is not 32 lower-case hexadecimal digits.</exception>
    public static string Require(string? value) => IsValid(value)
        ? value!
        : throw new FleetLockInputException("grantId", $"The grant id '{ProtocolRules.Show(value ?? "")}' is invalid. It must be {Length} lower-case hexadecimal digits.");
}
