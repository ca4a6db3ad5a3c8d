namespace FleetLock;

/// <summary>A machine id as the operating system keeps it: 16 bytes, in the order of the text.</summary>
/// <remarks>machine-id(5). It "should be considered confidential and must not be exposed in untrusted environments": derive a node id from it.</remarks>
public sealed class MachineId
{
    private const int Length = 16;

    private readonly byte[] _bytes;

    private MachineId(byte[] bytes) => _bytes = bytes;

    /// <summary>Reads a machine id or an application id.</summary>
    /// <param name="text">32 hexadecimal digits; dashes and braces, as Windows and macOS write them, and white space at the ends do not matter.</param>
    /// <param name="setting">What the text is, for the error's message.</param>
    /// <returns>The id.</returns>
    /// <exception cref="FleetLockInputException">It is anything else, <c>uninitialized</c> or all zeros.</exception>
    public static MachineId Parse(string text, string setting = "machine id")
    {
        var digits = (text ?? "").Trim().Trim('{', '}').Replace("-", "");
        if (digits.Length == 0)
            throw Fault("is empty");
        if (digits == "uninitialized")
            throw Fault("is 'uninitialized': the first boot has not set it yet (machine-id(5))");
        if (digits.Length != 2 * Length)
            throw Fault($"'{ProtocolRules.Show(text!)}' does not have 32 hexadecimal digits");

        var bytes = new byte[Length];
        for (var i = 0; i < Length; i++)
        {
            var (high, low) = (Digit(digits[2 * i]), Digit(digits[(2 * i) + 1]));
            if (high < 0 || low < 0)
                throw Fault($"'{ProtocolRules.Show(text!)}' does not have 32 hexadecimal digits");
            bytes[i] = (byte)((high << 4) | low);
        }

        if (Array.TrueForAll(bytes, b => b == 0))
            throw Fault("is all zeros, which is not a valid id (machine-id(5))");
        return new MachineId(bytes);

        FleetLockInputException Fault(string what) => new(setting, $"The {setting} {what}.");
    }

    /// <summary>The first good machine id among a platform's sources.</summary>
    /// <param name="sources">Where to look, in this order.</param>
    /// <returns>The id and the source that it came from.</returns>
    /// <exception cref="FleetLockInputException">No source has a good one; the message says what each of them has.</exception>
    public static (MachineId Id, string Source) Find(IEnumerable<MachineIdSource> sources)
    {
        if (sources is null)
            throw new ArgumentNullException(nameof(sources));

        var faults = new List<string>();
        foreach (var source in sources)
        {
            try
            {
                if (source.Read() is { } text)
                    return (Parse(text), source.Name);
                faults.Add($"{source.Name} is not there");
            }
            catch (FleetLockInputException e)
            {
                faults.Add($"{source.Name}: {e.Message.TrimEnd('.')}");
            }
        }

        throw new FleetLockInputException("id", $"This machine has no usable machine id ({string.Join("; ", faults)}). Name the id yourself: -Id, --id or FLEETLOCK_ID.");
    }

    /// <summary>The 16 bytes, in text order.</summary>
    /// <returns>A copy.</returns>
    public byte[] ToByteArray() => (byte[])_bytes.Clone();

    /// <summary>32 lower-case hexadecimal digits.</summary>
    /// <returns>The text.</returns>
    public override string ToString() => ToHex(_bytes);

    internal static string ToHex(byte[] bytes)
    {
        const string Digits = "0123456789abcdef";
        var hex = new char[bytes.Length * 2];
        for (var i = 0; i < bytes.Length; i++)
        {
            hex[2 * i] = Digits[bytes[i] >> 4];
            hex[(2 * i) + 1] = Digits[bytes[i] & 0xF];
        }

        return new string(hex);
    }

    private static int Digit(char c) => c switch
    {
        >= '0' and <= '9' => c - '0',
        >= 'a' and <= 'f' => c - 'a' + 10,
        >= 'A' and <= 'F' => c - 'A' + 10,
        _ => -1,
    };
}
