using System.Security.Cryptography;

namespace FleetLock;

/// <summary>Zincati's node id: an application-specific machine id, as <c>systemd-id128 machine-id --app-specific</c> makes it.</summary>
/// <remarks>
/// sd_id128_get_machine_app_specific(3): HMAC-SHA256 with the machine id as the key and the application id as the message, cut to 16 bytes
/// and marked as a version 4 UUID. Cloned machines share a machine id, and so a node id: the second one's lock then counts as the first one's.
/// </remarks>
public static class NodeId
{
    /// <summary>Zincati's application id, the default: so a machine has the same id here and there.</summary>
    public const string ZincatiApplicationId = "de35106b6ec24688b63afddaa156679b";

    /// <summary>Derives a node id.</summary>
    /// <param name="machineId">The machine id.</param>
    /// <param name="applicationId">The application id, 32 hexadecimal digits; <see langword="null"/> is Zincati's.</param>
    /// <returns>32 lower-case hexadecimal digits.</returns>
    /// <exception cref="FleetLockInputException">The application id is not 32 hexadecimal digits.</exception>
    public static string Derive(MachineId machineId, string? applicationId = null)
    {
        if (machineId is null)
            throw new ArgumentNullException(nameof(machineId));

        var application = MachineId.Parse(applicationId ?? ZincatiApplicationId, "application id");
        using var hmac = new HMACSHA256(machineId.ToByteArray());
        var digest = hmac.ComputeHash(application.ToByteArray());
        Array.Resize(ref digest, 16);

        // RFC 9562: version 4 and the variant of that document, as systemd sets them.
        digest[6] = (byte)((digest[6] & 0x0F) | 0x40);
        digest[8] = (byte)((digest[8] & 0x3F) | 0x80);
        return MachineId.ToHex(digest);
    }

    /// <summary>This machine's node id.</summary>
    /// <returns>The id and where the machine id came from.</returns>
    /// <exception cref="FleetLockInputException">This machine has no usable machine id.</exception>
    public static (string Id, string Source) OfThisMachine()
    {
        var (machineId, source) = MachineId.Find(MachineIdSource.OfThisMachine());
        return (Derive(machineId), source);
    }
}
